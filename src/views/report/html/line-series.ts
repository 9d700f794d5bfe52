import type { Phase } from "../../../result/schema.ts";
import { median } from "../../../stats/intervals.ts";
import type { Participant } from "../section.ts";
import type { LinePoint, LineSeries } from "./chart-model.ts";
import type { Colors } from "./color.ts";

/** None without points. */
export function seriesOf(
  { name }: Participant,
  points: readonly LinePoint[],
  colors: Colors,
  status: Phase["status"],
): LineSeries[] {
  return points.length === 0 ? [] : [{ name, color: colors.get(name) ?? 0, points, status }];
}

/** One list per round, each in the order of its places. */
export function mergePoints(rounds: readonly (readonly { x: number; value: number }[])[]): LinePoint[] {
  const places = Map.groupBy(rounds.flat(), ({ x }) => x);
  return [...places]
    .sort(([a], [b]) => a - b)
    .map(([x, points]) => {
      const values = points.map(({ value }) => value);
      return { x, middle: median(values), low: Math.min(...values), high: Math.max(...values) };
    });
}
