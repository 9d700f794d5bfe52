import type { PhaseKind } from "../plan/plan.ts";
import type { Quantiles, RanPhase } from "../result/phase.ts";
import { reaches } from "../stats/histogram.ts";
import { define, type Measure } from "./measure.ts";

type Quantile = "p50" | "p90" | "p99" | "p999" | "max";

const quantileNames: Readonly<Record<Quantile, readonly [string, string, number]>> = {
  p50: ["p50", "Median", 0.5],
  p90: ["p90", "90th percentile of the", 0.9],
  p99: ["p99", "99th percentile of the", 0.99],
  p999: ["p99.9", "99.9th percentile of the", 0.999],
  max: ["max", "Highest", 1],
};

/** Measures of one latency: `name.p50`, …; none in a phase that has no such latency. */
export function quantiles<K extends PhaseKind>(
  kinds: readonly K[],
  name: string,
  header: string,
  what: string,
  wanted: readonly Quantile[],
  of: (phase: Extract<RanPhase, { kind: K }>) => Quantiles | undefined,
  shown: Readonly<Partial<Record<Quantile, readonly PhaseKind[]>>> = {},
): Measure[] {
  return wanted.map((quantile) => {
    const [label, words, share] = quantileNames[quantile];
    return define(kinds, {
      name: `${name}.${label}`,
      header: `${header} ${label}`.trim(),
      meaning: `${words} ${what}.`,
      unit: "latency",
      better: "lower",
      pick: (phase) => of(phase)?.[quantile],
      isBeyondReach: (phase) => {
        const quantiles = of(phase);
        return quantiles !== undefined && !reaches(quantiles, share);
      },
      step: microsecond,
      over: quantile === "max" ? "worst" : "median",
      shown: shown[quantile] ?? [],
    });
  });
}

/** The step in which latencies come. */
export function microsecond(): number {
  return 1;
}
