import { measureSpread, median, type Spread } from "./intervals.ts";
import { apartAtOnce, equalAtOnce, type FalseAtOnce } from "./multiplicity.ts";
import { type Looks, type Schedule, scheduleFor } from "./sequential.ts";
import { studentCentralShare, studentQuantile } from "./student.ts";

/** Two contenders in the rounds so far. */
export interface PairRounds {
  readonly first: string;
  readonly second: string;
  /** By round, at its place: the natural logarithm of how many times better `first` is; null where either has no value. */
  readonly logRatios: readonly (number | null)[];
  /** Doubt about each logarithm that more rounds don't remove (`roundingMargin`). */
  readonly doubt?: number;
  /** A difference as a logarithm that the ratios may hide: so much nearer to each other they must be to be equivalent. */
  readonly hidden?: number;
}

export interface Terms {
  /** Differences up to this share don't matter: 0.05 for ratios from 1 / 1.05 to 1.05. */
  readonly margin: number;
  /** After how many rounds the data are looked at, fixed before the first look; the last is the most that are run. */
  readonly looks: Looks;
  /** Rounds so far; looks after more rounds are still to come. */
  readonly look: number;
  readonly confidence?: number;
}

/**
 * - `leads`: the interval of the ratio excludes 1.
 * - `equivalent`: the two differ by no more than the margin; the interval lies within it.
 * - `undecided`: neither can be said.
 * - `early`: fewer rounds in common than the first look asks for, or one: a ratio and no claim. `absent`: none.
 *
 * Whichever was decided first stays.
 */
export type PairOutcome =
  | (Ratio & {
      readonly kind: "leads";
      /** After how many rounds it was decided. */
      readonly decidedAt: number;
      /** A sure lead that does not matter: the two are equivalent too. */
      readonly withinMargin: boolean;
    })
  | (Ratio & { readonly kind: "equivalent"; readonly decidedAt: number })
  | (Ratio & { readonly kind: "undecided"; readonly further: FurtherRounds })
  | { readonly kind: "early"; readonly ratio: number; readonly rounds: number }
  | { readonly kind: "absent" };

export interface PairJudgement {
  /** The better one in the rounds that both have. */
  readonly first: string;
  readonly second: string;
  readonly outcome: PairOutcome;
}

/**
 * How many times better the first is. Limits of `leads` and `undecided` hold the true ratio with the stated
 * confidence for all pairs of the measure together; those of `equivalent` are one-sided limits, as its test is.
 */
export interface Ratio {
  readonly ratio: number;
  readonly low: number;
  readonly high: number;
}

/** What a decision would take beyond the rounds so far, if they go on as they went; null for more than 10,000 rounds. */
export interface FurtherRounds {
  /** If the ratio stays what it is. */
  readonly likely: number | null;
  /** Whatever the ratio turns out to be. */
  readonly atMost: number | null;
}

/**
 * Judges each pair of one measure after some of the planned looks. Over all pairs and all looks together at most 5 %
 * of runs claim a lead where there is no difference, and at most 5 % claim equivalence of a pair that differs by the
 * margin or more. A decided pair stays decided, as long as it is asked for with the same pairs and looks: pairs that
 * lack rounds so far count too.
 *
 * - A lead: the paired t test on the rounds' logarithms, each pair by its own spread.
 * - Equivalence: two one-sided t tests, against a difference of the margin either way; both must be significant.
 * - Looks: the p-value of each is divided by the look's weight, and the smallest so far counts (the sequential
 *   p-value). Limits are those of all looks together.
 * - Pairs: Holm's steps on these p-values (`equalAtOnce`, `apartAtOnce`).
 *
 * @source D. J. Schuirmann, "A comparison of the two one-sided tests procedure and the power approach", J.
 * Pharmacokinetics and Biopharmaceutics 15, 1987; Q. Liu and K. M. Anderson, "On adaptive extensions of group
 * sequential trials", JASA 103, 2008 (sequential p-values); W. Maurer and F. Bretz, "Multiple testing in group
 * sequential trials using graphical approaches", Statistics in Biopharmaceutical Research 5(4), 2013 (Holm's steps on
 * them); C. Jennison and B. W. Turnbull, "Interim analyses: the repeated confidence interval approach", JRSS B 51, 1989
 */
