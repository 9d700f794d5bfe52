import { logRatios, measureSpread, median, ratioInterval, roundingMargin } from "./intervals.ts";
import { countPairs, equalAtOnce } from "./multiplicity.ts";
import { studentCentralShare, studentQuantile } from "./student.ts";

export interface Measure {
  readonly better: "higher" | "lower";
  /** The step in which values come, in their unit: 1 for whole microseconds, the page size for memory; 0 for a rate. */
  readonly step: number;
  /** The same as a share of the value, where it comes in steps that grow with it. */
  readonly relativeStep?: number;
}

export interface Entry {
  /** Unique among the entries. */
  readonly name: string;
  /** One per round, at the round's place; null where the round has none. */
  readonly values: readonly (number | null)[];
  /** Why the entry may not be compared at all, such as a saturated generator; null when it may. */
  readonly voidReason: string | null;
}

/**
 * `ratio`: how many times better `first` is than `second` (the median of the rounds' ratios, at least 1), whichever
 * direction is better. Its limits exclude 1 exactly when the verdict is `faster`; each pair's limits hold the true
 * ratio with at least the stated confidence, and they are laid wider the more pairs are compared.
 */
export type Verdict =
  | { readonly kind: "faster"; readonly ratio: number; readonly low: number; readonly high: number }
  | {
      readonly kind: "no-clear-difference";
      readonly ratio: number;
      readonly low: number;
      readonly high: number;
    }
  /** One common round shows a ratio and nothing of its spread: no claim. */
  | { readonly kind: "single-round"; readonly ratio: number }
  | { readonly kind: "void"; readonly reason: string };

export interface Comparison {
  /** The one that is ahead in the rounds that both have; for `void`, the one named first. */
  readonly first: string;
  readonly second: string;
  readonly verdict: Verdict;
}

export interface Ranking {
  /** Best first. Nobody in a group is clearly better than another of it, and whoever is clearly better than someone stands in an earlier group; within a group the best median comes first. Two of neighbouring groups may still differ unclearly. */
  readonly groups: readonly (readonly string[])[];
  readonly unranked: readonly { readonly name: string; readonly reason: string }[];
  /** Every pair once. */
  readonly comparisons: readonly Comparison[];
}

/**
 * Ranks entries by one measure over rounds that were interleaved. Each pair is compared by the paired t test on the
 * logarithms of the rounds' ratios: a drift of the machine cancels, and each pair is judged by its own spread, since
 * a noisy entrant among quiet ones breaks any pooled test. Over all pairs of one measure at most 5 % of runs claim
 * a difference where there is none. Simulations of that: docs/statistics.md.
 *
 * @throws RangeError when two entries have the same name
 * @source S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 1979;
 * J. P. Shaffer, "Modified sequentially rejective multiple test procedures", JASA 81, 1986
 */
export function rank(measure: Measure, entries: readonly Entry[], confidence = 0.95): Ranking {
  const names = new Set(entries.map((entry) => entry.name));
  if (names.size < entries.length) {
    throw new RangeError(
      `entries ${entries.map((entry) => entry.name).join(", ")}: expected names that differ`,
    );
  }
  const pairs = entries.flatMap((entry, index) =>
    entries.slice(index + 1).map((other) => pairUp(measure, entry, other)),
  );
  const ranked = entries.filter((entry) => findObstacle(entry) === null);
  const comparisons = [
    ...judge(pairs.filter(isTestable), ranked.length, confidence),
    ...pairs.filter((pair) => !isTestable(pair)).map(judgeUntestable),
  ];
  return {
    groups: groupEntries(measure, ranked, comparisons),
    unranked: entries.flatMap((entry) => {
      const reason = findObstacle(entry);
      return reason === null ? [] : [{ name: entry.name, reason }];
    }),
    comparisons,
  };
}

/**
 * The smallest difference that `rank` would find in nine of ten runs, as a share (0.03: 3 %), judged from rounds of
 * the same plan: what a machine can resolve. From few rounds it is itself uncertain: by about a third either way
 * from three entrants and 5 rounds.
 *
 * @param perRoundValues for each entrant its positive values by round, in the same rounds for all
 * @param plan how many entrants would be compared over how many rounds; by default as many as given
 * @returns null for fewer than two entrants or two rounds
 */
export function smallestResolvableDifference(
  perRoundValues: readonly (readonly number[])[],
  plan: { readonly entrants?: number; readonly rounds?: number } = {},
  confidence = 0.95,
): number | null {
  const { entrants = perRoundValues.length, rounds = perRoundValues[0]?.length ?? 0 } = plan;
  const variances = perRoundValues.flatMap((values, index) =>
    perRoundValues
      .slice(index + 1)
      .flatMap((others) => measureSpread(logRatios(values, others))?.variance ?? []),
  );
  if (variances.length === 0 || entrants < 2 || rounds < 2) return null;
  const variance = variances.reduce((sum, value) => sum + value, 0) / variances.length;
  // Past the limit of the claim, so far past that a tenth of the runs falls short of it: the tenth below is the lower
  // end of the central 80 %.
  const claim = studentQuantile(1 - (1 - confidence) / countPairs(entrants), rounds - 1);
  const shortfall = studentQuantile(0.8, rounds - 1);
  return Math.expm1((claim + shortfall) * Math.sqrt(variance / rounds));
}

