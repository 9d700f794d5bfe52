import type { AttackResult } from "../../result/attack.ts";
import type { Result } from "../../result/schema.ts";
import { escapeMarkdown, renderMarkdown as renderTable } from "../../text/table.ts";
import { buildAttackReport } from "../attack/report.ts";
import type { Block, Sentence } from "../document/block.ts";
import { buildReport } from "../document/report.ts";
import { type Demand, defaultDemand } from "../document/sizing.ts";

/** `report.md`: the whole run or attack in one page, the verdict first. Charts are in the HTML report. */
export function renderMarkdown(result: Result | AttackResult, demand: Demand = defaultDemand): string {
  const blocks = "kind" in result ? buildAttackReport(result) : buildReport(result, demand);
  return `${renderBlocks(blocks)}\n`;
}

export function renderBlocks(blocks: readonly Block[]): string {
  return blocks
    .map(renderBlock)
    .filter((text) => text !== "")
    .join("\n\n");
}

function renderBlock(block: Block): string {
  switch (block.kind) {
    case "heading":
      return `${"#".repeat(block.level)} ${escapeMarkdown(block.text)}`;
    case "paragraph":
      return renderSentence(block.sentence);
    case "list":
      return block.items.map((item) => `- ${renderSentence(item)}`).join("\n");
    case "table": {
      const rows = block.table.rows.map((row) => ({
        ...row,
        cells: row.cells.map((cell) => (cell.isBest ? { ...cell, style: "good" as const } : cell)),
      }));
      return renderTable({ ...block.table, rows }).join("\n");
    }
    case "code": {
      const text = block.lines.join("\n");
      const fence = "`".repeat(Math.max(3, longestRun(text) + 1));
      return `${fence}${block.language}\n${text}\n${fence}`;
    }
    case "details":
      return `<details><summary>${escapeMarkdown(block.summary)}</summary>\n\n${renderBlocks(block.blocks)}\n\n</details>`;
    case "chart":
      return "";
  }
}

function renderSentence({ lead, text }: Sentence): string {
  const escaped = escapeMarkdown(text);
  return lead === undefined ? escaped : `**${escapeMarkdown(lead)}** ${escaped}`;
}

/** Of backticks, which would end the code. */
function longestRun(text: string): number {
  return Math.max(0, ...(text.match(/`+/g) ?? []).map((run) => run.length));
}
