import * as format from "../../text/format.ts";
import { renderText } from "../../text/table.ts";
import type { HistoryFigure } from "../history/history.ts";
import { drawSparkline } from "../watch/terminal/sparkline.ts";
import { type Change, judgeChanges } from "./change.ts";
import { formatChange } from "./comparison.ts";
import { formatLimits } from "./fail-on.ts";
import { type Figure, type NamedMeasure, type NamedPhase, namedMeasures, writeValue } from "./measures.ts";

/** One measure of one contender in one phase, over all runs that had the same plan on the same machine. */
export interface Trend {
  readonly contender: string;
  readonly phase: string;
  readonly measure: NamedMeasure;
  /** At least one, oldest first. */
  readonly points: readonly HistoryFigure[];
  /** Of the last run against the one before; null for a single run. */
  readonly change: Change | null;
  /** Runs left out for another plan or machine than the last one's. */
  readonly otherConditions: number;
}

/** The trends of one contender, in the order of phases and measures. */
export function listTrends(
  figures: readonly HistoryFigure[],
  phases: readonly NamedPhase[],
  isWanted: (phase: NamedPhase, measure: NamedMeasure) => boolean,
): Trend[] {
  return phases.flatMap((phase) =>
    namedMeasures.flatMap((measure) => {
      const all = figures.filter((figure) => figure.phase === phase.name && figure.measure === measure.name);
      const last = all.at(-1);
      if (last === undefined || !isWanted(phase, measure)) return [];
      const points = all.filter(({ run }) => run.conditions === last.run.conditions);
      return [
        {
          contender: last.contender,
          phase: phase.name,
          measure,
          points,
          change: lastChange(points, measure),
          otherConditions: all.length - points.length,
        },
      ];
    }),
  );
}

function lastChange(points: readonly HistoryFigure[], measure: NamedMeasure): Change | null {
  const [before, after] = points.slice(-2);
  if (before === undefined || after === undefined) return null;
  const figure = ({ contender, phase, value, values, step }: HistoryFigure): Figure => {
    return { contender, phase, measure, values, value, missing: null, step };
  };
  const [change] = judgeChanges([{ before: figure(before), after: figure(after), obstacle: null }]);
  return change ?? null;
}

/** At least this share of the highest value is shown as the whole height: less would make noise look like a change. */
const leastSpan = 0.2;

/** Bars from the lowest to the highest value, not from zero: what counts is what became of it. */
export function drawTrend(values: readonly number[]): string {
  const highest = Math.max(...values);
  const floor = Math.max(0, Math.min(Math.min(...values), highest * (1 - leastSpan)));
  return drawSparkline(values.map((value) => value - floor));
}

/** One line per trend. */
export function renderTrends(trends: readonly Trend[], columns: number): string[] {
  const isAnyLeftOut = trends.some(({ otherConditions }) => otherConditions > 0);
  const rows = trends.map(({ phase, measure, points, change, otherConditions }) => {
    const values = points.map(({ value }) => value);
    const [first = null] = values;
    const last = values.at(-1) ?? null;
    const step = Math.max(...points.map((point) => point.step));
    const cells = [
      `${phase} ${measure.name}`,
      drawTrend(values.slice(-30)),
      writeValue(measure, first, step),
      writeValue(measure, last, step),
      first === null || last === null || values.length < 2 || first <= 0
        ? format.unknown
        : formatChange(last / first),
      String(points.length),
      ...(isAnyLeftOut ? [otherConditions === 0 ? "" : String(otherConditions)] : []),
      describeChange(change),
    ];
    return { cells: cells.map((text) => ({ text })) };
  });
  const right = (header: string) => ({ header, align: "right" as const });
  const left = (header: string) => ({ header, align: "left" as const });
  const headers = [
    left("phase, measure"),
    left("trend"),
    right("first"),
    right("last"),
    right("change"),
    right("runs"),
    ...(isAnyLeftOut ? [right("left out")] : []),
    left("last step"),
  ];
  return renderText({ columns: headers, rows }, { width: columns });
}

/** The runs of one trend with their numbers. */
export function renderPoints({ measure, points }: Trend, columns: number): string[] {
  const rows = points.map(({ run, value, values, step }) => ({
    cells: [
      { text: run.id },
      { text: writeValue(measure, value, step) },
      { text: String(values.length) },
      { text: values.map((one) => writeValue(measure, one, step)).join(" ") },
    ],
  }));
  return renderText(
    {
      columns: [
        { header: "run", align: "left" },
        { header: measure.name, align: "right" },
        { header: "rounds", align: "right" },
        { header: "each", align: "left" },
      ],
      rows,
    },
    { width: columns },
  );
}

function describeChange(change: Change | null): string {
  if (change === null) return format.unknown;
  if (change.limits === null) return `${formatChange(change.ratio)}, ${change.reason}`;
  return `${formatChange(change.ratio)} (${formatLimits(change.limits)}), ${change.kind.replaceAll("-", " ")}`;
}
