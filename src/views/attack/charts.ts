import type { AttackResult } from "../../result/attack.ts";
import type { TimelineBucket } from "../../result/phase.ts";
import type { Block, LineChart, LinePoint } from "../document/block.ts";

/** More points of a line are left out: nobody sees them, and each takes room. */
const mostPoints = 180;

type PickValue = (bucket: TimelineBucket, seconds: number) => number | null;

/** Rates and latencies over time, and latency by percentile. */
export function buildAttackCharts({ timeline, latencyUs, rate, plan }: AttackResult): Block[] {
  const over = (
    frame: Pick<LineChart, "title" | "unit" | "scale" | "level">,
    picks: Readonly<Record<string, PickValue>>,
  ) => {
    const series = Object.entries(picks)
      .map(([name, pick]) => ({ name, points: pointsOf(timeline, pick) }))
      .filter(({ points }) => points.length > 1);
    return chartOf({ ...frame, x: "second" }, series);
  };
  const asked = rate?.askedPerSecond ?? null;
  const isFlat = plan.load.kind === "open" && plan.load.segments.length === 1;
  const level = asked === null || !isFlat ? null : { name: "asked", value: asked };
  return [
    over(
      { title: "messages per second over time", unit: "perSecond", scale: "linear", level },
      {
        sent: ({ sent }, seconds) => sent / seconds,
        answered: ({ delivered }, seconds) => delivered / seconds,
      },
    ),
    over(
      { title: "latency over time", unit: "latency", scale: "log", level: null },
      {
        p50: ({ p50Us }) => atLeastOne(p50Us),
        p99: ({ p99Us }) => atLeastOne(p99Us),
        max: ({ maxUs }) => atLeastOne(maxUs),
      },
    ),
    chartOf({ title: "latency by percentile", unit: "latency", scale: "log", level: null, x: "quantile" }, [
      { name: "latency", points: thin(latencyUs.curve.map(([x, us]) => point(x, Math.max(1, us)))) },
    ]),
  ].flat();
}

function chartOf(
  frame: Pick<LineChart, "title" | "unit" | "scale" | "level" | "x">,
  series: LineChart["series"],
): Block[] {
  const drawn = series.filter(({ points }) => points.length > 1);
  if (drawn.length === 0) return [];
  const contenders = drawn.map(({ name }) => name);
  return [{ kind: "chart", chart: { kind: "lines", ...frame, contenders, series: drawn } }];
}

function pointsOf({ bucketSeconds, buckets }: AttackResult["timeline"], pick: PickValue): LinePoint[] {
  return thin(
    buckets.flatMap((bucket, at) => {
      const value = pick(bucket, bucketSeconds);
      return value === null ? [] : [point(at * bucketSeconds, value)];
    }),
  );
}

function point(x: number, value: number): LinePoint {
  return { x, middle: value, low: value, high: value };
}

/** Every so manieth, and always the last. */
function thin<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / mostPoints);
  return points.filter((_, at) => at % step === 0 || at === points.length - 1);
}

/** A log axis has no zero. */
function atLeastOne(us: number | null): number | null {
  return us === null ? null : Math.max(1, us);
}
