import { mkdir, writeFile } from "node:fs/promises";
import { dirname, join, resolve } from "node:path";
import { exitCodes, ShowdownError } from "../../errors.ts";
import { parseAttackLimits } from "../../measures/attack-measures.ts";
import { nameOf, participantsOf } from "../../measures/sections.ts";
import { readRunOrAttack } from "../../result/find.ts";
import type { StoredAttack } from "../../result/read.ts";
import type { Result } from "../../result/schema.ts";
import { parseThresholds } from "../../views/compare/gate-grammar.ts";
import { checkThresholds, describeOutcome } from "../../views/compare/gates.ts";
import { exportAttackCsv } from "../../views/csv/attack-csv.ts";
import { exportCsv } from "../../views/csv/export-csv.ts";
import type { Block } from "../../views/document/block.ts";
import { buildReference } from "../../views/document/reference.ts";
import { judgeAttack, renderAttack, renderAttackSummary } from "../attack-report.ts";
import type { Host } from "../host.ts";
import type { OptionValues, ParsedOptions } from "../options.ts";
import { runSource } from "../paths.ts";
import { printBlocks, renderReport, renderSummary, requireFormat } from "../report-files.ts";

/** `showdown report`: prints the report of a run and writes it anew from its result file. Returns the exit code. */
export async function report({ values, positionals }: ParsedOptions, host: Host): Promise<number> {
  const [reference = "latest", ...others] = positionals;
  if (others.length > 0) {
    throw new ShowdownError("usage", `expected one run, got ${positionals.join(", ")}`);
  }
  const stored = readRunOrAttack(reference, runSource(values, host));
  for (const file of values.out ?? []) requireFormat(file, "attack" in stored ? "attack" : "run");
  if ("attack" in stored) return await reportAttack(stored, values, host);
  const { result, folder } = stored;
  const against = values.reference === undefined ? [] : compareWith(result, values.reference);
  const thresholds = parseThresholds(values.threshold ?? [], result.plan);
  if (result.status === "running") {
    host.err(
      `warning: ${result.id} is still running or was cut off; the report has what it measured so far\n`,
    );
  }
  const reports = values.out?.map((file) => resolve(host.cwd, file)) ?? [
    join(folder, "report.md"),
    join(folder, "report.html"),
  ];
  for (const path of reports) await write(path, await renderReport(path, result, values), host);
  if (values.csv !== undefined) await writeAll(values.csv, exportCsv(result), host);
  host.out(renderSummary(result, values, host));
  if (against.length > 0) {
    host.out("\n");
    printBlocks(against, host);
  }
  const failed = checkThresholds(result, thresholds).filter(({ outcome }) => outcome === "failed");
  for (const outcome of failed) host.err(`${describeOutcome(outcome)}\n`);
  return failed.length > 0 ? exitCodes.threshold.code : exitCodes.ok.code;
}

function compareWith(result: Result, name: string): readonly Block[] {
  const names = participantsOf(result).map(nameOf);
  if (names.includes(name)) return buildReference(result, name);
  throw new ShowdownError("usage", `--reference ${name}: expected one of ${names.join(", ")}`);
}

async function reportAttack(
  { attack, folder }: StoredAttack,
  values: OptionValues,
  host: Host,
): Promise<number> {
  const reports = values.out?.map((file) => resolve(host.cwd, file)) ?? [
    join(folder, "report.md"),
    join(folder, "report.html"),
  ];
  for (const path of reports) await write(path, await renderAttack(path, attack), host);
  if (values.csv !== undefined) await writeAll(values.csv, exportAttackCsv(attack), host);
  host.out(
    renderAttackSummary(attack, { columns: host.columns(), color: host.outIsTty && !host.env.NO_COLOR }),
  );
  return judgeAttack(attack, parseAttackLimits("--threshold", values.threshold ?? []), host);
}

async function writeAll(folder: string, files: ReturnType<typeof exportCsv>, host: Host): Promise<void> {
  for (const { name, text } of files) await write(resolve(host.cwd, folder, name), text, host);
}

async function write(path: string, text: string, host: Host): Promise<void> {
  try {
    await mkdir(dirname(path), { recursive: true });
    await writeFile(path, text);
  } catch (cause) {
    throw new ShowdownError("writing", `${path} cannot be written: ${(cause as Error).message}`, {
      hint: "give another place with --out, or free some space",
      cause,
    });
  }
  host.err(`Written: ${path}\n`);
}
