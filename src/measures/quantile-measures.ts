import type { PhaseKind } from "../plan/plan.ts";
import type { Quantiles, RanPhase } from "../result/phase.ts";
import { define, type Measure } from "./measure.ts";

type Quantile = "p50" | "p90" | "p99" | "p999" | "max";

const quantileNames: Readonly<Record<Quantile, readonly [string, string]>> = {
  p50: ["p50", "Median"],
  p90: ["p90", "90th percentile of the"],
  p99: ["p99", "99th percentile of the"],
  p999: ["p99.9", "99.9th percentile of the"],
  max: ["max", "Highest"],
};

/** Measures of one latency: `name.p50`, … */
export function quantiles<K extends PhaseKind>(
  kinds: readonly K[],
  name: string,
  header: string,
  what: string,
  wanted: readonly Quantile[],
  of: (phase: Extract<RanPhase, { kind: K }>) => Quantiles,
  shown: Readonly<Partial<Record<Quantile, readonly PhaseKind[]>>> = {},
): Measure[] {
  return wanted.map((quantile) => {
    const [label, words] = quantileNames[quantile];
    return define(kinds, {
      name: `${name}.${label}`,
      header: `${header} ${label}`.trim(),
      meaning: `${words} ${what}.`,
      unit: "latency",
      better: "lower",
      pick: (phase) => of(phase)[quantile],
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
