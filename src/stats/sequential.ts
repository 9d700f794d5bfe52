import { circleWeight, studentCentralShare, studentQuantile } from "./student.ts";

/** After how many rounds the data are looked at: whole numbers from 2 that rise. One look is a test of fixed size. */
export type Looks = readonly number[];

/**
 * Early looks get less of the error than late ones: at a look after n of N rounds the permitted p-value is
 * proportional to (n / N) to this power. 0 is Pocock's equal levels; large powers are like O'Brien and Fleming's.
 * With 1.5, looks after 3 to 12 rounds take half a round longer than with 0 to find a large difference, and find a
 * small one more often: their last limits are 1.22 times as wide as those of a single look, with 0 they are 1.40 times
 * (docs/statistics.md).
 */
const spendingPower = 1.5;

/** Nodes of the grid of angles (an even number) and of each integral: errors come out right to 1 %, those below 0.001 to 3 %. */
const gridSize = 192;
const gauss = gaussLegendre(32);

const largestScale = 0.45;
const scaleStep = 0.8;

/** A plan of looks and which p-values it permits at each. */
export class Schedule {
  readonly looks: Looks;
  /** By look, how its permitted p-value compares to that of the last. */
  readonly weights: readonly number[];
  /** Logarithms of the error at the scales `largestScale`, and each `scaleStep` times the one before; filled as needed. */
  readonly #logErrors: number[] = [];
  readonly #scales = new Map<number, number>();

  /** @throws RangeError unless the looks are whole numbers from 2 that rise */
  constructor(looks: Looks, power = spendingPower) {
    const rising = looks.every((rounds, at) => Number.isInteger(rounds) && rounds > (looks[at - 1] ?? 1));
    if (looks.length === 0 || !rising) {
      throw new RangeError(
        `looks after ${looks.join(", ")} rounds: expected whole numbers from 2, each larger than the one before`,
      );
    }
    this.looks = looks;
    const last = looks.at(-1) ?? 1;
    this.weights = looks.map((rounds) => (rounds / last) ** power);
  }

  /**
   * What to multiply the weights by to get the one-sided p-values that are significant, such that all looks together
   * claim something false with probability `error`: exactly, for normal noise of any variance. With a single look it
   * is `error` itself.
   *
   * @param error one-sided, above 0 and at most 0.2
   * @source S. J. Pocock, "Group sequential methods in the design and analysis of clinical trials", Biometrika 64, 1977
   * (levels on p-values, of t tests too: those of the normal test, inexact for few rounds, where these are exact);
   * S. K. Wang and A. A. Tsiatis, "Approximately optimal one-parameter boundaries for group sequential trials",
   * Biometrics 43, 1987 (a family by powers, there on critical values)
   */
  scaleFor(error: number): number {
    if (!(error > 0 && error <= 0.2)) {
      throw new RangeError(`one-sided error ${error}: expected a number above 0, at most 0.2`);
    }
    if (this.looks.length === 1) return error;
    const known = this.#scales.get(error) ?? this.#findScale(error);
    this.#scales.set(error, known);
    return known;
  }

  #findScale(error: number): number {
    // The error is nearly a power of the scale: a straight line between logarithms.
    const target = Math.log(error);
    let step = 0;
    while (this.#logErrorAt(step + 1) > target) step++;
    const upper = this.#logErrorAt(step);
    const share = (upper - target) / (upper - this.#logErrorAt(step + 1));
    return largestScale * scaleStep ** (step + share);
  }

  #logErrorAt(step: number): number {
    for (let next = this.#logErrors.length; next <= step; next++) {
      const scale = largestScale * scaleStep ** next;
      const levels = this.weights.map((weight) => scale * weight);
      this.#logErrors.push(Math.log(crossingProbability(this.looks, levels)));
    }
    return this.#logErrors[step] ?? Number.NaN;
  }
}

const schedules = new Map<string, Schedule>();

/** The schedule of these looks, kept: its calibration takes some 100 ms. */
export function scheduleFor(looks: Looks): Schedule {
  const key = looks.join();
  const schedule = schedules.get(key) ?? new Schedule(looks);
  schedules.set(key, schedule);
  return schedule;
}

/**
 * The probability that a one-sided t test of rounds without any true difference is significant at one look or more.
 *
 * Let r be the sum of n independent normal values over the root of n times the sum of their squares, and let its
 * angle be asin(r); Student's t is tan(angle) times the root of n - 1. The direction of the n values in space is
 * uniform and independent of their length and of the next value, so the angles are a Markov chain: with psi the
 * angle of the next value against the length of all, whose density is proportional to cos(psi)^(n-1),
 * sin(next) = (sqrt(n) cos(psi) sin(angle) + sin(psi)) / sqrt(n + 1). The probability of crossing later is computed
 * backwards on a grid of angles.
 *
 * @param levels one-sided p-values, one per look
 * @source the backward recursion is that of P. Armitage, C. K. McPherson and B. C. Rowe, "Repeated significance tests
 * on accumulating data", JRSS A 132(2), 1969, with the chain of t in place of the sum
 */
