import type { Cell, Table } from "../../../text/table.ts";
import { html, type Markup } from "./markup.ts";

export interface TableMarkupOptions {
  /** What a screen reader calls it. */
  readonly label: string;
  readonly classes?: string;
  /** Explain columns by their headers. */
  readonly meanings?: ReadonlyMap<string, string>;
  /** The row's name, such as with its colour. */
  readonly firstCell?: (text: string) => Markup | string;
}

/** A table as the terminal and the Markdown report have it. A wide one scrolls by itself, by keyboard too, never the page. */
export function renderTable(table: Table, options: TableMarkupOptions): Markup {
  const { label, classes = "", meanings, firstCell = (text) => text } = options;
  const alignments = table.columns.map(({ align }) => align);
  return html`<div class="scroll" role="region" aria-label="${label}" tabindex="0"><table class="${classes}">
<thead><tr>${table.columns.map(({ header, align }) => {
    const meaning = meanings?.get(header);
    return meaning === undefined
      ? html`<th scope="col" class="${align}">${header}</th>`
      : html`<th scope="col" class="${align}" title="${meaning}">${header}</th>`;
  })}</tr></thead>
<tbody>${table.rows.map(
    ({ cells, aside = false }) =>
      html`<tr class="${aside ? "aside" : ""}">${cells.map((cell, column) =>
        column === 0
          ? html`<th scope="row" class="${alignments[0] ?? "left"}">${aside ? cell.text : firstCell(cell.text)}</th>`
          : renderCell(cell, alignments[column] ?? "right"),
      )}</tr>`,
  )}</tbody>
</table></div>`;
}

function renderCell({ text, style = null }: Cell, align: "left" | "right"): Markup {
  // Numbers are the rule, and thousands of them: the style sheet has them on the right.
  const classes = [...(align === "left" ? [align] : []), ...(style === null ? [] : [style])];
  return classes.length === 0 ? html`<td>${text}</td>` : html`<td class="${classes.join(" ")}">${text}</td>`;
}

/** The columns of some groups, behind the first column, which names the rows. Rows that say nothing there are left out. */
export function pickGroups(table: Table, groups: readonly number[]): Table {
  const picked = table.columns.flatMap(({ group = 0 }, index) =>
    index === 0 || groups.includes(group) ? [index] : [],
  );
  const rows = table.rows.map((row) => ({
    ...row,
    cells: picked.map((index) => row.cells[index] ?? { text: "" }),
  }));
  return {
    columns: picked.flatMap((index) => table.columns[index] ?? []),
    rows: rows.filter(({ aside = false, cells }) => !aside || cells.slice(1).some(({ text }) => text !== "")),
  };
}
