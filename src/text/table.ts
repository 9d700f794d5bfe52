import { unknown } from "./format.ts";
import { createPainter, type Style } from "./style.ts";

/** The first column names the row. */
export interface Column {
  readonly header: string;
  readonly align: "left" | "right";
  /** Columns of one group stay together where a table is too wide for one line. */
  readonly group?: number;
  /** Stands once above neighbours that have the same. */
  readonly title?: string;
}

export interface Cell {
  readonly text: string;
  readonly style?: Style | null;
}

export interface Row {
  readonly cells: readonly Cell[];
}

/** Every row has as many cells as there are columns. */
export interface Table {
  readonly columns: readonly Column[];
  readonly rows: readonly Row[];
}

interface TextOptions {
  /** Columns of the terminal. */
  readonly width: number;
  readonly color?: boolean;
}

const indent = "  ";
const gap = "  ";

/**
 * Aligned lines. A table that is too wide goes on below, with its first column repeated: nothing is dropped, and a
 * row that has nothing to say in a part is left out of it.
 */
export function renderText(table: Table, { width, color = false }: TextOptions): string[] {
  const fits = (part: Table) => indent.length + widthOfSpan(columnWidths(part)) <= width;
  return joinParts(splitTable(table, fits).map((part) => renderTextPart(part, color)));
}

function renderTextPart(table: Table, color: boolean): string[] {
  const paint = createPainter(color);
  const widths = columnWidths(table);
  const line = (cells: readonly Cell[]) => {
    const written = cells.map(({ text, style = null }, place) => {
      const padding = " ".repeat(Math.max(0, (widths[place] ?? 0) - Bun.stringWidth(text)));
      const painted = paint(text, style);
      if (table.columns[place]?.align === "right") return padding + painted;
      return place === cells.length - 1 ? painted : painted + padding;
    });
    return (indent + written.join(gap)).trimEnd();
  };
  const titles = spansOf(table).map(({ title, first, length }) => {
    const width = widthOfSpan(widths.slice(first, first + length));
    return paint(title, "dim") + " ".repeat(Math.max(0, width - Bun.stringWidth(title)));
  });
  return [
    ...(titles.join("").trim() === "" ? [] : [(indent + titles.join(gap)).trimEnd()]),
    line(table.columns.map(({ header }) => ({ text: header, style: "dim" }))),
    ...table.rows.map(({ cells }) => line(cells)),
  ];
}

/** So many columns fit on a page of Markdown before it has to be scrolled. */
const markdownColumns = 11;

/** Pipe tables (GitHub Flavored Markdown), split like text. */
export function renderMarkdown(table: Table): string[] {
  return joinParts(
    splitTable(table, ({ columns }) => columns.length <= markdownColumns).map(renderMarkdownPart),
  );
}

function renderMarkdownPart({ columns, rows }: Table): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map(markdownHeader)),
    line(columns.map(({ align }) => (align === "right" ? "--:" : "---"))),
    ...rows.map(({ cells }) => line(cells.map(markdownCell))),
  ];
}

function markdownHeader({ header, title }: Column): string {
  return title === undefined
    ? escapeMarkdown(header)
    : `${escapeMarkdown(title)}<br>${escapeMarkdown(header)}`;
}

function markdownCell({ text, style }: Cell): string {
  const isMarked = (style === "bad" || style === "good") && isTold(text);
  return isMarked ? `**${escapeMarkdown(text)}**` : escapeMarkdown(text);
}

/** Makes text mean itself in a table or a paragraph. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|#~]/g, "\\$&").replaceAll(/\s*\n\s*/g, " ");
}

function joinParts(parts: readonly (readonly string[])[]): string[] {
  return parts.flatMap((lines, part) => (part === 0 ? lines : ["", ...lines]));
}

/** A table that is too wide as several that fit, each with the first column. */
export function splitTable(table: Table, fits: (part: Table) => boolean): Table[] {
  const [label = 0, ...others] = table.columns.map((_, column) => column);
  const parts: number[][] = [];
  let part: number[] = [];
  const close = () => {
    if (part.length > 0) parts.push([label, ...part]);
    part = [];
  };
  const groups = Map.groupBy(others, (column) => table.columns[column]?.group ?? 0);
  for (const group of groups.values()) {
    if (!fits(partOf(table, [label, ...part, ...group]))) close();
    for (const column of group) {
      if (!fits(partOf(table, [label, ...part, column]))) close();
      part.push(column);
    }
  }
  close();
  return (parts.length === 0 ? [[label]] : parts).map((columns) => partOf(table, columns));
}

/** The table of these columns, with those rows that have something to say in them. */
function partOf(table: Table, columns: readonly number[]): Table {
  const rows = table.rows.map(({ cells }) => columns.map((column) => cells[column] ?? { text: "" }));
  return {
    columns: columns.flatMap((column) => table.columns[column] ?? []),
    rows: rows
      .filter(([, ...others]) => others.length === 0 || others.some(({ text }) => isTold(text)))
      .map((cells) => ({ cells })),
  };
}

function isTold(text: string): boolean {
  return text !== unknown && text !== "";
}

function widthOfSpan(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
}

/** In characters; wide enough for the titles above them, too. */
export function columnWidths(table: Table): number[] {
  const widths = table.columns.map(({ header }, column) =>
    Math.max(
      Bun.stringWidth(header),
      ...table.rows.map(({ cells }) => Bun.stringWidth(cells[column]?.text ?? "")),
    ),
  );
  for (const { title, first, length } of spansOf(table)) {
    const missing = Bun.stringWidth(title) - widthOfSpan(widths.slice(first, first + length));
    if (missing > 0) widths[first] = (widths[first] ?? 0) + missing;
  }
  return widths;
}

/** Neighbours with the same title, by their places among the columns. */
function spansOf({ columns }: Table): { readonly title: string; readonly first: number; length: number }[] {
  const spans: { title: string; first: number; length: number }[] = [];
  for (const [first, { title = "" }] of columns.entries()) {
    const last = spans.at(-1);
    if (last !== undefined && last.title === title && title !== "") last.length += 1;
    else spans.push({ title, first, length: 1 });
  }
  return spans;
}