export function crossingProbability(looks: Looks, levels: readonly number[]): number {
  const [first = 2] = looks;
  const last = looks.at(-1) ?? first;
  let outlook = lookOut(last, criticalAngle(last, levels.at(-1) ?? 0), () => 0);
  for (let rounds = last - 1; rounds >= first; rounds--) {
    const next = outlook;
    const level = levels[looks.indexOf(rounds)] ?? 0;
    outlook = lookOut(rounds, criticalAngle(rounds, level), (angle) => stepOn(rounds, angle, next));
  }
  // Simpson's rule over the angles after the first look, whose density is that of Student's t.
  const { floor, top, values } = outlook;
  let inside = 0;
  values.forEach((value, node) => {
    const weight = node === 0 || node === gridSize ? 1 : node % 2 === 1 ? 4 : 2;
    inside += weight * Math.cos(floor + ((top - floor) * node) / gridSize) ** (first - 2) * value;
  });
  const share = (inside * (top - floor)) / (3 * gridSize) / circleWeight(first - 1);
  return (levels[0] ?? 0) + share + below(floor, first - 1) * (values[0] ?? 0);
}

/** The probability of crossing after a round, by its angle up to the critical one. */
interface Outlook {
  /** t = -6, below which the probability is taken to be that at the floor, which is no less. */
  readonly floor: number;
  /** The critical angle; where there is no look, that of t = 12, above which the probability is taken to be that at it. */
  readonly top: number;
  /** Beyond this angle the series has crossed. */
  readonly ceiling: number;
  readonly values: Float64Array;
}

function lookOut(rounds: number, ceiling: number, probability: (angle: number) => number): Outlook {
  const floor = -Math.atan(6 / Math.sqrt(rounds - 1));
  const top = ceiling === rightAngle ? Math.atan(12 / Math.sqrt(rounds - 1)) : ceiling;
  const values = new Float64Array(gridSize + 1);
  for (let node = 0; node <= gridSize; node++) {
    values[node] = probability(floor + ((top - floor) * node) / gridSize);
  }
  return { floor, top, ceiling, values };
}

/** A right angle, which no series goes beyond, where the round has no look. */
function criticalAngle(rounds: number, level: number): number {
  if (level === 0) return rightAngle;
  return Math.atan(studentQuantile(1 - 2 * level, rounds - 1) / Math.sqrt(rounds - 1));
}

const rightAngle = Math.PI / 2;

/** The probability of crossing at the next round or later, from an angle after `rounds`. */
function stepOn(rounds: number, angle: number, next: Outlook): number {
  const pull = Math.sqrt(rounds) * Math.sin(angle);
  const length = Math.hypot(1, pull);
  const turn = Math.atan(pull);
  const height = (Math.sqrt(rounds + 1) * Math.sin(next.ceiling)) / length;
  // Between these two the next angle is beyond the critical one; beyond the second, one huge value spoils the test.
  const within = (psi: number) => Math.min(Math.max(psi, -rightAngle), rightAngle);
  const from = height >= 1 ? rightAngle : within(Math.asin(height) - turn);
  const to = height >= 1 ? rightAngle : within(Math.PI - Math.asin(height) - turn);
  const onward = (psi: number) => {
    const sine = (length * Math.sin(psi + turn)) / Math.sqrt(rounds + 1);
    return Math.cos(psi) ** (rounds - 1) * interpolate(next, Math.asin(Math.max(-1, Math.min(1, sine))));
  };
  // Ten deviations of the next value either way.
  const far = Math.min(10 / Math.sqrt(rounds), rightAngle);
  const uncrossed = integrate(onward, -far, Math.min(from, far)) + integrate(onward, to, far);
  return below(to, rounds) - below(from, rounds) + uncrossed / circleWeight(rounds);
}

/** Share of the angles of Student's t below one; psi is such an angle, with as many degrees of freedom as rounds. */
function below(psi: number, degreesOfFreedom: number): number {
  if (Math.abs(psi) === rightAngle) return psi < 0 ? 0 : 1;
  const share = studentCentralShare(Math.tan(psi) * Math.sqrt(degreesOfFreedom), degreesOfFreedom);
  return psi < 0 ? (1 - share) / 2 : (1 + share) / 2;
}

/** By the cubic through the four nearest nodes: straight lines would add a little at every round. */
function interpolate({ floor, top, values }: Outlook, angle: number): number {
  const place = Math.min(Math.max(((angle - floor) / (top - floor)) * gridSize, 0), gridSize);
  const node = Math.min(Math.max(Math.floor(place), 1), gridSize - 2);
  const x = place - node;
  const [a, b, c, d] = [values[node - 1], values[node], values[node + 1], values[node + 2]];
  const outer = x * (x - 1) * ((d ?? 0) * (x + 1) - (a ?? 0) * (x - 2));
  const inner = (x + 1) * (x - 2) * ((b ?? 0) * (x - 1) - (c ?? 0) * x);
  return outer / 6 + inner / 2;
}

function integrate(density: (at: number) => number, from: number, to: number): number {
  if (to <= from) return 0;
  const half = (to - from) / 2;
  let sum = 0;
  for (const { at, weight } of gauss) sum += weight * density(from + half * (1 + at));
  return half * sum;
}

/** Nodes and weights on -1 to 1, by Newton's steps on the Legendre polynomial (Abramowitz and Stegun, 25.4.29). */
function gaussLegendre(count: number): { readonly at: number; readonly weight: number }[] {
  return Array.from({ length: count }, (_, index) => {
    let at = Math.cos((Math.PI * (index + 0.75)) / (count + 0.5));
    let slope = 1;
    for (let step = 0; step < 8; step++) {
      let [previous, value] = [1, at];
      for (let degree = 2; degree <= count; degree++) {
        [previous, value] = [value, ((2 * degree - 1) * at * value - (degree - 1) * previous) / degree];
      }
      slope = (count * (at * value - previous)) / (at * at - 1);
      at -= value / slope;
    }
    return { at, weight: 2 / ((1 - at * at) * slope * slope) };
  });
}
