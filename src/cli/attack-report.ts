import { extname } from "node:path";
import { exitCodes } from "../errors.ts";
import { type AttackLimit, holds } from "../measures/attack-measures.ts";
import { formatMeasure } from "../measures/measure.ts";
import type { AttackResult } from "../result/attack.ts";
import { printable } from "../text/printable.ts";
import { buildAttackReport, buildAttackSummary } from "../views/attack/report.ts";
import { writeAttackTimeline } from "../views/csv/attack-csv.ts";
import { renderBlocks as renderMarkdown } from "../views/render/markdown.ts";
import { renderBlocks as renderTerminal } from "../views/render/terminal.ts";
import type { Host } from "./host.ts";

const fileColumns = 100;

/** The report of an attack as the ending of `file` asks for it: .md, .html, .txt, .json, or .csv for its timeline. */
export async function renderAttack(file: string, result: AttackResult): Promise<string> {
  switch (extname(file)) {
    case ".json":
      return `${JSON.stringify(result, null, 2)}\n`;
    case ".csv":
      return writeAttackTimeline(result);
    case ".html": {
      // Brings the page's whole machinery, which no other format needs to load.
      const { renderBlocks } = await import("../views/render/html.ts");
      return renderBlocks(buildAttackReport(result));
    }
    case ".txt":
      return renderAttackSummary(result, { columns: fileColumns, color: false });
    default:
      return `${renderMarkdown(buildAttackReport(result))}\n`;
  }
}

/** One screen. */
export function renderAttackSummary(
  result: AttackResult,
  screen: { readonly columns: number; readonly color: boolean },
): string {
  return `${renderTerminal(buildAttackSummary(result), screen).join("\n")}\n`;
}

/** Says which thresholds were met: of a part that is missing nobody knows. Returns the exit code of the attack: that of the gravest that happened. */
export function judgeAttack(result: AttackResult, thresholds: readonly AttackLimit[], host: Host): number {
  const isPartial = result.status === "partial";
  const areMet = thresholds.map((threshold) => {
    const { expression, measure } = threshold;
    const value = measure.pick(result);
    const isMet = value !== null && holds(threshold, value);
    const is = value === null ? "unknown" : formatMeasure(measure, value);
    const word = isPartial ? "not judged" : isMet ? "passed" : "failed";
    host.err(printable(`${word}: "${expression}": ${measure.name} is ${is}`));
    host.err("\n");
    return isMet;
  });
  const code = exitCodeOf(result);
  return code === exitCodes.ok.code && areMet.includes(false) ? exitCodes.threshold.code : code;
}

export function exitCodeOf({ status, reason }: Pick<AttackResult, "status" | "reason">): number {
  if (reason?.kind === "stopped-by-user") return exitCodes.aborted.code;
  if (status === "partial") return exitCodes.partial.code;
  if (status === "invalid") return exitCodes.allInvalid.code;
  return status === "ok" ? exitCodes.ok.code : exitCodes.attackFailed.code;
}
