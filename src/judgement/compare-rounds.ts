import { stepOf, valuesOf } from "../measures/figures.ts";
import type { Measure } from "../measures/measure.ts";
import type { Participant } from "../measures/sections.ts";
import type { RanPhase } from "../result/phase.ts";
import type { Result } from "../result/schema.ts";
import { median, roundingMargin } from "../stats/intervals.ts";
import {
  judgeSequentially,
  type PairJudgement,
  type PairRounds,
  type Terms,
} from "../stats/pair-outcomes.ts";
import { pauseInterval, type SliceRatio, sliceRatio } from "../stats/slices.ts";

/** By measure, the field of a slice that has it. */
const slicedFields = {
  throughput: "deliveriesPerSecond",
  "cpu-per-delivery": "cpuUsPerDelivery",
} as const;

/** What a run may be asked: its margin, its looks and how far it has come. */
export function termsOf({ plan, rounds, looks }: Pick<Result, "plan" | "rounds" | "looks">): Terms {
  const seen = Math.max(0, ...rounds.map(({ round }) => round));
  const planned = looks?.planned ?? [];
  const last = planned.at(-1);
  const margin = plan.marginPercent / 100;
  if (last !== undefined && last > 1) return { margin, looks: planned, look: Math.min(seen, last) };
  // A run that was stopped is judged by what it has, as if no more had been planned: nobody had seen a ratio by then.
  return { margin, looks: [Math.max(2, seen)], look: seen };
}

/** Judges each pair by one measure. */
export function comparePairs(
  participants: readonly Participant[],
  measure: Measure,
  terms: Terms,
): PairJudgement[] {
  return judgeSequentially(pairUp(participants, measure), terms);
}

export function pairUp(participants: readonly Participant[], measure: Measure): PairRounds[] {
  return participants.flatMap((first, at) =>
    participants.slice(at + 1).map((second) => ({
      first: first.name,
      second: second.name,
      logRatios: ratiosOf(first, second, measure),
      doubt: doubtOf(first, second, measure),
    })),
  );
}

function ratiosOf(first: Participant, second: Participant, measure: Measure): (number | null)[] {
  const step = stepOf([first, second], measure);
  const ratios = first.phases.map((phase, round) => {
    const other = second.phases[round] ?? null;
    return phase?.status === "ok" && other?.status === "ok" ? roundRatio(measure, phase, other, step) : null;
  });
  const known = ratios.filter((ratio) => ratio !== null);
  const sliced = known.filter((ratio) => typeof ratio !== "number");
  // Rounds of two kinds say two things: then all are told by the phase as a whole.
  const isSliced = sliced.length > 0 && sliced.length === known.length;
  const pauses = isSliced ? pauseInterval(sliced) : null;
  const doesPause = pauses !== null && (pauses.low > 1 || pauses.high < 1);
  const sign = measure.better === "higher" ? 1 : -1;
  return ratios.map((ratio, round) => {
    if (ratio === null || typeof ratio === "number") return ratio;
    if (isSliced) return sign * (doesPause ? ratio.total : ratio.typical);
    return wholeRatio(measure, first.phases[round] as RanPhase, second.phases[round] as RanPhase, step);
  });
}

/**
 * What one round says of two contenders: by its slices where both have them, whose logarithms are of the values;
 * otherwise the logarithm of how many times better the first was. Null where that can't be told.
 */
function roundRatio(
  measure: Measure,
  first: RanPhase,
  second: RanPhase,
  step: number,
): SliceRatio | number | null {
  const ratio = sliceRatio(slicesOf(first, measure), slicesOf(second, measure));
  return ratio ?? wholeRatio(measure, first, second, step);
}

/** By block, at its place. */
function slicesOf(phase: RanPhase, { name }: Measure): (number | null)[] {
  const slices = "slices" in phase ? phase.slices : undefined;
  if (slices === undefined || !(name in slicedFields)) return [];
  const field = slicedFields[name as keyof typeof slicedFields];
  const values: (number | null)[] = [];
  for (const slice of slices) {
    while (values.length <= slice.block) values.push(null);
    values[slice.block] = slice[field];
  }
  return values;
}

function wholeRatio(
  { pick, better }: Measure,
  first: RanPhase,
  second: RanPhase,
  step: number,
): number | null {
  const [one, other] = [first, second].map((phase) => atLeastStep(pick(phase), step));
  if (one == null || other == null) return null;
  const log = Math.log(better === "higher" ? one / other : other / one);
  return Number.isFinite(log) ? log : null;
}

/** Zero has no ratio to anything; of what comes in steps it is only known to be less than one. */
function atLeastStep(value: number | null, step: number): number | null {
  return value === null || value > 0 ? value : step > 0 ? step : null;
}

function doubtOf(first: Participant, second: Participant, measure: Measure): number {
  const step = stepOf([first, second], measure);
  const others = valuesOf(second, measure);
  const shared = valuesOf(first, measure).flatMap((value, round) => {
    const [one, other] = [atLeastStep(value, step), atLeastStep(others[round] ?? null, step)];
    return one === null || other === null ? [] : [[one, other] as const];
  });
  if (step === 0 || shared.length === 0) return 0;
  return roundingMargin(step, median(shared.map(([one]) => one)), median(shared.map(([, other]) => other)));
}
