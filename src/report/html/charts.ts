import type { Plan } from "../../plan/plan.ts";
import type { Phase, Quantiles, TimelineBucket } from "../../result/schema.ts";
import { median } from "../../stats/intervals.ts";
import { measures, overRounds } from "../measure.ts";
import { okPhases, type Participant, ranPhases, type Section, titleOf } from "../section.ts";
import type { ChartModel, DotChart, LineChart, LinePoint, LineSeries } from "./chart-model.ts";
import type { Colors } from "./color.ts";

/** A phase shorter than this has no course over time worth drawing. */
const fewestSeconds = 3;

/** The charts of one phase, only those that have something to show. */
export interface PhaseCharts {
  readonly latency: LineChart | null;
  /** Connect: how long the steps of opening took. */
  readonly upgrade: DotChart | null;
  readonly receivers: DotChart | null;
  readonly course: readonly LineChart[];
}

export function buildCharts(section: Section, plan: Plan, colors: Colors): PhaseCharts {
  return {
    latency: buildLatency(section, colors),
    upgrade: buildUpgrade(section, colors),
    receivers: buildReceivers(section, colors),
    course: buildCourse(section, plan, colors),
  };
}

export function listCharts({ latency, upgrade, receivers, course }: PhaseCharts): ChartModel[] {
  return [upgrade, latency, receivers, ...course].filter((chart) => chart !== null);
}

/** Percentiles of different rounds are never averaged: at each one the middle round, between the lowest and the highest. */
function buildLatency(section: Section, colors: Colors): LineChart | null {
  const series = section.participants.flatMap((participant) => {
    const curves = okPhases(participant).flatMap(({ latencyUs }) =>
      latencyUs === null ? [] : [latencyUs.curve],
    );
    // The axis is logarithmic, and 0 µs only means less than one.
    const points = mergePoints(
      curves.map((curve) => curve.map(([x, us]) => ({ x, value: Math.max(1, us) }))),
    );
    return seriesOf(participant, points, colors, "ok");
  });
  return series.length === 0
    ? null
    : {
        kind: "lines",
        id: `latency-${section.index}`,
        title: `${titleOf(section)}: latency by percentile`,
        x: "quantile",
        unit: "us",
        scale: "log",
        series,
        level: null,
      };
}

function buildCourse(section: Section, plan: Plan, colors: Colors): LineChart[] {
  // What comes after the load has ended is backlog, and no rate that was held.
  const lastMs = section.kind === "endurance" ? plan.enduranceSeconds * 1000 : Number.POSITIVE_INFINITY;
  const bucketsOf = (phase: Phase) => wholeSeconds(phase, Math.min(phase.durationMs, lastMs));
  const longest = Math.max(
    0,
    ...section.participants.flatMap(ranPhases).map((phase) => bucketsOf(phase).length),
  );
  if (longest < fewestSeconds) return [];
  const offered = section.participants
    .map((participant) => overRounds(participant, measures.offered))
    .find((rate) => rate !== null);
  const course = (
    name: string,
    title: string,
    pick: (bucket: TimelineBucket) => number | null,
    rest: Pick<LineChart, "unit" | "scale"> & Partial<Pick<LineChart, "level">>,
  ): LineChart => ({
    kind: "lines",
    id: `${name}-${section.index}`,
    title: `${titleOf(section)}: ${title}`,
    x: "second",
    level: null,
    ...rest,
    series: section.participants.flatMap((participant) => courseOf(participant, bucketsOf, pick, colors)),
  });
  const charts = [
    course("rate", "deliveries per second", ({ delivered }) => delivered, {
      unit: "perSecond",
      scale: "linear",
      level: offered === undefined ? null : { name: "offered", value: offered },
    }),
    course("p50", "p50 latency", ({ p50Us }) => positive(p50Us), { unit: "us", scale: "log" }),
    course("p99", "p99 latency", ({ p99Us }) => positive(p99Us), { unit: "us", scale: "log" }),
    course(
      "cpu",
      "CPU of the server",
      ({ serverCpuMs }) => (serverCpuMs === null ? null : serverCpuMs / 1000),
      {
        unit: "cores",
        scale: "linear",
      },
    ),
    course("memory", "memory of the server", ({ serverRssBytes }) => serverRssBytes, {
      unit: "bytes",
      scale: "linear",
    }),
  ];
  return charts.filter(({ series }) => series.length > 0);
}

/** Rounds that ended well stand for the entrant; where none did, what there was of the others is shown as such. */
function courseOf(
  participant: Participant,
  bucketsOf: (phase: Phase) => TimelineBucket[],
  pick: (bucket: TimelineBucket) => number | null,
  colors: Colors,
): LineSeries[] {
  const ok = okPhases(participant);
  const phases = ok.length > 0 ? ok : ranPhases(participant);
  const points = mergePoints(
    phases.map((phase) =>
      bucketsOf(phase).flatMap((bucket) => {
        const value = pick(bucket);
        return value === null ? [] : [{ x: bucket.second, value }];
      }),
    ),
  );
  return seriesOf(participant, points, colors, phases[0]?.status ?? "ok");
}

/** One that was cut off by the end of the phase would look like a collapse. */
function wholeSeconds({ timeline }: Phase, endMs: number): TimelineBucket[] {
  return timeline.filter(({ second }) => (second + 1) * 1000 <= endMs);
}

function positive(us: number | null): number | null {
  return us === null ? null : Math.max(1, us);
}

function seriesOf(
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

function buildUpgrade(section: Section, colors: Colors): DotChart | null {
  return buildDots(section, colors, {
    id: `upgrade-${section.index}`,
    title: `${titleOf(section)}: from the HTTP request to the open WebSocket`,
    scale: "log",
    marks: {
      p50: ({ connect }) => connect?.upgradeUs.p50,
      p90: ({ connect }) => connect?.upgradeUs.p90,
      p99: ({ connect }) => connect?.upgradeUs.p99,
      max: ({ connect }) => connect?.upgradeUs.max,
    },
  });
}

function buildReceivers(section: Section, colors: Colors): DotChart | null {
  const p50 = (quantiles: Quantiles | undefined) => quantiles?.p50;
  return buildDots(section, colors, {
    id: `receivers-${section.index}`,
    title: `${titleOf(section)}: when a broadcast had reached its members`,
    scale: "linear",
    marks: {
      "first member": ({ receiversUs }) => p50(receiversUs?.first),
      "median member": ({ receiversUs }) => p50(receiversUs?.median),
      "last member": ({ receiversUs }) => p50(receiversUs?.last),
    },
  });
}

interface Dots extends Pick<DotChart, "id" | "title" | "scale"> {
  readonly marks: Readonly<Record<string, (phase: Phase) => number | null | undefined>>;
}

function buildDots(section: Section, colors: Colors, { marks, ...rest }: Dots): DotChart | null {
  const rows = section.participants.map((participant) => ({
    name: participant.name,
    color: colors.get(participant.name) ?? 0,
    values: Object.values(marks).map((pick) => {
      const values = okPhases(participant)
        .map((phase) => pick(phase) ?? null)
        .filter((value) => value !== null);
      return values.length === 0 ? null : median(values);
    }),
  }));
  const shown = rows.filter(({ values }) => values.some((value) => value !== null));
  return shown.length === 0
    ? null
    : { kind: "dots", unit: "us", marks: Object.keys(marks), rows: shown, ...rest };
}
