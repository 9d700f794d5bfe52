import { type Interval, measureSpread, median } from "./intervals.ts";
import { studentCentralShare, studentQuantile } from "./student.ts";

/** How far apart the logarithms of two independent samples are. */
interface Distance {
  readonly difference: number;
  readonly standardError: number;
  readonly degreesOfFreedom: number;
}

/**
 * How many times `before` is `after`, with its interval, where the two were measured in runs of their own: their
 * rounds were not interleaved, so they can't be paired, and what the machine did to one run does not cancel.
 * Welch's t on the logarithms, which lets each run have its own spread.
 *
 * @param before one positive value per round; `after` likewise, of any number of rounds
 * @param margin doubt about the logarithm of the ratio that more rounds don't remove (see `roundingMargin`)
 * @returns the ratio of the medians within those limits; null when either has fewer than two rounds
 * @source B. L. Welch, "The generalization of 'Student's' problem when several different population variances are
 * involved", Biometrika 34, 1947; F. E. Satterthwaite, Biometrics Bulletin 2(6), 1946
 */
export function changeInterval(
  before: readonly number[],
  after: readonly number[],
  confidence = 0.95,
  margin = 0,
): Interval | null {
  const distance = measureDistance(before, after);
  if (distance === null) return null;
  const { difference, standardError, degreesOfFreedom } = distance;
  const reach = studentQuantile(confidence, degreesOfFreedom) * standardError + margin;
  const middle = median(after) / median(before);
  return {
    middle,
    low: Math.min(middle, Math.exp(difference - reach)),
    high: Math.max(middle, Math.exp(difference + reach)),
  };
}

/** One minus the p-value of no change; null when either has fewer than two rounds. */
export function changeClarity(
  before: readonly number[],
  after: readonly number[],
  margin = 0,
): number | null {
  const distance = measureDistance(before, after);
  if (distance === null) return null;
  const beyond = Math.max(0, Math.abs(distance.difference) - margin);
  return beyond === 0 ? 0 : studentCentralShare(beyond / distance.standardError, distance.degreesOfFreedom);
}

function measureDistance(before: readonly number[], after: readonly number[]): Distance | null {
  const first = measureSpread(before.map(Math.log));
  const second = measureSpread(after.map(Math.log));
  if (first === null || second === null) return null;
  const [one, other] = [first.standardError ** 2, second.standardError ** 2];
  const variance = one + other;
  const satterthwaite =
    variance ** 2 / (one ** 2 / first.degreesOfFreedom + other ** 2 / second.degreesOfFreedom);
  return {
    difference: second.mean - first.mean,
    standardError: Math.sqrt(variance),
    // Whole degrees, rounded down: the limits get wider rather than narrower. Without any spread it is 0 / 0.
    degreesOfFreedom:
      variance === 0
        ? first.degreesOfFreedom + second.degreesOfFreedom
        : Math.max(1, Math.floor(satterthwaite)),
  };
}