export function judgeSequentially(pairs: readonly PairRounds[], terms: Terms): PairJudgement[] {
  const { margin, looks, look, confidence = 0.95 } = terms;
  if (!(margin > 0)) throw new RangeError(`margin ${margin}: expected a share above 0`);
  const schedule = scheduleFor(looks);
  const evidence = pairs.map((pair) => new Evidence(pair, schedule, look, Math.log1p(margin)));
  const tested = evidence.filter(({ spreads }) => spreads.at(-1) != null);
  const contenders = new Set(pairs.flatMap(({ first, second }) => [first, second])).size;
  const claimAll = (test: "lead" | "equality", error: number, falseAtOnce: FalseAtOnce) =>
    claim(tested, test, (claimed) =>
      schedule.scaleFor(error / falseAtOnce(contenders, pairs.length, claimed)),
    );
  const leads = claimAll("lead", (1 - confidence) / 2, equalAtOnce);
  const equals = claimAll("equality", 1 - confidence, apartAtOnce);
  return evidence.map((one) => {
    const [lead, equal] = [leads.get(one), equals.get(one)];
    return lead === undefined || equal === undefined ? one.withoutClaim() : one.conclude(lead, equal);
  });
}

/** What became of one test of a pair. */
interface Claim {
  readonly decidedAt: number | null;
  /** The scale of the levels at the pair's place among all; see `Schedule`. */
  readonly scale: number;
}

/** Holm's steps at each look so far: the clearest pair first, until one is not clear. */
function claim(
  tested: readonly Evidence[],
  test: "lead" | "equality",
  scaleAfter: (claimed: number) => number,
): Map<Evidence, Claim> {
  const claims = new Map<Evidence, Claim>();
  const looks = tested[0]?.looks ?? [];
  looks.forEach((rounds, at) => {
    const clarity = (evidence: Evidence) => evidence[test][at] ?? Number.POSITIVE_INFINITY;
    const clearestFirst = [...tested].sort((a, b) => clarity(a) - clarity(b));
    let claimed = 0;
    for (const evidence of clearestFirst) {
      const scale = scaleAfter(claimed);
      const clear = clarity(evidence) < scale;
      if (clear) claimed++;
      const decidedAt = claims.get(evidence)?.decidedAt ?? (clear ? rounds : null);
      claims.set(evidence, { decidedAt, scale });
    }
  });
  return claims;
}

class Evidence {
  readonly pair: PairRounds;
  /** Looks so far. */
  readonly looks: Looks;
  /** At each of them; null for fewer than two rounds. */
  readonly spreads: readonly (Spread | null)[];
  /** At each of them, the smallest so far of the p-value over the look's weight: one-sided, the better of the two sides. */
  readonly lead: readonly number[];
  /** The same for equivalence, the worse of the two sides. */
  readonly equality: readonly number[];
  readonly #schedule: Schedule;
  readonly #logMargin: number;
  readonly #doubt: number;
  /** What equality may not be nearer than: doubt, and what is hidden. */
  readonly #blur: number;
  readonly #logs: readonly number[];

  constructor(pair: PairRounds, schedule: Schedule, look: number, logMargin: number) {
    this.pair = pair;
    this.looks = schedule.looks.filter((rounds) => rounds <= look);
    this.#schedule = schedule;
    this.#logMargin = logMargin;
    this.#doubt = pair.doubt ?? 0;
    this.#blur = this.#doubt + (pair.hidden ?? 0);
    const until = (rounds: number) => pair.logRatios.slice(0, rounds).filter((log) => log !== null);
    this.#logs = until(look);
    this.spreads = this.looks.map((rounds) => measureSpread(until(rounds)));
    const above = this.#smallestSoFar((mean) => mean - this.#doubt);
    const below = this.#smallestSoFar((mean) => -mean - this.#doubt);
    const notAbove = this.#smallestSoFar((mean) => logMargin - mean - this.#blur);
    const notBelow = this.#smallestSoFar((mean) => logMargin + mean - this.#blur);
    this.lead = above.map((value, at) => Math.min(value, below[at] ?? value));
    this.equality = notAbove.map((value, at) => Math.max(value, notBelow[at] ?? value));
  }

