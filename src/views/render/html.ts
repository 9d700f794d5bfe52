import type { AttackResult } from "../../result/attack.ts";
import type { Result } from "../../result/schema.ts";
import { keepTogether } from "../../text/format.ts";
import type { Style } from "../../text/style.ts";
import { columnWidths, splitTable } from "../../text/table.ts";
import { buildAttackReport } from "../attack/report.ts";
import type { Block, Cell, Sentence, Table } from "../document/block.ts";
import { buildReport } from "../document/report.ts";
import { type Demand, defaultDemand } from "../document/sizing.ts";
import { renderFigure } from "./chart.ts";
import { html, type Markup } from "./markup.ts";
import { renderPage } from "./page.ts";

/** The report of a run or an attack as one HTML file without scripts, which needs nothing else and opens offline. */
export function renderHtml(result: Result | AttackResult, demand: Demand = defaultDemand): string {
  return renderBlocks("kind" in result ? buildAttackReport(result) : buildReport(result, demand));
}

/** Any document as such a file. */
export function renderBlocks(blocks: readonly Block[]): string {
  const [head, ...rest] = split(blocks);
  const links = rest.flatMap(({ title }) =>
    title === null ? [] : [html`<a href="#${idOf(title)}">${title}</a> `],
  );
  return renderPage({
    title: `${head?.title ?? "Report"}: WebSocket showdown`,
    body: html`<header class="top"><p class="brand">WebSocket showdown</p>
${head === undefined ? null : renderChapter(head)}
<nav aria-label="Contents">${links}</nav></header>
<main id="main">
${rest.map((chapter) => html`<section>${renderChapter(chapter)}</section>\n`)}
</main>`,
  });
}

/** Any blocks as a part of a page. */
export function renderPart(blocks: readonly Block[]): Markup {
  return html`${split(blocks).map((chapter) => html`<section>${renderChapter(chapter)}</section>\n`)}`;
}

/** A heading of the first or second level with what follows it. */
interface Chapter {
  readonly title: string | null;
  readonly blocks: readonly Block[];
}

function split(blocks: readonly Block[]): Chapter[] {
  const chapters: { title: string | null; blocks: Block[] }[] = [];
  for (const block of blocks) {
    const title = block.kind === "heading" && block.level < 3 ? block.text : null;
    const last = chapters.at(-1);
    if (title !== null || last === undefined) chapters.push({ title, blocks: [block] });
    else last.blocks.push(block);
  }
  return chapters;
}

/** Charts that follow each other stand side by side. */
function renderChapter({ title, blocks }: Chapter): Markup {
  const parts: Markup[] = [];
  let charts: Markup[] = [];
  const close = () => {
    if (charts.length > 0) parts.push(html`<div class="charts">${charts}</div>\n`);
    charts = [];
  };
  for (const block of blocks) {
    if (block.kind === "chart") charts.push(renderFigure(block.chart));
    else {
      close();
      parts.push(renderBlock(block, title ?? ""));
    }
  }
  close();
  return html`${parts}`;
}

function renderBlock(block: Block, title: string): Markup {
  switch (block.kind) {
    case "heading":
      return block.level === 3
        ? html`<h3>${block.text}</h3>\n`
        : block.level === 2
          ? html`<h2 id="${idOf(block.text)}">${block.text}</h2>\n`
          : html`<h1>${block.text}</h1>\n`;
    case "paragraph":
      return html`<p${classOf(block.sentence.style)}>${renderSentence(block.sentence)}</p>\n`;
    case "list":
      return html`<ul>${block.items.map((item) => html`<li${classOf(item.style)}>${renderSentence(item)}</li>\n`)}</ul>\n`;
    case "table":
      return html`${splitTable(block.table, fitsPage).map((part) => renderTable(part, title))}`;
    case "chart":
      return renderFigure(block.chart);
    case "code":
      return html`<pre><code>${block.lines.join("\n")}</code></pre>\n`;
    case "details":
      return html`<details><summary>${block.summary}</summary>\n${block.blocks.map((one) => renderBlock(one, title))}</details>\n`;
  }
}

function renderSentence({ lead, text }: Sentence): Markup {
  const kept = keepTogether(text);
  return lead === undefined ? html`${kept}` : html`<b>${lead}</b> ${kept}`;
}

function classOf(style: Style | null | undefined, ...more: readonly string[]): Markup | null {
  const classes = [...(style === null || style === undefined ? [] : [style]), ...more].join(" ");
  return classes === "" ? null : html` class="${classes}"`;
}

/** Of the page at its widest, in pixels, and what a cell takes of it. */
const pageWidth = 1085;
const characterWidth = 7.9;
const cellPadding = 23;

/** What is wider would be out of sight on the right. Texts are wrapped. */
function fitsPage(table: Table): boolean {
  return (
    isProse(table) ||
    columnWidths(table).reduce((sum, width) => sum + width * characterWidth + cellPadding, 0) <= pageWidth
  );
}

function isProse({ columns }: Table): boolean {
  return columns.every(({ align }) => align === "left");
}

/** It scrolls by itself where the page is too narrow, also by keyboard. */
function renderTable(table: Table, title: string): Markup {
  const { columns, rows } = table;
  const hasTitles = columns.some((column) => column.title !== undefined);
  const groups = columns.reduce<{ title: string; span: number }[]>((all, { title: text = "" }) => {
    const last = all.at(-1);
    if (last !== undefined && last.title === text) last.span += 1;
    else all.push({ title: text, span: 1 });
    return all;
  }, []);
  return html`<div class="scroll" role="region" tabindex="0" aria-label="${title}: table"><table${isProse(table) ? html` class="prose"` : null}>
<thead>${
    hasTitles
      ? html`<tr>${groups.map(({ title: text, span }) => html`<th colspan="${span}" class="over">${text}</th>`)}</tr>\n`
      : null
  }<tr>${columns.map(({ header, align }) => html`<th scope="col" class="${align}">${header}</th>`)}</tr></thead>
<tbody>${rows.map(({ cells }) => html`<tr>${cells.map((cell, at) => renderCell(cell, at, columns[at]?.align ?? "left"))}</tr>\n`)}</tbody>
</table></div>\n`;
}

function renderCell({ text, style, isBest = false }: Cell, at: number, align: "left" | "right"): Markup {
  const classes = classOf(style, align, ...(isBest ? ["best"] : []));
  return at === 0 ? html`<th scope="row"${classes}>${text}</th>` : html`<td${classes}>${text}</td>`;
}

function idOf(title: string): string {
  return title.toLowerCase().replaceAll(/[^a-z0-9]+/g, "-");
}
