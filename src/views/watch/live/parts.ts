import { formatMeasure } from "../../../measures/measure.ts";
import type { LineChart } from "../../document/block.ts";
import { renderFigure } from "../../render/chart.ts";
import { html, type Markup } from "../../render/markup.ts";

/** More would only make each update longer. */
const mostPoints = 240;

/** A course with a moment more; of too many every other one goes. */
export function addPoint<Point>(course: readonly Point[], point: Point): readonly Point[] {
  const longer = [...course, point];
  return longer.length > mostPoints ? longer.filter((_, index) => index % 2 === 0) : longer;
}

export function renderNumberList(
  numbers: readonly { readonly label: string; readonly value: string; readonly isBad?: boolean }[],
): Markup {
  return html`<dl>${numbers.map(
    ({ label, value, isBad = false }) =>
      html`<div class="${isBad ? "bad" : ""}"><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>`;
}

export function renderWarnings(warnings: readonly string[]): Markup {
  if (warnings.length === 0) return html``;
  return html`<h2>Warnings</h2><ul>${warnings.map((text) => html`<li>${text}</li>`)}</ul>`;
}

type Unit = "perSecond" | "latency" | "count";

/** Lines that grow, told in words by where they are now. A value that is not known is left out. */
export function renderCourse<Point extends { readonly second: number }>(
  title: string,
  unit: Unit,
  lines: readonly {
    readonly name: string;
    readonly course: readonly Point[];
    readonly pick: (point: Point) => number | null;
  }[],
): Markup {
  const series = lines.map(({ name, course, pick }) => ({
    name,
    points: course.flatMap((point) => {
      const value = pick(point);
      if (value === null) return [];
      // A log axis has no zero.
      const middle = unit === "latency" ? Math.max(1, value) : value;
      return [{ x: point.second, middle, low: middle, high: middle }];
    }),
  }));
  const drawn = series.filter(({ points }) => points.length > 0);
  const last = drawn.map(
    ({ name, points }) => `${name}: ${formatMeasure({ unit }, points.at(-1)?.middle ?? 0)}`,
  );
  const chart: LineChart = {
    kind: "lines",
    title,
    unit,
    contenders: series.map(({ name }) => name),
    x: "second",
    scale: unit === "latency" ? "log" : "linear",
    series: drawn,
    level: null,
  };
  return renderFigure(chart, `last: ${last.join(", ") || "nothing yet"}`);
}