  withoutClaim(): PairJudgement {
    if (this.#logs.length === 0) return this.#say({ kind: "absent" }, 1);
    const middle = median(this.#logs);
    return this.#say({ kind: "early", ratio: Math.exp(Math.abs(middle)), rounds: this.#logs.length }, middle);
  }

  conclude(lead: Claim, equal: Claim): PairJudgement {
    const leads = lead.decidedAt !== null && (equal.decidedAt === null || lead.decidedAt <= equal.decidedAt);
    const limits = this.#limits(leads || equal.decidedAt === null ? lead.scale : equal.scale);
    const middle = Math.min(Math.max(median(this.#logs), limits.low), limits.high);
    // Of a lead the limits say who leads; the median of few rounds may lie on the other side.
    const sign = (leads ? limits.low + limits.high : middle) < 0 ? -1 : 1;
    const ratio = {
      ratio: Math.exp(sign * middle),
      low: Math.exp(sign > 0 ? limits.low : -limits.high),
      high: Math.exp(sign > 0 ? limits.high : -limits.low),
    };
    if (leads) {
      const withinMargin = equal.decidedAt !== null;
      return this.#say({ kind: "leads", ...ratio, decidedAt: lead.decidedAt, withinMargin }, sign);
    }
    return this.#say(
      equal.decidedAt !== null
        ? { kind: "equivalent", ...ratio, decidedAt: equal.decidedAt }
        : { kind: "undecided", ...ratio, further: this.#further(Math.abs(middle), lead, equal) },
      sign,
    );
  }

  #say(outcome: PairOutcome, sign: number): PairJudgement {
    const { first, second } = this.pair;
    return sign < 0 ? { first: second, second: first, outcome } : { first, second, outcome };
  }

  /** Of the p-value that the true mean is not beyond the given distance, over the look's weight. */
  #smallestSoFar(distance: (mean: number) => number): number[] {
    let smallest = Number.POSITIVE_INFINITY;
    return this.spreads.map((spread, at) => {
      if (spread !== null) {
        const p = upperTail(distance(spread.mean), spread);
        smallest = Math.min(smallest, p / (this.#schedule.weights[at] ?? 1));
      }
      return smallest;
    });
  }

  /** Limits that hold at all looks together: what the looks' limits have in common. */
  #limits(scale: number): { readonly low: number; readonly high: number } {
    let [low, high] = [Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY];
    this.spreads.forEach((spread, at) => {
      if (spread === null) return;
      const level = scale * (this.#schedule.weights[at] ?? 1);
      const reach =
        studentQuantile(1 - 2 * level, spread.degreesOfFreedom) * spread.standardError + this.#doubt;
      // Looks that contradict each other leave the point of the earlier limits that is nearest to the later ones.
      const within = (limit: number) => Math.min(Math.max(limit, low), high);
      [low, high] = [within(spread.mean - reach), within(spread.mean + reach)];
    });
    return { low, high };
  }

  #further(middle: number, lead: Claim, equal: Claim): FurtherRounds {
    const rounds = this.#logs.length;
    const deviation = Math.sqrt(this.spreads.at(-1)?.variance ?? 0);
    // Beyond 200 degrees of freedom t changes by half a per cent, and takes long to compute.
    const reach = (scale: number, count: number) =>
      (studentQuantile(1 - 2 * scale, Math.min(count - 1, 200)) * deviation) / Math.sqrt(count);
    const count = (decided: (leads: number, equals: number) => boolean) =>
      countUntil(rounds, (total) =>
        decided(reach(lead.scale, total) + this.#doubt, reach(equal.scale, total) + this.#blur),
      );
    return {
      likely: count((leads, equals) => leads < middle || middle + equals < this.#logMargin),
      // Then every ratio lies either beyond the reach of a lead or within that of equivalence.
      atMost: count((leads, equals) => leads + equals < this.#logMargin),
    };
  }
}

/** The probability of a mean this far above the hypothesis, or farther. */
function upperTail(distance: number, { standardError, degreesOfFreedom }: Spread): number {
  if (standardError === 0) return distance > 0 ? 0 : 1;
  const central = studentCentralShare(distance / standardError, degreesOfFreedom);
  return distance > 0 ? (1 - central) / 2 : (1 + central) / 2;
}

const mostRounds = 10_000;

/** How many more rounds than `rounds` it takes, at least one, where what is decided by few is decided by many. */
function countUntil(rounds: number, decided: (total: number) => boolean): number | null {
  if (!decided(rounds + mostRounds)) return null;
  let [few, many] = [0, mostRounds];
  while (many - few > 1) {
    const middle = (few + many) >> 1;
    if (decided(rounds + middle)) many = middle;
    else few = middle;
  }
  return many;
}
