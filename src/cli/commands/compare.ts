import { exitCodes, ShowdownError } from "../../errors.ts";
import { readRun } from "../../result/find.ts";
import { compareResults } from "../../views/compare/comparison.ts";
import { buildComparison, toJson } from "../../views/compare/document.ts";
import { parseFailOns } from "../../views/compare/gate-grammar.ts";
import { checkFailOns, describeOutcome, type GateOutcome } from "../../views/compare/gates.ts";
import { appendJobSummary } from "../../views/compare/job-summary.ts";
import { renderBlocks } from "../../views/render/markdown.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { runSource } from "../paths.ts";
import { printBlocks } from "../report-files.ts";

/** `showdown compare A B`: what became of every figure from one run to another. Returns the exit code. */
export async function compare({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [first, second, ...others] = positionals;
  if (first === undefined || second === undefined || others.length > 0) {
    throw new ShowdownError("usage", `expected two runs to compare, got ${positionals.length}`, {
      hint: "showdown compare A B, each by its id, its folder, its result.json or as latest",
    });
  }
  const from = runSource(values, host);
  const comparison = compareResults(readRun(first, from).result, readRun(second, from).result);
  const outcomes = checkFailOns(comparison, parseFailOns(values["fail-on"] ?? [], comparison));

  const blocks = buildComparison(comparison, outcomes);
  const markdown = `${renderBlocks(blocks)}\n`;
  const problem = appendJobSummary(host.env, markdown);
  if (problem !== null) host.err(`warning: ${problem}\n`);
  if (values.json) host.out(`${JSON.stringify(toJson(comparison, outcomes))}\n`);
  else if (values.markdown) host.out(markdown);
  else printBlocks(blocks, host);
  return exitCode(outcomes, host);
}

/** What can't be judged must not pass for fine in a pipeline. */
function exitCode(outcomes: readonly GateOutcome[], host: Host): number {
  for (const outcome of outcomes) {
    if (outcome.outcome !== "passed") host.err(`${describeOutcome(outcome)}\n`);
  }
  if (outcomes.some(({ outcome }) => outcome === "failed")) return exitCodes.threshold.code;
  return outcomes.some(({ outcome }) => outcome === "undecided") ? exitCodes.usage.code : exitCodes.ok.code;
}
