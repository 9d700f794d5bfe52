import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { overRounds, valuesOf } from "../../measures/figures.ts";
import { okPhases, type Participant, type Section } from "../../measures/sections.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Judgement } from "../../result/judgement.ts";
import type { RanPhase, TimelineBucket } from "../../result/phase.ts";
import { median, medianInterval } from "../../stats/intervals.ts";
import type { BarChart, Block, Chart, LineChart, LinePoint } from "./block.ts";

/** More points of a line are put together: nobody sees them, and each takes room. */
const mostPoints = 180;
const fewestSeconds = 3;
const roundsForInterval = 3;

/** The charts of one phase, only those that show something that the table does not. */
export function buildCharts(section: Section, plan: Plan, judgements: readonly Judgement[]): Block[] {
  const charts: (Chart | null)[] = [
    ...decidingMeasures[section.kind]
      .filter((name) => {
        const told = judgements.filter((one) => one.measure === name);
        return told.length === 0 || told.some(({ outcome }) => outcome !== "censored");
      })
      .slice(0, 2)
      .map((name) => buildBars(section, name)),
    ...(section.kind === "burst" || section.kind === "endurance" ? [buildLatency(section)] : []),
    ...(section.kind === "capacity" ? [buildSteps(section)] : []),
    ...(section.kind === "endurance" ? buildTimelines(section, plan) : []),
  ];
  return charts.filter((chart) => chart !== null).map((chart) => ({ kind: "chart", chart }));
}

/** Best first, with its interval from three rounds on. */
function buildBars({ participants }: Section, name: string): BarChart | null {
  const measure = measureOf(name);
  const bars = participants
    .flatMap((participant) => {
      const value = overRounds(participant, measure);
      const bound = value ?? boundOf(participant, name);
      if (bound === null) return [];
      const values = valuesOf(participant, measure).filter((one) => one !== null);
      const interval = values.length < roundsForInterval ? null : medianInterval(values);
      const { low = null, high = null } = interval ?? {};
      return [{ name: participant.name, value: bound, low, high, prefix: value === null ? "≥ " : "" }];
    })
    .sort((a, b) => (measure.better === "higher" ? b.value - a.value : a.value - b.value));
  if (bars.length < 2) return null;
  const title = `${measure.header} (${measure.better === "higher" ? "more" : "less"} is better)`;
  return { kind: "bars", title, unit: measure.unit, contenders: participants.map(({ name }) => name), bars };
}

function boundOf(participant: Participant, name: string): number | null {
  if (name !== "capacity") return null;
  const rates = okPhases(participant).flatMap((phase) =>
    phase.kind === "capacity" ? (phase.capacity.ratePerSecond ?? []) : [],
  );
  return rates.length === 0 ? null : Math.max(...rates);
}

/** Percentiles of different rounds are never averaged: at each one the middle round, between the lowest and the highest. */
function buildLatency(section: Section): LineChart | null {
  const frame = { title: "latency by percentile", unit: "latency", x: "quantile", scale: "log" } as const;
  return lines(section, frame, (phase) =>
    phase.kind === "burst" || phase.kind === "endurance"
      ? thin(phase.latencyUs.curve).map(([x, us]) => ({ x, value: atLeastOne(us) }))
      : [],
  );
}

/** The last try of each rate. */
function buildSteps(section: Section): LineChart | null {
  const searches = section.participants
    .flatMap(okPhases)
    .flatMap((phase) => (phase.kind === "capacity" ? [phase.capacity] : []));
  const limitMs = searches[0]?.p99LimitMs;
  const level = limitMs === undefined ? null : { name: "limit", value: limitMs * 1000 };
  const frame = {
    title: "p99 by offered rate",
    unit: "latency",
    x: "perSecond",
    scale: "log",
    level,
  } as const;
  return lines(section, frame, (phase) => {
    const steps = phase.kind === "capacity" ? phase.capacity.steps : [];
    const byRate = new Map(steps.map((step) => [step.ratePerSecond, step.p99Us]));
    return [...byRate]
      .sort(([a], [b]) => a - b)
      .flatMap(([x, p99Us]) => (p99Us === null ? [] : [{ x, value: atLeastOne(p99Us) }]));
  });
}

function buildTimelines(section: Section, plan: Plan): (LineChart | null)[] {
  const { enduranceSeconds, enduranceRatePerSecond } = plan;
  if (enduranceSeconds < fewestSeconds) return [];
  const over = (frame: Omit<Frame, "x">, pick: (bucket: TimelineBucket, seconds: number) => number | null) =>
    lines(section, { ...frame, x: "second" }, (phase) => timelinePoints(phase, enduranceSeconds, pick));
  const level = { name: "target", value: enduranceRatePerSecond };
  return [
    over(
      { title: "deliveries per second over time", unit: "perSecond", scale: "linear", level },
      ({ delivered }, seconds) => delivered / seconds,
    ),
    over({ title: "p99 latency over time", unit: "latency", scale: "log" }, ({ p99Us }) =>
      p99Us === null ? null : atLeastOne(p99Us),
    ),
    over(
      { title: "server memory over time", unit: "bytes", scale: "linear" },
      ({ serverRssBytes }) => serverRssBytes,
    ),
  ];
}

/** Whole buckets of the load: one that its end cut off would look like a collapse, and what follows is backlog. */
function timelinePoints(
  phase: RanPhase,
  loadSeconds: number,
  pick: (bucket: TimelineBucket, bucketSeconds: number) => number | null,
): Point[] {
  if (phase.kind !== "endurance") return [];
  const { bucketSeconds, buckets } = phase.timeline;
  const whole = buckets.filter((_, at) => (at + 1) * bucketSeconds <= loadSeconds);
  const points = whole.flatMap((bucket, at) => {
    const value = pick(bucket, bucketSeconds);
    return value === null ? [] : [{ x: at * bucketSeconds, value }];
  });
  return thin(points);
}

interface Point {
  readonly x: number;
  readonly value: number;
}

type Frame = Pick<LineChart, "title" | "unit" | "x" | "scale"> & Partial<Pick<LineChart, "level">>;

/** A line for each participant, of the points of its rounds; null where nobody has any. */
function lines(
  { participants }: Section,
  frame: Frame,
  pointsOf: (phase: RanPhase) => readonly Point[],
): LineChart | null {
  const series = participants
    .map((one) => ({ name: one.name, points: mergePoints(okPhases(one).map(pointsOf)) }))
    .filter(({ points }) => points.length > 1);
  if (series.length === 0) return null;
  return { kind: "lines", level: null, ...frame, contenders: participants.map(({ name }) => name), series };
}

/** At each place that most rounds have: the median, the lowest and the highest round. */
function mergePoints(rounds: readonly (readonly Point[])[]): LinePoint[] {
  const known = rounds.filter((points) => points.length > 0);
  const places = Map.groupBy(known.flat(), ({ x }) => x);
  return [...places]
    .filter(([, points]) => points.length * 2 > known.length)
    .map(([x, points]) => {
      const values = points.map(({ value }) => value);
      return { x, middle: median(values), low: Math.min(...values), high: Math.max(...values) };
    })
    .sort((a, b) => a.x - b.x);
}

/** Every so manieth, and always the last. */
function thin<T>(points: readonly T[]): T[] {
  const step = Math.ceil(points.length / mostPoints);
  return points.filter((_, at) => at % step === 0 || at === points.length - 1);
}

/** A log axis has no zero, and 0 µs only means less than one. */
function atLeastOne(us: number): number {
  return Math.max(1, us);
}
