import type { Unit } from "../../measures/measure.ts";
import { printable } from "../../text/printable.ts";
import type { Style } from "../../text/style.ts";
import type * as text from "../../text/table.ts";

/** A report is a list of these, made from a result alone. Renderers turn them into text and decide nothing. */
export type Block =
  | { readonly kind: "heading"; readonly level: 1 | 2 | 3; readonly text: string }
  | { readonly kind: "paragraph"; readonly sentence: Sentence }
  /** Where room is short it takes at most so many lines, and tells how many items are left out. */
  | { readonly kind: "list"; readonly items: readonly Sentence[]; readonly mostLines: number }
  | { readonly kind: "table"; readonly table: Table }
  | { readonly kind: "chart"; readonly chart: Chart }
  /** As it is, line by line. */
  | { readonly kind: "code"; readonly lines: readonly string[]; readonly language: string }
  /** Out of the way where the medium can hide it. */
  | { readonly kind: "details"; readonly summary: string; readonly blocks: readonly Block[] };

export interface Sentence {
  /** Stands first, and out. */
  readonly lead?: string | undefined;
  readonly text: string;
  readonly style?: Style | null | undefined;
}

export interface Cell extends text.Cell {
  /** Nobody is clearly better in this column. */
  readonly isBest?: boolean;
}

export interface Table extends text.Table {
  readonly rows: readonly { readonly cells: readonly Cell[] }[];
}

/** Data to draw. Names are contenders, whose colours are their places in `contenders`. */
export type Chart = BarChart | LineChart;

interface ChartBase {
  readonly title: string;
  readonly unit: Unit;
  /** All of the run, so that each has the same colour everywhere. */
  readonly contenders: readonly string[];
}

export interface BarChart extends ChartBase {
  readonly kind: "bars";
  readonly bars: readonly {
    readonly name: string;
    readonly value: number;
    readonly low: number | null;
    readonly high: number | null;
    /** `≥` where it is a lower bound. */
    readonly prefix: string;
  }[];
}

export interface LineChart extends ChartBase {
  readonly kind: "lines";
  /**
   * `quantile`: 0 to 1, drawn by its nines; `second`: since the phase's start; `perSecond`: the rate offered; names:
   * places from 0, as far from each other.
   */
  readonly x: "quantile" | "second" | "perSecond" | readonly string[];
  readonly scale: "linear" | "log";
  readonly series: readonly {
    readonly name: string;
    /** The median over the rounds at each place, and the lowest and the highest round. */
    readonly points: readonly LinePoint[];
  }[];
  /** A level to compare with, such as the target rate. */
  readonly level: { readonly name: string; readonly value: number } | null;
}

export interface LinePoint {
  readonly x: number;
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

export function heading(level: 1 | 2 | 3, text: string): Block {
  return { kind: "heading", level, text };
}

export function paragraph(sentence: string | Sentence): Block {
  return { kind: "paragraph", sentence: typeof sentence === "string" ? { text: sentence } : sentence };
}

/** Nothing where there are no items. */
export function list(items: readonly (string | Sentence)[], mostLines = Number.POSITIVE_INFINITY): Block[] {
  if (items.length === 0) return [];
  const sentences = items.map((item) => (typeof item === "string" ? { text: item } : item));
  return [{ kind: "list", items: sentences, mostLines }];
}

export function table(content: Table): Block {
  return { kind: "table", table: content };
}

export function code(text: string, language = ""): Block {
  return { kind: "code", lines: text.split("\n"), language };
}

export function details(summary: string, blocks: readonly Block[]): Block {
  return { kind: "details", summary, blocks };
}

/** What a result file says reaches no terminal and no page with control characters in it, whoever wrote the file. */
export function makePrintable<T>(value: T): T {
  if (typeof value === "string") return printable(value) as T;
  if (Array.isArray(value)) return value.map(makePrintable) as T;
  if (typeof value !== "object" || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, one]) => [key, makePrintable(one)])) as T;
}
