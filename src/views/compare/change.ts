import { type Interval, median, roundingMargin } from "../../stats/intervals.ts";
import { changeClarity, changeInterval } from "../../stats/welch.ts";
import type { Figure, NamedMeasure } from "./measures.ts";

/**
 * `better`, `worse`: beyond what the rounds of both runs differ among themselves. `no-clear-change`: not beyond it,
 * which is not the same as equal. `single-round`: a run of one round says nothing of its spread, so there is no claim.
 * `not-comparable`: the runs did other work, or ran on other machines. `no-ratio`: one of the values is zero.
 * `missing`: a run has no value.
 */
export type ChangeKind =
  | "better"
  | "worse"
  | "no-clear-change"
  | "single-round"
  | "not-comparable"
  | "no-ratio"
  | "missing";

/** What became of one measure of one contender in one phase from run A to run B. */
export interface Change {
  readonly contender: string;
  readonly phase: string;
  readonly measure: NamedMeasure;
  readonly kind: ChangeKind;
  /** Medians over the rounds, in the measure's unit. */
  readonly before: number | null;
  readonly after: number | null;
  /** The coarser of the steps in which the two come. */
  readonly step: number;
  /** Rounds that count. */
  readonly rounds: readonly [before: number, after: number];
  /** `after` as a multiple of `before`; its limits are null where there are none. */
  readonly ratio: number | null;
  readonly limits: readonly [low: number, high: number] | null;
  /** Why there is no verdict; null when there is one. */
  readonly reason: string | null;
}

/** The same figure of two runs. */
export interface FigurePair {
  readonly before: Figure;
  readonly after: Figure;
  /** Why no difference between the two can be put down to the contender; null when it can. */
  readonly obstacle: string | null;
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
    if (change.kind === "better" || change.kind === "worse") claimed++;
    judged.set(pair, change);
  }
  return pairs.map((pair) => judged.get(pair) ?? judgeUntestable(pair));
}

function isTestable({ before, after, obstacle }: FigurePair): boolean {
  return obstacle === null && hasRatio(before) && hasRatio(after);
}

function hasRatio({ values }: Figure): boolean {
  return values.length > 0 && values.every((value) => value > 0);
}

/** Two values may differ by a step without any cause. */
function marginOf(pair: FigurePair): number {
  return roundingMargin(stepOf(pair), median(pair.before.values), median(pair.after.values));
}

function stepOf({ before, after }: Pick<FigurePair, "before" | "after">): number {
  return Math.max(before.step, after.step);
}

function judgePair(pair: FigurePair, interval: Interval | null): Change {
  if (interval === null) return judgeUntestable(pair);
  const { middle: ratio, low, high } = interval;
  const rose = low > 1;
  const kind =
    rose || high < 1
      ? rose === (pair.before.measure.measure.better === "higher")
        ? "better"
        : "worse"
      : "no-clear-change";
  return { ...describePair(pair), kind, ratio, limits: [low, high], reason: null };
}

function judgeUntestable(pair: FigurePair): Change {
  const { before, after, obstacle } = pair;
  const change = { ...describePair(pair), limits: null };
  const missing = [
    ...(before.value === null ? [`A: ${before.missing}`] : []),
    ...(after.value === null ? [`B: ${after.missing}`] : []),
  ];
  if (missing.length > 0) return { ...change, kind: "missing", ratio: null, reason: missing.join("; ") };
  if (!hasRatio(before) || !hasRatio(after)) {
    return { ...change, kind: "no-ratio", ratio: null, reason: "zero has no ratio to anything" };
  }
  const ratio = median(after.values) / median(before.values);
  if (obstacle !== null) return { ...change, kind: "not-comparable", ratio, reason: obstacle };
  const single = [...(before.values.length < 2 ? ["A"] : []), ...(after.values.length < 2 ? ["B"] : [])].join(
    " and ",
  );
  return { ...change, kind: "single-round", ratio, reason: `a single round in ${single}: no claim` };
}

function describePair({ before, after }: FigurePair) {
  return {
    contender: before.contender,
    phase: before.phase,
    measure: before.measure,
    before: before.value,
    after: after.value,
    step: stepOf({ before, after }),
    rounds: [before.values.length, after.values.length] as const,
  };
}
