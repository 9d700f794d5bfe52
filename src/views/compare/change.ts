import type { Figure } from "../../measures/figures.ts";
import { type Interval, median, roundingMargin } from "../../stats/intervals.ts";
import { changeClarity, changeInterval } from "../../stats/welch.ts";

/**
 * `better`, `worse`: beyond what the rounds of both runs differ among themselves. `no-clear-change`: not beyond it,
 * which is not the same as equal. `single-round`: a run of one round says nothing of its spread, so there is no claim.
 * `not-comparable`: the runs did different work, or ran on different machines. `no-ratio`: one of the values is zero.
 * `not-reached`: a quantile was infinite in some round, so that the rounds have no spread. `missing`: a run has no value.
 */
type ChangeKind =
  | "better"
  | "worse"
  | "no-clear-change"
  | "single-round"
  | "not-comparable"
  | "no-ratio"
  | "not-reached"
  | "missing";

/** The same figure of two runs. */
export interface FigurePair {
  readonly before: Figure;
  readonly after: Figure;
  /** Why no difference between the two can be put down to the contender; null when it can. */
  readonly obstacle: string | null;
}

/** What became of one measure of one contender in one phase from run A to run B. */
export interface Change extends FigurePair {
  readonly kind: ChangeKind;
  /** `after` as a multiple of `before`, null where one of them is infinite; its limits are null where there are none. */
  readonly ratio: number | null;
  readonly limits: readonly [low: number, high: number] | null;
}

/**
 * Judges the changes of one measure in one phase, of all contenders together: with Holm's steps at most 5 % of
 * comparisons of unchanged contenders claim any change of that measure.
 *
 * @source S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 1979
 */
export function judgeChanges(pairs: readonly FigurePair[], confidence = 0.95): Change[] {
  const tested = pairs.flatMap((pair) => {
    const clarity = isTestable(pair)
      ? changeClarity(pair.before.values, pair.after.values, marginOf(pair))
      : null;
    return clarity === null ? [] : [{ pair, clarity }];
  });
  const clearestFirst = tested.sort((a, b) => b.clarity - a.clarity);
  const judged = new Map<FigurePair, Change>();
  let claimed = 0;
  for (const { pair } of clearestFirst) {
    const level = 1 - (1 - confidence) / (clearestFirst.length - claimed);
    const change = judgePair(
      pair,
      changeInterval(pair.before.values, pair.after.values, level, marginOf(pair)),
    );
    if (isClear(change)) claimed++;
    judged.set(pair, change);
  }
  return pairs.map((pair) => judged.get(pair) ?? judgeUntestable(pair));
}

export function isClear({ kind }: Change): boolean {
  return kind === "better" || kind === "worse";
}

/** The coarser of the steps in which the two values come. */
export function stepOf({ before, after }: Pick<FigurePair, "before" | "after">): number {
  return Math.max(before.step, after.step);
}

function isTestable({ before, after, obstacle }: FigurePair): boolean {
  return obstacle === null && hasRatio(before) && hasRatio(after);
}

function hasRatio({ values, unreached }: Figure): boolean {
  return unreached === 0 && values.length > 0 && values.every((value) => value > 0);
}

/** So many rounds fall into two kinds by chance, all of A into one and all of B into the other, in 1 of 32 cases at most. */
const fewestUnreached = 3;

/** Infinite in every round of one run and in none of the other. */
function isLost(one: Figure, other: Figure): boolean {
  const [most, none] = [one.unreached, other.values.length];
  return (
    one.values.length === 0 && other.unreached === 0 && most >= fewestUnreached && none >= fewestUnreached
  );
}

/** Two values may differ by a step without any cause. */
function marginOf(pair: FigurePair): number {
  return roundingMargin(stepOf(pair), median(pair.before.values), median(pair.after.values));
}

function judgePair(pair: FigurePair, interval: Interval | null): Change {
  if (interval === null) return judgeUntestable(pair);
  const { middle: ratio, low, high } = interval;
  const rose = low > 1;
  const isBetter = rose === (pair.before.measure.better === "higher");
  const kind = rose || high < 1 ? (isBetter ? "better" : "worse") : "no-clear-change";
  return { ...pair, kind, ratio, limits: [low, high] };
}

function judgeUntestable(pair: FigurePair): Change {
  const { before, after, obstacle } = pair;
  if (before.unreached + after.unreached > 0) {
    const known = { ...pair, ratio: null, limits: null };
    if (obstacle !== null) return { ...known, kind: "not-comparable" };
    if (isLost(after, before)) return { ...known, kind: "worse" };
    return { ...known, kind: isLost(before, after) ? "better" : "not-reached" };
  }
  if (before.value === null || after.value === null) {
    return { ...pair, kind: "missing", ratio: null, limits: null };
  }
  if (!hasRatio(before) || !hasRatio(after)) return { ...pair, kind: "no-ratio", ratio: null, limits: null };
  const ratio = median(after.values) / median(before.values);
  return { ...pair, kind: obstacle === null ? "single-round" : "not-comparable", ratio, limits: null };
}
