import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { overRounds, valuesOf } from "../../measures/figures.ts";
import type { Unit } from "../../measures/measure.ts";
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
  const contenders = section.participants.map(({ name }) => name);
  const charts: (Chart | null)[] = [
    ...decidingMeasures[section.kind]
      .filter((name) => !judgements.some((one) => one.measure === name && one.outcome === "censored"))
      .slice(0, 2)
      .map((name) => buildBars(section, name, contenders)),
    ...(section.kind === "burst" || section.kind === "endurance" ? [buildLatency(section, contenders)] : []),
    ...(section.kind === "capacity" ? [buildSteps(section, contenders)] : []),
    ...(section.kind === "endurance" ? buildTimelines(section, plan, contenders) : []),
  ];
  return charts.filter((chart) => chart !== null).map((chart) => ({ kind: "chart", chart }));
}

/** Best first, with its interval from three rounds on. */
function buildBars({ participants }: Section, name: string, contenders: readonly string[]): BarChart | null {
  const measure = measureOf(name);
  const bars = participants
    .flatMap((participant) => {
      const value = overRounds(participant, measure);
      const bound = value ?? boundOf(participant, name);
      if (bound === null) return [];
      const values = valuesOf(participant, measure).filter((one) => one !== null);
      const interval = values.length < roundsForInterval ? null : medianInterval(values);
      return [
        {
          name: participant.name,
          value: bound,
          low: interval?.low ?? null,
          high: interval?.high ?? null,
          prefix: value === null ? "≥ " : "",
        },
      ];
    })
    .sort((a, b) => (measure.better === "higher" ? b.value - a.value : a.value - b.value));
  if (bars.length < 2) return null;
  const better = measure.better === "higher" ? "more is better" : "less is better";
  return { kind: "bars", title: `${measure.header} (${better})`, unit: measure.unit, contenders, bars };
}

function boundOf(participant: Participant, name: string): number | null {
  if (name !== "capacity") return null;
  const rates = okPhases(participant).flatMap((phase) =>
    phase.kind === "capacity" ? (phase.capacity.ratePerSecond ?? []) : [],
  );
  return rates.length === 0 ? null : Math.max(...rates);
}

/** Percentiles of different rounds are never averaged: at each one the middle round, between the lowest and the highest. */
function buildLatency({ participants }: Section, contenders: readonly string[]): LineChart | null {
  const series = participants.map((participant) => ({
    name: participant.name,
    points: mergePoints(
      okPhases(participant).map((phase) =>
        phase.kind === "burst" || phase.kind === "endurance"
          ? thin(phase.latencyUs.curve).map(([x, us]) => ({ x, value: atLeastOne(us) }))
          : [],
      ),
    ),
  }));
  return lines(
    { title: "latency by percentile", unit: "latency", contenders, x: "quantile", scale: "log" },
    series,
  );
}

/** The last try of each rate. */
function buildSteps({ participants }: Section, contenders: readonly string[]): LineChart | null {
  const series = participants.map((participant) => ({
    name: participant.name,
    points: mergePoints(
      okPhases(participant).map((phase) => {
        const steps = phase.kind === "capacity" ? phase.capacity.steps : [];
        const byRate = new Map(steps.map((step) => [step.ratePerSecond, step.p99Us]));
        return [...byRate]
          .sort(([a], [b]) => a - b)
          .flatMap(([x, p99Us]) => (p99Us === null ? [] : [{ x, value: atLeastOne(p99Us) }]));
      }),
    ),
  }));
  const limits = participants
    .flatMap(okPhases)
    .flatMap((phase) => (phase.kind === "capacity" ? [phase.capacity.p99LimitMs * 1000] : []));
  const [limit] = limits;
  return lines(
    {
      title: "p99 by offered rate",
      unit: "latency",
      contenders,
      x: "perSecond",
      scale: "log",
      ...(limit === undefined ? {} : { level: { name: "limit", value: limit } }),
    },
    series,
  );
}

interface Timeline {
  readonly title: string;
  readonly unit: Unit;
  readonly scale: LineChart["scale"];
  readonly pick: (bucket: TimelineBucket, bucketSeconds: number) => number | null;
}

const timelines: readonly Timeline[] = [
  {
    title: "deliveries per second over time",
    unit: "perSecond",
    scale: "linear",
    pick: ({ delivered }, seconds) => delivered / seconds,
  },
  {
    title: "p99 latency over time",
    unit: "latency",
    scale: "log",
    pick: ({ p99Us }) => (p99Us === null ? null : atLeastOne(p99Us)),
  },
  {
    title: "server memory over time",
    unit: "bytes",
    scale: "linear",
    pick: ({ serverRssBytes }) => serverRssBytes,
  },
];

function buildTimelines(
  { participants }: Section,
  { enduranceSeconds, enduranceRatePerSecond }: Plan,
  contenders: readonly string[],
): (LineChart | null)[] {
  if (enduranceSeconds < fewestSeconds) return [];
  return timelines.map(({ title, unit, scale, pick }) =>
    lines(
      {
        title,
        unit,
        contenders,
        x: "second",
        scale,
        ...(unit === "perSecond" ? { level: { name: "target", value: enduranceRatePerSecond } } : {}),
      },
      participants.map((participant) => ({
        name: participant.name,
        points: mergePoints(
          okPhases(participant).map((phase) => timelinePoints(phase, enduranceSeconds, pick)),
        ),
      })),
    ),
  );
}

/** Whole buckets of the load: one that its end cut off would look like a collapse, and what follows is backlog. */
function timelinePoints(phase: RanPhase, loadSeconds: number, pick: Timeline["pick"]): Point[] {
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

function lines(
  of: Pick<LineChart, "title" | "unit" | "contenders" | "x" | "scale"> & Partial<Pick<LineChart, "level">>,
  series: LineChart["series"],
): LineChart | null {
  const drawn = series.filter(({ points }) => points.length > 1);
  return drawn.length === 0 ? null : { kind: "lines", level: null, ...of, series: drawn };
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
