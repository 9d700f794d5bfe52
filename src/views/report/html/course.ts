import type { Plan } from "../../../plan/plan.ts";
import type { Phase, TimelineBucket } from "../../../result/schema.ts";
import { measures, overRounds } from "../measure.ts";
import { okPhases, type Participant, ranPhases, type Section, titleOf } from "../section.ts";
import type { LineChart, LineSeries } from "./chart-model.ts";
import type { Colors } from "./color.ts";
import { mergePoints, seriesOf } from "./line-series.ts";

/** A phase shorter than this has no course over time worth drawing. */
const fewestSeconds = 3;
/** More are put together: nobody sees them, and each is a row of a table. */
const mostPoints = 180;

interface Course {
  readonly name: string;
  readonly title: string;
  readonly unit: LineChart["unit"];
  readonly scale: LineChart["scale"];
  readonly pick: (bucket: TimelineBucket) => number | null;
  /** What stands for several seconds: percentiles are never averaged. */
  readonly together: "mean" | "worst";
}

const courses: readonly Course[] = [
  {
    name: "rate",
    title: "deliveries per second",
    unit: "perSecond",
    scale: "linear",
    pick: ({ delivered }) => delivered,
    together: "mean",
  },
  {
    name: "p50",
    title: "p50 latency",
    unit: "us",
    scale: "log",
    pick: ({ p50Us }) => positive(p50Us),
    together: "worst",
  },
  {
    name: "p99",
    title: "p99 latency",
    unit: "us",
    scale: "log",
    pick: ({ p99Us }) => positive(p99Us),
    together: "worst",
  },
  {
    name: "cpu",
    title: "CPU of the server",
    unit: "cores",
    scale: "linear",
    pick: ({ serverCpuMs }) => (serverCpuMs === null ? null : serverCpuMs / 1000),
    together: "mean",
  },
  {
    name: "memory",
    title: "memory of the server",
    unit: "bytes",
    scale: "linear",
    pick: ({ serverRssBytes }) => serverRssBytes,
    together: "worst",
  },
];

/** What a phase did second by second; nothing for a short one. */
export function buildCourse(section: Section, plan: Plan, colors: Colors): LineChart[] {
  // What comes after the load has ended is backlog, and no rate that was held.
  const loadMs = section.kind === "endurance" ? plan.enduranceSeconds * 1000 : Number.POSITIVE_INFINITY;
  const bucketsOf = (phase: Phase) => wholeSeconds(phase, Math.min(phase.durationMs, loadMs));
  const seconds = Math.max(
    0,
    ...section.participants.flatMap(ranPhases).map((phase) => bucketsOf(phase).length),
  );
  if (seconds < fewestSeconds) return [];
  const step = Math.ceil(seconds / mostPoints);
  const offered = section.participants
    .map((participant) => overRounds(participant, measures.offered))
    .find((rate) => rate !== null);
  const charts = courses.map(({ name, title, unit, scale, ...course }): LineChart => {
    const steps = step > 1 ? `, the ${course.together} of each ${step} s` : "";
    return {
      kind: "lines",
      id: `${name}-${section.index}`,
      title: `${titleOf(section)}: ${title}${steps}`,
      x: "second",
      unit,
      scale,
      level: name === "rate" && offered !== undefined ? { name: "offered", value: offered } : null,
      series: section.participants.flatMap((participant) =>
        courseOf(participant, (phase) => putTogether(bucketsOf(phase), course, step), colors),
      ),
    };
  });
  return charts.filter(({ series }) => series.length > 0);
}

/** Rounds that ended well stand for the entrant; where none did, what there was of the others is shown as such. */
function courseOf(
  participant: Participant,
  pointsOf: (phase: Phase) => { x: number; value: number }[],
  colors: Colors,
): LineSeries[] {
  const ok = okPhases(participant);
  const phases = ok.length > 0 ? ok : ranPhases(participant);
  return seriesOf(participant, mergePoints(phases.map(pointsOf)), colors, phases[0]?.status ?? "ok");
}

function putTogether(
  buckets: readonly TimelineBucket[],
  { pick, together }: Pick<Course, "pick" | "together">,
  step: number,
): { x: number; value: number }[] {
  const steps = Map.groupBy(buckets, ({ second }) => Math.floor(second / step) * step);
  return [...steps].flatMap(([x, group]) => {
    const values = group.map(pick).filter((value) => value !== null);
    if (values.length === 0) return [];
    const value =
      together === "worst"
        ? Math.max(...values)
        : values.reduce((sum, each) => sum + each, 0) / values.length;
    return [{ x, value }];
  });
}

/** One that was cut off by the end of the phase would look like a collapse. */
function wholeSeconds({ timeline }: Phase, endMs: number): TimelineBucket[] {
  return timeline.filter(({ second }) => (second + 1) * 1000 <= endMs);
}

/** A log axis has no zero, and 0 µs only means less than one. */
function positive(us: number | null): number | null {
  return us === null ? null : Math.max(1, us);
}