interface Pair {
  readonly first: Entry;
  readonly second: Entry;
  /** By how much `first` is better, for each round that both have: the values to divide. */
  readonly numerators: readonly number[];
  readonly denominators: readonly number[];
  readonly margin: number;
}

function pairUp(measure: Measure, entry: Entry, other: Entry): Pair {
  const shared = entry.values.flatMap((value, round) => {
    const opposite = other.values[round] ?? null;
    return value === null || opposite === null ? [] : [{ value, opposite }];
  });
  const values = shared.map((round) => round.value);
  const opposites = shared.map((round) => round.opposite);
  const comparable = shared.length > 0 && findObstacle(entry) === null && findObstacle(other) === null;
  if (!comparable) return { first: entry, second: other, numerators: [], denominators: [], margin: 0 };
  const higher = median(logRatios(values, opposites)) > 0;
  const [first, second] = higher === (measure.better === "higher") ? [entry, other] : [other, entry];
  const [numerators, denominators] = higher ? [values, opposites] : [opposites, values];
  // Half a step at either end of the ratio.
  const margin =
    roundingMargin(measure.step, median(numerators), median(denominators)) + (measure.relativeStep ?? 0);
  return { first, second, numerators, denominators, margin };
}

function findObstacle(entry: Entry): string | null {
  if (entry.voidReason !== null) return entry.voidReason;
  if (entry.values.every((value) => value === null)) return "no round has a value";
  const round = entry.values.findIndex((value) => value !== null && !(value > 0 && Number.isFinite(value)));
  return round < 0 ? null : `round ${round + 1} has ${entry.values[round]}, which has no ratio to anything`;
}

function isTestable(pair: Pair): boolean {
  return pair.numerators.length > 1;
}

/** Holm's steps: the clearest pair is tested as one of all, the next as one of those that can still be equal, until one is not clear. */
function judge(pairs: readonly Pair[], entrants: number, confidence: number): Comparison[] {
  const clearestFirst = [...pairs].sort((a, b) => measureClarity(b) - measureClarity(a));
  let claimed = 0;
  return clearestFirst.map((pair) => {
    const level = 1 - (1 - confidence) / equalAtOnce(entrants, pairs.length, claimed);
    const interval = ratioInterval(pair.numerators, pair.denominators, level, pair.margin);
    if (interval === null) return judgeUntestable(pair);
    const { middle: ratio, low, high } = interval;
    const clear = low > 1;
    if (clear) claimed++;
    const kind = clear ? "faster" : "no-clear-difference";
    return { first: pair.first.name, second: pair.second.name, verdict: { kind, ratio, low, high } };
  });
}

/** One minus the p-value. */
function measureClarity(pair: Pair): number {
  const spread = measureSpread(logRatios(pair.numerators, pair.denominators));
  const distance = spread === null ? 0 : Math.max(0, Math.abs(spread.mean) - pair.margin);
  if (spread === null || distance === 0) return 0;
  return studentCentralShare(distance / spread.standardError, spread.degreesOfFreedom);
}

function judgeUntestable({ first, second, numerators, denominators }: Pair): Comparison {
  const reasons = [first, second].flatMap((entry) => {
    const obstacle = findObstacle(entry);
    return obstacle === null ? [] : [`${entry.name}: ${obstacle}`];
  });
  const [numerator] = numerators;
  const [denominator] = denominators;
  const verdict: Verdict =
    numerator === undefined || denominator === undefined
      ? { kind: "void", reason: reasons.join("; ") || "no round has a value of both" }
      : { kind: "single-round", ratio: numerator / denominator };
  return { first: first.name, second: second.name, verdict };
}

function groupEntries(
  measure: Measure,
  entries: readonly Entry[],
  comparisons: readonly Comparison[],
): string[][] {
  const sign = measure.better === "higher" ? -1 : 1;
  const byMedian = entries
    .map(({ name, values }) => ({ name, median: median(values.filter((value) => value !== null)) }))
    .sort((a, b) => sign * (a.median - b.median))
    .map(({ name }) => name);
  return groupByLead(byMedian, (one, other) =>
    comparisons.some(
      ({ first, second, verdict }) => verdict.kind === "faster" && first === one && second === other,
    ),
  );
}

/**
 * Groups, best first: nobody in a group leads another of it, and whoever leads someone stands in an earlier group.
 *
 * @param bestFirst names in the order of their figures, which decides within a group
 */
export function groupByLead(
  bestFirst: readonly string[],
  leads: (one: string, other: string) => boolean,
): string[][] {
  const remaining = [...bestFirst];
  const groups: string[][] = [];
  while (remaining.length > 0) {
    // Figures can contradict a clear difference, which is judged within rounds: then the difference decides.
    const next = remaining.findIndex((name) => !remaining.some((rival) => leads(rival, name)));
    const [name = ""] = remaining.splice(Math.max(0, next), 1);
    const group = groups.at(-1);
    if (group === undefined || group.some((member) => leads(member, name))) groups.push([name]);
    else group.push(name);
  }
  return groups;
}
