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
  /** Of another source than the rest: set apart. */
  readonly aside?: boolean;
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
export function renderText(table: Table, options: TextOptions): string[] {
  const fits = (columns: readonly number[]) => widthOf(table, columns) <= options.width;
  return splitColumns(table, fits).flatMap((columns, part) => {
    const lines = renderPart(table, columns, options);
    return part === 0 ? lines : ["", ...lines];
  });
}

function renderPart(table: Table, columns: readonly number[], { color = false }: TextOptions): string[] {
  const paint = createPainter(color);
  const rows = rowsOf(table, columns);
  const widths = columnWidths(table, rows, columns);
  const line = (cellOf: (column: number) => Cell) => {
    const cells = columns.map((column, place) => {
      const { text, style = null } = cellOf(column);
      const padding = " ".repeat(Math.max(0, (widths[place] ?? 0) - Bun.stringWidth(text)));
      const painted = paint(text, style);
      if (table.columns[column]?.align === "right") return padding + painted;
      return place === columns.length - 1 ? painted : painted + padding;
    });
    return (indent + cells.join(gap)).trimEnd();
  };
  const titles = spansOf(table, columns).map(({ title, first, length }) => {
    const width = widthOfSpan(widths.slice(first, first + length));
    return paint(title, "dim") + " ".repeat(Math.max(0, width - Bun.stringWidth(title)));
  });
  return [
    ...(titles.join("").trim() === "" ? [] : [(indent + titles.join(gap)).trimEnd()]),
    line((column) => ({ text: table.columns[column]?.header ?? "", style: "dim" })),
    ...rows.map((row) =>
      line((column) => {
        const cell = cellAt(row, column);
        return row.aside ? { ...cell, style: "dim" } : cell;
      }),
    ),
  ];
}

/** So many columns fit on a page of Markdown before it has to be scrolled. */
const markdownColumns = 11;

/** Pipe tables (GitHub Flavored Markdown), split like text; rows of another source in italics. */
export function renderMarkdown(table: Table): string[] {
  const parts = splitColumns(table, (columns) => columns.length <= markdownColumns);
  return parts.flatMap((columns, part) => [
    ...(part === 0 ? [] : [""]),
    ...renderMarkdownPart(table, columns),
  ]);
}

function renderMarkdownPart(table: Table, columns: readonly number[]): string[] {
  const line = (cells: readonly string[]) => `| ${cells.join(" | ")} |`;
  return [
    line(columns.map((column) => markdownHeader(table.columns[column]))),
    line(columns.map((column) => (table.columns[column]?.align === "right" ? "--:" : "---"))),
    ...rowsOf(table, columns).map((row) =>
      line(
        columns.map((column) => {
          const { text, style } = cellAt(row, column);
          const escaped = escapeMarkdown(text);
          if (text === unknown || text === "") return escaped;
          return row.aside
            ? `*${escaped}*`
            : style === "bad" || style === "good"
              ? `**${escaped}**`
              : escaped;
        }),
      ),
    ),
  ];
}

function markdownHeader(column: Column | undefined): string {
  const header = escapeMarkdown(column?.header ?? "");
  return column?.title === undefined ? header : `${escapeMarkdown(column.title)}<br>${header}`;
}

/** Makes text mean itself in a table or a paragraph. */
export function escapeMarkdown(text: string): string {
  return text.replaceAll(/[\\`*_[\]<>|#~]/g, "\\$&").replaceAll(/\s*\n\s*/g, " ");
}

/**
 * A table that is too wide as several, each with the first column.
 *
 * @param fits whether columns of these widths, in characters, fit
 */
export function splitTable<T extends Table>(table: T, fits: (widths: readonly number[]) => boolean): T[] {
  const parts = splitColumns(table, (columns) => fits(columnWidths(table, table.rows, columns)));
  return parts.map((columns) => ({
    ...table,
    columns: columns.flatMap((column) => table.columns[column] ?? []),
    rows: rowsOf(table, columns).map((row) => ({
      ...row,
      cells: columns.map((column) => cellAt(row, column)),
    })),
  }));
}

/** For each part the indexes of its columns, the first column in all of them. */
function splitColumns(table: Table, fits: (columns: readonly number[]) => boolean): number[][] {
  const [label = 0, ...others] = table.columns.map((_, column) => column);
  const parts: number[][] = [];
  let part: number[] = [];
  const close = () => {
    if (part.length > 0) parts.push([label, ...part]);
    part = [];
  };
  const groups = Map.groupBy(others, (column) => table.columns[column]?.group ?? 0);
  for (const group of groups.values()) {
    if (!fits([label, ...part, ...group])) close();
    for (const column of group) {
      if (!fits([label, ...part, column])) close();
      part.push(column);
    }
  }
  close();
  return parts.length === 0 ? [[label]] : parts;
}

function rowsOf(table: Table, columns: readonly number[]): readonly Row[] {
  const isTold = (row: Row, column: number) => ![unknown, ""].includes(cellAt(row, column).text);
  return table.rows.filter(
    (row) => columns.length === 1 || columns.slice(1).some((column) => isTold(row, column)),
  );
}

function widthOf(table: Table, columns: readonly number[]): number {
  return indent.length + widthOfSpan(columnWidths(table, rowsOf(table, columns), columns));
}

function widthOfSpan(widths: readonly number[]): number {
  return widths.reduce((sum, width) => sum + width, gap.length * (widths.length - 1));
}

/** Wide enough for the titles above them, too. */
function columnWidths(table: Table, rows: readonly Row[], columns: readonly number[]): number[] {
  const widths = columns.map((column) => columnWidth(table, rows, column));
  for (const { title, first, length } of spansOf(table, columns)) {
    const missing = Bun.stringWidth(title) - widthOfSpan(widths.slice(first, first + length));
    if (missing > 0) widths[first] = (widths[first] ?? 0) + missing;
  }
  return widths;
}

/** Neighbours with the same title, by their places among the columns. */
function spansOf(
  table: Table,
  columns: readonly number[],
): { readonly title: string; readonly first: number; length: number }[] {
  const spans: { title: string; first: number; length: number }[] = [];
  columns.forEach((column, place) => {
    const title = table.columns[column]?.title ?? "";
    const last = spans.at(-1);
    if (last !== undefined && last.title === title && title !== "") last.length += 1;
    else spans.push({ title, first: place, length: 1 });
  });
  return spans;
}

function columnWidth(table: Table, rows: readonly Row[], column: number): number {
  const header = table.columns[column]?.header ?? "";
  return Math.max(Bun.stringWidth(header), ...rows.map((row) => Bun.stringWidth(cellAt(row, column).text)));
}

function cellAt(row: Row, column: number): Cell {
  return row.cells[column] ?? { text: "" };
}
