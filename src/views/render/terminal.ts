import type { Result } from "../../result/schema.ts";
import { keepTogether } from "../../text/format.ts";
import { createPainter, type Painter } from "../../text/style.ts";
import { renderText } from "../../text/table.ts";
import type { Block, Cell, Sentence, Table } from "../document/block.ts";
import { buildDetails, buildSummary } from "../document/report.ts";
import { type Demand, defaultDemand } from "../document/sizing.ts";

interface Screen {
  readonly columns: number;
  readonly color: boolean;
}

interface TerminalOptions extends Screen {
  /** All tables and notes instead of one screen. */
  readonly details: boolean;
  readonly demand?: Demand;
}

/** One screen. */
const mostLines = 50;
/** Of these for what explains the leads: a cause takes up to three. */
const mostCauseLines = 5;
const fewestCauseLines = 3;
/** Longer lines of prose are hard to read. */
const widestProse = 110;
const narrowest = 40;

interface Page {
  readonly width: number;
  readonly color: boolean;
  readonly paint: Painter;
}

/** A run for the terminal, also one that did not get far. Ends with a line break. */
export function renderTerminal(result: Result, options: TerminalOptions): string {
  const { details, demand = defaultDemand } = options;
  const page = pageOf(options);
  const lines = details
    ? buildDetails(result, demand).flatMap((block) => renderBlock(block, page))
    : renderSummary(result, page);
  return [...lines, ""].join("\n");
}

/** Any document, line by line. */
export function renderBlocks(blocks: readonly Block[], screen: Screen): string[] {
  const page = pageOf(screen);
  return blocks.flatMap((block) => renderBlock(block, page));
}

function pageOf({ columns, color }: Screen): Page {
  return { width: Math.max(narrowest, columns), color, paint: createPainter(color) };
}

function renderSummary(result: Result, page: Page): string[] {
  const least = buildSummary(result, () => false, 0);
  const heightOf = (table: Table) => (table.rows.length === 0 ? 0 : renderTable(table, page).length);
  // The smallest table is among the fixed lines already.
  const smallest = least.reduce(
    (all, block) => (block.kind === "table" ? all + heightOf(block.table) : all),
    0,
  );
  const most = Math.max(mostLines - renderSummaryBlocks(least, page).length + smallest, 0);
  const render = (mostCauseLines: number) =>
    renderSummaryBlocks(
      buildSummary(result, (table) => heightOf(table) <= most, mostCauseLines),
      page,
    );
  const lines = render(0);
  // The report has what explains the leads too: the table goes first.
  const room = Math.min(mostCauseLines, mostLines - lines.length - 2);
  return room < fewestCauseLines ? lines : render(room);
}

function renderSummaryBlocks(blocks: readonly Block[], page: Page): string[] {
  return [
    ...blocks.flatMap((block) =>
      block.kind === "list" ? ["", ...cutList(block.items, page, block.mostLines)] : renderBlock(block, page),
    ),
    "",
    ...footer(blocks).flatMap((text) => renderSentence({ text, style: "dim" }, page)),
  ];
}

function cutList(items: readonly Sentence[], page: Page, most: number): string[] {
  const lines: string[] = [];
  for (const [at, item] of items.entries()) {
    const more = renderSentence(item, page);
    const isLast = at === items.length - 1;
    if (lines.length + more.length > most - (isLast ? 0 : 1)) {
      return [...lines, page.paint(`  and ${items.length - at} more (--details)`, "dim")];
    }
    lines.push(...more);
  }
  return lines;
}

function renderBlock(block: Block, page: Page): string[] {
  switch (block.kind) {
    case "heading":
      return ["", `${block.level === 3 ? "  " : ""}${page.paint(block.text, "strong")}`];
    case "paragraph":
      return renderSentence(block.sentence, page);
    case "list":
      return block.items.flatMap((item) => renderSentence(item, page));
    case "table":
      return ["", ...renderTable(block.table, page)];
    case "code":
      return block.lines.map((line) => page.paint(`    ${line}`, "dim"));
    case "details":
      return block.blocks.flatMap((one) => renderBlock(one, page));
    case "chart":
      return [];
  }
}

/** The best figures are marked, so that they stand out without colours too. */
function renderTable(table: Table, { width, color }: Page): string[] {
  const marked = table.columns.map((_, at) => table.rows.some(({ cells }) => cells[at]?.isBest === true));
  const mark = (cell: Cell, at: number): Cell => {
    if (!marked[at]) return cell;
    return cell.isBest ? { text: `${cell.text} *`, style: "good" } : { ...cell, text: `${cell.text}  ` };
  };
  const columns = table.columns.map((column, at) =>
    marked[at] ? { ...column, header: `${column.header}  ` } : column,
  );
  const rows = table.rows.map((row) => ({ ...row, cells: row.cells.map(mark) }));
  return renderText({ columns, rows }, { width, color });
}

/** What the marks of the table mean, and where the rest is. */
function footer(blocks: readonly Block[]): string[] {
  const cells = blocks.flatMap((block) =>
    block.kind === "table" ? block.table.rows.flatMap((row) => row.cells) : [],
  );
  const hasLeagues = blocks.some(
    (block) => block.kind === "table" && block.table.columns.some(({ header }) => header === "league"),
  );
  const best = `* best${hasLeagues ? " of its league" : ""}, or not clearly worse than the best.`;
  const legend = [
    ...(cells.some(({ isBest }) => isBest === true) ? [best] : []),
    ...(cells.some(({ text }) => text.startsWith("(")) ? ["( ) not ranked."] : []),
  ].join(" ");
  const rest = "--details shows all tables; report.html and report.md have everything.";
  return legend === "" ? [rest] : [legend, rest];
}

/** An indented paragraph; what follows the first line hangs by two more. */
function renderSentence({ lead, text, style = null }: Sentence, { width, paint }: Page): string[] {
  const whole = lead === undefined ? text : `${lead} ${text}`;
  const lines = Bun.wrapAnsi(keepTogether(whole), Math.min(width, widestProse) - 4, { hard: false }).split(
    "\n",
  );
  return lines.map((line, at) => {
    const plain = line.replaceAll("\u00a0", " ").trimEnd();
    const start = at === 0 && lead !== undefined && plain.startsWith(lead) ? lead : "";
    return `${at === 0 ? "  " : "    "}${paint(start, "strong")}${paint(plain.slice(start.length), style)}`;
  });
}
