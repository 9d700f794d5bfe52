import type { Result } from "../../result/schema.ts";
import { createPainter, type Painter, type Style } from "../../text/style.ts";
import { renderText, type TextOptions } from "../../text/table.ts";
import { findingStyles, retestArticle } from "./article/claims.ts";
import { describeStatus, listFacts } from "./facts.ts";
import { buildFaultTables } from "./fault-table.ts";
import { listNotes } from "./note.ts";
import { buildPhaseTable } from "./phase-table.ts";
import { listSections, type Section, titleOf } from "./section.ts";
import { listTroubles } from "./trouble.ts";
import { type Demand, defaultDemand, sizeUp } from "./verdict/sizing.ts";
import { judge } from "./verdict/verdict.ts";

export interface TerminalOptions {
  readonly columns: number;
  readonly color: boolean;
  readonly demand?: Demand;
}

/** Longer lines of prose are hard to read. */
const widestProse = 110;
const narrowest = 40;

/** The summary of a run, also of one that did not get far. Ends with a line break. */
export function renderTerminal(
  result: Result,
  { columns, color, demand = defaultDemand }: TerminalOptions,
): string {
  const width = Math.max(narrowest, columns);
  const page: Page = { width: Math.min(width, widestProse), paint: createPainter(color) };
  const sections = listSections(result);
  const lines = [
    "",
    ...renderHead(result, page),
    ...sections.flatMap((section) => [
      "",
      page.paint(titleOf(section), "strong"),
      ...(section.participants.length === 0
        ? ["  Nobody took part."]
        : renderText(buildPhaseTable(section, { complete: false, sections }), { width, color })),
      ...listNotes(section).flatMap(({ text, style }) => prose(text, page, style)),
      ...renderFaults(section, page, { width, color }),
    ]),
    ...renderTroubles(result, page),
    ...renderVerdict(result, page),
    ...renderSizing(result, demand, page, { width, color }),
    ...renderClaims(result, page),
    "",
  ];
  return lines.join("\n");
}

interface Page {
  readonly width: number;
  readonly paint: Painter;
}

function renderHead(result: Result, page: Page): string[] {
  return [
    ...wrap(`${result.id}, ${describeStatus(result)}`, page.width).map((line, index) =>
      index === 0 ? page.paint(result.id, "strong") + line.slice(result.id.length) : line,
    ),
    ...listFacts(result).flatMap(({ label, text }) => {
      const hang = " ".repeat(11);
      const [first = "", ...rest] = wrap(text, page.width - hang.length);
      return [`  ${page.paint(label.padEnd(9), "dim")}${first}`, ...rest.map((line) => hang + line)];
    }),
  ];
}

function renderFaults(section: Section, page: Page, options: TextOptions): string[] {
  return buildFaultTables(section, { complete: false }).flatMap(({ fault, table, isUneventful }) => [
    "",
    ...(isUneventful
      ? prose(`${fault}: nobody else noticed, at any of them.`, page, null)
      : [`  ${page.paint(fault, "strong")}`, ...renderText(table, options)]),
  ]);
}

function renderTroubles(result: Result, page: Page): string[] {
  return listTroubles(result).flatMap(({ title, entries, style }) => [
    "",
    page.paint(title, style),
    ...entries.flatMap(({ text, output }) => [
      ...prose(text, page, null),
      ...output.slice(-5).map((line) => page.paint(`    ${line}`, "dim")),
    ]),
  ]);
}

function renderVerdict(result: Result, page: Page): string[] {
  const { items, declared, remarks } = judge(result);
  return [
    "",
    page.paint("Verdict", "strong"),
    ...items.flatMap(({ choice, text }) => prose(choice === null ? text : `${choice} ${text}`, page, null)),
    ...declared.flatMap((text) => prose(text, page, null)),
    ...remarks.flatMap((text) => prose(text, page, "dim")),
  ];
}

function renderSizing(result: Result, demand: Demand, page: Page, options: TextOptions): string[] {
  const sizing = sizeUp(result, demand);
  if (sizing === null) return [];
  return [
    "",
    page.paint(sizing.title, "strong"),
    ...sizing.tables.flatMap(({ title, table }) => [
      ...(sizing.tables.length === 1 ? [] : [`  ${title}`]),
      ...renderText(table, options),
    ]),
    ...sizing.assumptions.flatMap((text) => prose(text, page, "dim")),
  ];
}

/** The findings; why stands in the reports. */
function renderClaims(result: Result, page: Page): string[] {
  const retest = retestArticle(result);
  if (retest === null) return [];
  return [
    "",
    page.paint("The article's claims, re-tested (the reports say why)", "strong"),
    ...retest.claims.flatMap(({ claim, article, measured, finding }) =>
      prose(`${finding}: ${claim} Article: ${article}. Measured: ${measured}.`, page, findingStyles[finding]),
    ),
  ];
}

/** An indented paragraph; what follows the first line hangs by two more. */
function prose(text: string, { width, paint }: Page, style: Style | null): string[] {
  return wrap(text, width - 4).map((line, index) => `${index === 0 ? "  " : "    "}${paint(line, style)}`);
}

/** Not between a number and its unit. */
const betweenWords = /\s+(?!(?:[µm]?s|[kMGT]?B|%)(?:[^\w]|$))/;

/** Breaks between words; a word that is too long stays whole, so that it can be copied. */
function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = "";
  for (const word of text.split(betweenWords)) {
    if (line !== "" && Bun.stringWidth(line) + 1 + Bun.stringWidth(word) > width) {
      lines.push(line);
      line = word;
    } else {
      line = line === "" ? word : `${line} ${word}`;
    }
  }
  return [...lines, line];
}
