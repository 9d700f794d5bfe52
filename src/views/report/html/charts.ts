import type { Plan } from "../../../plan/plan.ts";
import type { Phase, Quantiles } from "../../../result/schema.ts";
import { median } from "../../../stats/intervals.ts";
import { okPhases, type Section, titleOf } from "../section.ts";
import { buildSearchChart } from "./capacity.ts";
import type { ChartModel, DotChart, LineChart } from "./chart-model.ts";
import type { Colors } from "./color.ts";
import { buildCourse } from "./course.ts";
import { mergePoints, seriesOf } from "./line-series.ts";

/** The charts of one phase, only those that have something to show. */
export interface PhaseCharts {
  readonly latency: LineChart | null;
  /** Connect: how long the steps of opening took. */
  readonly upgrade: DotChart | null;
  readonly receivers: DotChart | null;
  /** Capacity only. */
  readonly search: LineChart | null;
  readonly course: readonly LineChart[];
}

export function buildCharts(section: Section, plan: Plan, colors: Colors): PhaseCharts {
  return {
    latency: buildLatency(section, colors),
    upgrade: buildUpgrade(section, colors),
    receivers: buildReceivers(section, colors),
    search: buildSearchChart(section, colors),
    course: buildCourse(section, plan, colors),
  };
}

export function listCharts({ latency, upgrade, receivers, search, course }: PhaseCharts): ChartModel[] {
  return [search, upgrade, latency, receivers, ...course].filter((chart) => chart !== null);
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
