import { exitCodes, UsageError } from "../../errors.ts";
import { readRun } from "../../result/read.ts";
import { compareResults } from "../../views/compare/comparison.ts";
import { checkFailOns, type FailOnOutcome, parseFailOns } from "../../views/compare/fail-on.ts";
import { appendJobSummary } from "../../views/compare/job-summary.ts";
import { describeOutcome, renderMarkdown, renderTerminal, toJson } from "../../views/compare/render.ts";
import type { Host } from "../host.ts";
import type { ParsedOptions } from "../options.ts";
import { resultsFolder } from "../paths.ts";

/** `showdown compare A B`: what became of every figure from one run to another. Returns the exit code. */
export async function compare({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [first, second, ...others] = positionals;
  if (first === undefined || second === undefined || others.length > 0) {
    throw new UsageError(`expected two runs to compare, got ${positionals.length}`, {
      hint: "showdown compare A B, each by its id, its folder, its result.json or as latest",
    });
  }
  const from = { resultsFolder: resultsFolder(values, host), cwd: host.cwd };
  const comparison = compareResults(readRun(first, from).result, readRun(second, from).result);
  const outcomes = checkFailOns(comparison, parseFailOns(values["fail-on"] ?? [], comparison));

  const markdown = renderMarkdown(comparison, outcomes);
  const problem = appendJobSummary(host.env, markdown);
  if (problem !== null) host.err(`warning: ${problem}\n`);
  if (values.json) host.out(`${JSON.stringify(toJson(comparison, outcomes))}\n`);
  else if (values.markdown) host.out(markdown);
  else {
    const color = host.outIsTty && !host.env.NO_COLOR;
    host.out(renderTerminal(comparison, outcomes, { columns: host.columns(), color }));
  }
  return exitCode(outcomes, host);
}

/** What can't be judged must not pass for fine in a pipeline. */
function exitCode(outcomes: readonly FailOnOutcome[], host: Host): number {
  for (const outcome of outcomes) {
    if (outcome.outcome !== "passed") host.err(`${describeOutcome(outcome)}\n`);
  }
  if (outcomes.some(({ outcome }) => outcome === "failed")) return exitCodes.threshold.code;
  return outcomes.some(({ outcome }) => outcome === "undecided") ? exitCodes.usage.code : exitCodes.ok.code;
}
