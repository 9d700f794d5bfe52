import { stepOf, valuesOf } from "../measures/figures.ts";
import type { Measure } from "../measures/measure.ts";
import type { Participant } from "../measures/sections.ts";
import type { Phase, RanPhase, Slice } from "../result/phase.ts";
import type { Result } from "../result/schema.ts";
import { median, roundingMargin } from "../stats/intervals.ts";
import {
  judgeSequentially,
  type PairJudgement,
  type PairRounds,
  type Terms,
} from "../stats/pair-outcomes.ts";
import { type SliceFigure, sliceRatio } from "../stats/slices.ts";

/** By measure, what a slice adds to the phase's figure; null where it has none. */
const slicedFigures = {
  throughput: ({ delivered, spanMs }) => ({ amount: delivered, per: spanMs }),
  "cpu-per-delivery": ({ cpuUsPerDelivery, delivered }) =>
    cpuUsPerDelivery === null ? null : { amount: cpuUsPerDelivery * delivered, per: delivered },
} satisfies Record<string, (slice: Slice) => SliceFigure | null>;

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
      hidden: hiddenBy(first, second, measure),
    })),
  );
}

/** Each round by itself, so that no later round changes what an earlier one said. */
function ratiosOf(first: Participant, second: Participant, measure: Measure): (number | null)[] {
  const step = stepOf([first, second], measure);
  return first.phases.map((phase, round) => {
    const other = second.phases[round] ?? null;
    return phase?.status === "ok" && other?.status === "ok" ? roundRatio(measure, phase, other, step) : null;
  });
}

/**
 * The logarithm of how many times better the first was in one round: by the slices of blocks that both have, where there
 * are any, and otherwise by the phase as a whole. Null where that can't be told.
 */
function roundRatio(measure: Measure, first: RanPhase, second: RanPhase, step: number): number | null {
  const log = sliceRatio(slicesOf(first, measure), slicesOf(second, measure));
  if (log === null) return wholeRatio(measure, first, second, step);
  return measure.better === "higher" ? log : -log;
}

/** By block, at its place. */
function slicesOf(phase: RanPhase, { name }: Measure): (SliceFigure | null)[] {
  const slices = "slices" in phase ? phase.slices : undefined;
  if (slices === undefined || !(name in slicedFigures)) return [];
  const read = slicedFigures[name as keyof typeof slicedFigures];
  const figures: (SliceFigure | null)[] = [];
  for (const slice of slices) {
    while (figures.length <= slice.block) figures.push(null);
    figures[slice.block] = read(slice);
  }
  return figures;
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

/**
 * As a logarithm, how much more one server could have delivered than the other though both went at one pace: that of the
 * generator, say. A server that was idle for a share of a burst may be quicker by it; what both were idle hides nothing.
 */
function hiddenBy(first: Participant, second: Participant, { name }: Measure): number {
  if (name !== "throughput") return 0;
  const logs = first.phases.flatMap((phase, round) => {
    const [one, other] = [busyShare(phase), busyShare(second.phases[round] ?? null)];
    return one === null || other === null ? [] : [Math.log(one / other)];
  });
  return logs.length === 0 ? 0 : Math.abs(median(logs));
}

function busyShare(phase: Phase | null): number | null {
  if (phase?.kind !== "burst" || phase.status !== "ok" || phase.server.idleCpuShare === null) return null;
  return Math.max(0.01, 1 - phase.server.idleCpuShare);
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
