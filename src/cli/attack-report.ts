import { extname } from "node:path";
import type { AttackResult } from "../result/attack.ts";
import { buildAttackReport, buildAttackSummary } from "../views/attack/report.ts";
import { writeAttackTimeline } from "../views/csv/attack-csv.ts";
import { renderBlocks as renderMarkdown } from "../views/render/markdown.ts";
import { renderBlocks as renderTerminal } from "../views/render/terminal.ts";

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
