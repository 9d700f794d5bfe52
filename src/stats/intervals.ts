import { studentQuantile } from "./student.ts";

/** A middle and the limits between which the true value lies with the stated confidence. */
export interface Interval {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

/** The middle value; of an even number of values, the mean of the two in the middle. @throws RangeError without values */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const upper = sorted[sorted.length >> 1];
  const lower = sorted[(sorted.length - 1) >> 1];
  if (upper === undefined || lower === undefined)
    throw new RangeError("median of no values: expected at least one");
  return (lower + upper) / 2;
}

/**
 * The median over the rounds of one entrant, in the unit of the values, with its interval: Student's t on the
 * logarithms; on the values themselves where one of them is not positive. Not a bootstrap, which needs more
 * rounds than anyone runs: over 3 rounds its 95 % holds in 74 % (docs/statistics.md).
 *
 * @param values one per round, all finite
 * @returns null for fewer than two rounds, which say nothing of their spread
 * @source Student, "The probable error of a mean", Biometrika 6(1), 1908; logarithms because a disturbance
 * multiplies a measure rather than adding to it
 */
export function medianInterval(values: readonly number[], confidence = 0.95): Interval | null {
  const positive = values.every((value) => value > 0);
  const spread = measureSpread(positive ? values.map(Math.log) : values);
  if (spread === null) return null;
  const reach = studentQuantile(confidence, spread.degreesOfFreedom) * spread.standardError;
  const low = spread.mean - reach;
  const high = spread.mean + reach;
  if (positive) return enclose(median(values), Math.exp(low), Math.exp(high));
  // A count or a duration can't be below zero, whatever its spread.
  const floor = values.every((value) => value >= 0) ? 0 : Number.NEGATIVE_INFINITY;
  return enclose(median(values), Math.max(floor, low), high);
}

/**
 * Two values that are only known to a step (whole microseconds, pages of memory) may differ by a step without
 * any cause, in every round alike: the doubt that this leaves in the logarithm of their ratio.
 */
export function roundingMargin(step: number, numerator: number, denominator: number): number {
  return (step / 2) * (1 / numerator + 1 / denominator);
}

export interface Spread {
  readonly mean: number;
  readonly variance: number;
  /** Of the mean. */
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

/** Mean and its standard error from independent values; null for fewer than two. */
export function measureSpread(values: readonly number[]): Spread | null {
  if (values.length < 2) return null;
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = values.reduce((sum, value) => sum + (value - mean) ** 2, 0);
  const variance = squares / (values.length - 1);
  return {
    mean,
    variance,
    standardError: Math.sqrt(variance / values.length),
    degreesOfFreedom: values.length - 1,
  };
}

/** From 8 rounds on a median may lie outside limits that were laid around the mean: then they reach to it. */
function enclose(middle: number, low: number, high: number): Interval {
  return { middle, low: Math.min(low, middle), high: Math.max(high, middle) };
}
