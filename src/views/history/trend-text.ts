import { formatMeasure } from "../../measures/measure.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import { type Column, renderText, type Table } from "../../text/table.ts";
import type { Change } from "../compare/change.ts";
import { describeChange, explainChange, formatChange, formatLimits } from "../compare/change-text.ts";
import type { HistoryRun } from "./history.ts";
import type { Trend } from "./trend.ts";

const statuses = { finished: "finished", aborted: "stopped early", running: "not finished" } as const;
/** More runs than these are not drawn. */
const mostBars = 30;

/** All runs, one a line. */
export function renderRuns(runs: readonly HistoryRun[], width: number): string[] {
  const rows = runs.map(({ id, plan, rounds, status, contenders, environment: { cpuModel, cpuCount } }) => [
    id,
    plan.preset,
    String(rounds),
    statuses[status],
    contenders.join(", "),
    `${cpuModel}, ${format.plural(cpuCount, "CPU")}`,
  ]);
  return renderText(tableOf(["run", "preset", ">rounds", "status", "contenders", "machine"], rows), {
    width,
  });
}

/** One line per trend. */
export function renderTrends(trends: readonly Trend[], width: number): string[] {
  const isAnyLeftOut = trends.some(({ otherConditions }) => otherConditions > 0);
  const rows = trends.map(({ points, change, otherConditions }) => {
    const figures = points.map(({ figure }) => figure);
    const values = figures.map(({ value }) => value ?? 0);
    const { measure, phase } = points[0].figure;
    const [first, last] = [values[0] ?? 0, values.at(-1) ?? 0];
    const step = Math.max(...figures.map((figure) => figure.step));
    return [
      `${phase} ${measure.name}`,
      drawTrend(values.slice(-mostBars)),
      formatMeasure(measure, first, step),
      formatMeasure(measure, last, step),
      values.length < 2 || first <= 0 ? format.unknown : formatChange(last / first),
      String(values.length),
      ...(isAnyLeftOut ? [otherConditions === 0 ? "" : String(otherConditions)] : []),
      describeStep(change),
    ];
  });
  const leftOut = isAnyLeftOut ? [">left out"] : [];
  const headers = ["phase, measure", "trend", ">first", ">last", ">change", ">runs", ...leftOut, "last step"];
  return renderText(tableOf(headers, rows), { width });
}

/** The runs of one trend with their numbers. */
export function renderPoints({ points }: Trend, width: number): string[] {
  const { measure } = points[0].figure;
  const rows = points.map(({ run, figure: { value, values, step } }) => [
    run.id,
    formatMeasure(measure, value, step),
    String(values.length),
    values.map((one) => formatMeasure(measure, one, step)).join(" "),
  ]);
  return renderText(tableOf(["run", `>${measure.name}`, ">rounds", "each round"], rows), { width });
}

/** @param headers with `>` before those of columns that are set to the right */
function tableOf(headers: readonly string[], rows: readonly (readonly string[])[]): Table {
  const columns = headers.map(
    (header): Column =>
      header.startsWith(">") ? { header: header.slice(1), align: "right" } : { header, align: "left" },
  );
  return {
    columns,
    rows: rows.map((cells) => ({ cells: cells.map((text) => ({ text: printable(text) })) })),
  };
}

function describeStep(change: Change | null): string {
  if (change === null) return format.unknown;
  const { ratio, limits, kind } = change;
  if (limits === null) return `${describeChange(change)}, ${explainChange(change) ?? kind}`;
  return `${formatChange(ratio)} (${formatLimits(limits)}), ${kind.replaceAll("-", " ")}`;
}

const bars = "▁▂▃▄▅▆▇█";
/** At least this share of the highest value is shown as the whole height: less would make noise look like a change. */
const leastSpan = 0.2;

/** One character per value, from the lowest to the highest and not from zero: what counts is what became of it. */
export function drawTrend(values: readonly number[]): string {
  const highest = Math.max(...values);
  const floor = Math.max(0, Math.min(...values, highest * (1 - leastSpan)));
  const span = highest - floor;
  const height = (value: number) => (span === 0 ? 0 : Math.floor(((value - floor) / span) * bars.length));
  return values.map((value) => bars[Math.min(bars.length - 1, height(value))]).join("");
}

/** A trend as data: everything in the unit of its measure. */
export function trendToJson({ points, change, otherConditions }: Trend) {
  const { contender, phase, measure } = points[0].figure;
  return {
    contender,
    phase,
    measure: measure.name,
    unit: measure.unit,
    runs: points.map(({ run, figure: { value, values } }) => ({ id: run.id, value, rounds: values })),
    lastChange:
      change === null
        ? null
        : { kind: change.kind, ratio: change.ratio, limits: change.limits, reason: explainChange(change) },
    otherConditions,
  };
}
