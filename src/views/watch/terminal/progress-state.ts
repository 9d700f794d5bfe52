import { formatEntrant } from "../../../contenders/entrants.ts";
import type { Plan } from "../../../plan/plan.ts";
import type { RunEvent } from "../../../run/events.ts";
import type { PhaseView } from "../../../run/phases/context.ts";
import {
  estimateOverhead,
  estimatePhase,
  estimatePhasesFrom,
  estimateRound,
  noteOverhead,
  notePhase,
  startTiming,
  type Timing,
} from "./time-left.ts";

type Of<Kind extends RunEvent["kind"]> = Extract<RunEvent, { kind: Kind }>;

interface Sample {
  readonly elapsedMs: number;
  readonly done: number;
}

/** Where a run is: all that a status line needs. */
export interface ProgressState {
  /** Null where nothing is measured, such as a build. */
  readonly timing: Timing | null;
  readonly round: Of<"round-started"> | null;
  readonly roundStartedMs: number;
  /** Of this round: phases that have ended, and the time they took. */
  readonly phasesEnded: number;
  readonly phasesMs: number;
  readonly phase: Of<"phase-started"> | null;
  readonly phaseStartedMs: number;
  readonly view: PhaseView | null;
  /** Of this phase, oldest first. */
  readonly samples: readonly Sample[];
  /** The last line of a build under way. */
  readonly building: string | null;
}

const mostSamples = 24;
/** Shorter spans make a rate jump. */
const rateWindowMs = 1000;

export function startProgress(plan: Plan | null): ProgressState {
  return {
    timing: plan === null ? null : startTiming(plan),
    round: null,
    roundStartedMs: 0,
    phasesEnded: 0,
    phasesMs: 0,
    phase: null,
    phaseStartedMs: 0,
    view: null,
    samples: [],
    building: null,
  };
}

/** @param nowMs of any monotonic clock, the same one in every call */
export function advance(state: ProgressState, event: RunEvent, nowMs: number): ProgressState {
  switch (event.kind) {
    case "preparing":
      return { ...state, building: null };
    case "build-output":
      return { ...state, building: `${event.contender}: ${event.line}` };
    case "round-started":
      return {
        ...state,
        building: null,
        round: event,
        roundStartedMs: nowMs,
        phasesEnded: 0,
        phasesMs: 0,
        phase: null,
        view: null,
      };
    case "phase-started":
      return {
        ...state,
        phase: event,
        phaseStartedMs: nowMs,
        view: null,
        samples: [{ elapsedMs: 0, done: 0 }],
      };
    case "phase-progress": {
      const { elapsedMs, done } = event.view;
      return {
        ...state,
        view: event.view,
        samples: [...state.samples, { elapsedMs, done }].slice(-mostSamples),
      };
    }
    case "phase-ended": {
      const tookMs = nowMs - state.phaseStartedMs;
      // Only whole phases tell how long the next one takes.
      const isWhole = event.phase.status === "ok" && state.phase !== null;
      const timing =
        state.timing !== null && state.phase !== null && isWhole
          ? notePhase(state.timing, state.phase.index, tookMs)
          : state.timing;
      return {
        ...state,
        timing,
        phasesEnded: state.phasesEnded + 1,
        phasesMs: state.phasesMs + tookMs,
        phase: null,
        view: null,
      };
    }
    case "round-ended": {
      const overheadMs = nowMs - state.roundStartedMs - state.phasesMs;
      const timing = state.timing === null ? null : noteOverhead(state.timing, overheadMs);
      return { ...state, timing, phase: null, view: null };
    }
    case "server-ready":
    case "warning":
      return state;
  }
}

export function currentEntrant({ round }: ProgressState): string {
  return round === null ? "" : formatEntrant(round);
}

/** Over the last second or so; null before there is anything to say. */
export function currentRate({ samples }: ProgressState): number | null {
  return rateAt(samples, samples.length - 1);
}

/** The same at each sample: shorter spans would show the rhythm of the reports instead. */
export function recentRates({ samples }: ProgressState): number[] {
  return samples.map((_, index) => rateAt(samples, index)).filter((rate) => rate !== null);
}

function rateAt(samples: readonly Sample[], index: number): number | null {
  const last = samples[index];
  if (last === undefined) return null;
  const earlier = samples.slice(0, index);
  const before =
    earlier.findLast(({ elapsedMs }) => last.elapsedMs - elapsedMs >= rateWindowMs) ?? earlier[0];
  if (before === undefined || before.elapsedMs >= last.elapsedMs) return null;
  return Math.max(0, ((last.done - before.done) * 1000) / (last.elapsedMs - before.elapsedMs));
}

/** Null where the deliveries made so far tell better. Of a search nobody knows how many steps it takes. */
function expectedMs({ phase, timing }: ProgressState): number | null {
  if (phase === null) return null;
  if (phase.expectedSeconds !== null) return phase.expectedSeconds * 1000;
  return phase.phaseKind === "capacity" && timing !== null ? estimatePhase(timing, phase.index) : null;
}

/** 0 to 1; by the clock where the phase lasts a set time. */
export function phaseShare(state: ProgressState): number {
  const { phase, view } = state;
  if (view === null || phase === null) return 0;
  const lastsMs = expectedMs(state);
  const share = lastsMs === null ? view.done / Math.max(1, view.total) : view.elapsedMs / lastsMs;
  return Math.min(1, Math.max(0, share));
}

/** Milliseconds; null while unknown. */
export function phaseLeftMs(state: ProgressState, nowMs: number): number | null {
  const { phase, view, phaseStartedMs, timing } = state;
  if (phase === null) return null;
  const lastsMs = expectedMs(state);
  if (lastsMs !== null) return Math.max(0, lastsMs - (view?.elapsedMs ?? nowMs - phaseStartedMs));
  if (view !== null && view.done > 0)
    return (view.elapsedMs * Math.max(0, view.total - view.done)) / view.done;
  return timing === null ? null : Math.max(0, estimatePhase(timing, phase.index) - (nowMs - phaseStartedMs));
}

/** Milliseconds; null before the first round, and where there is no plan. */
export function runLeftMs(state: ProgressState, nowMs: number): number | null {
  const { timing, round, phase, phasesEnded, phasesMs, roundStartedMs } = state;
  if (timing === null || round === null) return null;
  const laterMs = (round.positions - round.position) * estimateRound(timing);
  if (phase !== null) {
    return (phaseLeftMs(state, nowMs) ?? 0) + estimatePhasesFrom(timing, phase.index + 1) + laterMs;
  }
  const overheadMs = nowMs - roundStartedMs - phasesMs;
  const startingMs = phasesEnded === 0 ? Math.max(0, estimateOverhead(timing) - overheadMs) : 0;
  return startingMs + estimatePhasesFrom(timing, phasesEnded) + laterMs;
}
