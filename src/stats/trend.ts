import { countIndependent } from "./autocorrelation.ts";
import { studentQuantile } from "./student.ts";

export interface Point {
  /** In the unit of time that the slope is to be per, such as seconds. */
  readonly at: number;
  readonly value: number;
}

/** `slope` is in the unit of the values per unit of time; `steady` when its limits include zero. */
export type Trend =
  | {
      readonly kind: "rising" | "falling" | "steady";
      readonly slope: number;
      readonly low: number;
      readonly high: number;
    }
  | { readonly kind: "unknown"; readonly reason: string };

/** Fewer points can't show how much they depend on each other. */
const fewestPoints = 10;

/**
 * The slope of a series over time (memory, CPU, latency in endurance) by least squares, with limits that allow for
 * points that resemble their predecessor: a heap that grows and is collected, a queue that drains. Such points tell
 * less than as many independent ones, and plain limits would call every other sawtooth a leak. The number of points is
 * replaced by the number of independent ones that tell as much, n (1 - r) / (1 + r), r being the correlation of
 * neighbouring residuals.
 *
 * @param points in the order of time
 * @source B. D. Santer et al., "Statistical significance of trends and trend differences in layer-average atmospheric
 * temperature time series", J. Geophysical Research 105 (D6), 2000, equations 3 to 6
 */
export function measureTrend(points: readonly Point[], confidence = 0.95): Trend {
  if (points.length < fewestPoints) {
    return { kind: "unknown", reason: `${points.length} points, at least ${fewestPoints} are needed` };
  }
  const meanAt = mean(points.map((point) => point.at));
  const meanValue = mean(points.map((point) => point.value));
  const spreadOfTime = sum(points.map(({ at }) => (at - meanAt) ** 2));
  if (spreadOfTime === 0) return { kind: "unknown", reason: "all points are of the same time" };
  const slope = sum(points.map(({ at, value }) => (at - meanAt) * (value - meanValue))) / spreadOfTime;
  const residuals = points.map(({ at, value }) => value - meanValue - slope * (at - meanAt));
  const squares = sum(residuals.map((residual) => residual ** 2));
  const independent = countIndependent(residuals, "line");
  const degreesOfFreedom = Math.floor(independent) - 2;
  if (degreesOfFreedom < 1) {
    return {
      kind: "unknown",
      reason: `${points.length} points so alike their neighbours that they tell no more than ${independent.toFixed(1)} independent ones; a longer phase is needed`,
    };
  }
  const standardError = Math.sqrt(squares / (independent - 2) / spreadOfTime);
  const reach = studentQuantile(confidence, degreesOfFreedom) * standardError;
  const low = slope - reach;
  const high = slope + reach;
  return { kind: low > 0 ? "rising" : high < 0 ? "falling" : "steady", slope, low, high };
}

function mean(values: readonly number[]): number {
  return sum(values) / values.length;
}

function sum(values: readonly number[]): number {
  return values.reduce((total, value) => total + value, 0);
}
