/** What a chart shows, as data: made from a result, embedded in the page, drawn in the browser, and a table besides. */
export type ChartModel = LineChart | DotChart;

/** Decides how values are written: see `chart-format.ts`. */
export type Unit = "us" | "perSecond" | "bytes" | "cores";

export interface LineChart {
  readonly kind: "lines";
  /** Unique in the page. */
  readonly id: string;
  readonly title: string;
  /** `quantile`: 0 to 1, drawn by its nines; `second`: since the phase's start; `perSecond`: the rate offered. */
  readonly x: "quantile" | "second" | "perSecond";
  readonly unit: Unit;
  readonly scale: "linear" | "log";
  readonly series: readonly LineSeries[];
  /** A level to compare with, such as the rate offered. */
  readonly level: { readonly name: string; readonly value: number } | null;
}

export interface LineSeries {
  readonly name: string;
  /** Its colour's number. */
  readonly color: number;
  /** Over the rounds at this place; `low` and `high` are the lowest and the highest round. */
  readonly points: readonly LinePoint[];
  /** How it ended when it did not end well: drawn broken, and said in the name. */
  readonly status: "ok" | "aborted" | "failed" | "void";
}

export interface LinePoint {
  readonly x: number;
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

/** Several values of each entrant on one axis, such as when the first, the median and the last member had a broadcast. */
export interface DotChart {
  readonly kind: "dots";
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  readonly scale: "linear" | "log";
  readonly marks: readonly string[];
  readonly rows: readonly DotRow[];
}

export interface DotRow {
  readonly name: string;
  readonly color: number;
  /** One per mark; null where the sample does not support it. */
  readonly values: readonly (number | null)[];
}

/** The name as it is shown, with how it ended. */
export function seriesLabel({ name, status }: LineSeries): string {
  return status === "ok" ? name : `${name} (${status})`;
}
