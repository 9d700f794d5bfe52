import { chaosLoadSeconds } from "../../../plan/faults.ts";
import type { PhasePlan, Plan } from "../../../plan/plan.ts";

/** How long the parts of a round took so far, from which the rest of the run is estimated. */
export interface Timing {
  readonly plan: Plan;
  /** By the phase's place in the plan: how long each took, in milliseconds. */
  readonly phasesMs: readonly (readonly number[])[];
  /** Per round: starting, warming up, closing and stopping, which are no phase. */
  readonly overheadsMs: readonly number[];
}

/** Guesses until something has been measured: connections and deliveries per second of an ordinary server. */
const guessedConnectionsPerSecond = 4000;
const guessedDeliveriesPerSecond = 50_000;
/** Doublings, halvings and repeats of a search, and what a step takes beyond its load. */
const guessedCapacitySteps = 15;
const guessedSettlingSeconds = 1;
const guessedOverheadMs = 1500;

export function startTiming(plan: Plan): Timing {
  return { plan, phasesMs: plan.phases.map(() => []), overheadsMs: [] };
}

export function notePhase(timing: Timing, index: number, durationMs: number): Timing {
  const phasesMs = timing.phasesMs.map((known, at) => (at === index ? [...known, durationMs] : known));
  return { ...timing, phasesMs };
}

export function noteOverhead(timing: Timing, durationMs: number): Timing {
  return { ...timing, overheadsMs: [...timing.overheadsMs, durationMs] };
}

/** @returns milliseconds */
export function estimatePhase({ plan, phasesMs }: Timing, index: number): number {
  const phase = plan.phases[index];
  return mean(phasesMs[index] ?? []) ?? (phase === undefined ? 0 : guessPhase(phase, plan));
}

/** From phase `index` to the last, the round's overhead apart. @returns milliseconds */
export function estimatePhasesFrom(timing: Timing, index: number): number {
  return timing.plan.phases.slice(index).reduce((sum, _, at) => sum + estimatePhase(timing, index + at), 0);
}

/** @returns milliseconds */
export function estimateOverhead({ plan, overheadsMs }: Timing): number {
  return mean(overheadsMs) ?? plan.warmupSeconds * 1000 + guessedOverheadMs;
}

/** @returns milliseconds */
export function estimateRound(timing: Timing): number {
  return estimateOverhead(timing) + estimatePhasesFrom(timing, 0);
}

function guessPhase({ kind }: PhasePlan, plan: Plan): number {
  switch (kind) {
    case "connect":
      return (plan.connections * 1000) / guessedConnectionsPerSecond;
    case "burst":
      return (plan.connections * plan.messagesPerConnection * 1000) / guessedDeliveriesPerSecond;
    case "endurance":
      return plan.enduranceSeconds * 1000;
    case "capacity":
      return guessedCapacitySteps * (plan.capacityStepSeconds + guessedSettlingSeconds) * 1000;
    case "chaos":
      return chaosLoadSeconds(plan) * 1000;
  }
}

function mean(values: readonly number[]): number | null {
  return values.length === 0 ? null : values.reduce((sum, value) => sum + value, 0) / values.length;
}
