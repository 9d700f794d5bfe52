import { phaseName } from "../plan/phases.ts";
import type { PhaseKind, PhasePlan, Workload } from "../plan/plan.ts";
import type { Phase, RanPhase } from "../result/phase.ts";
import type { ContenderFacts, Result, Round } from "../result/schema.ts";

/** One contender's part in one phase of the plan. */
export interface Participant {
  /** As in tables and on the command line: `go-gorilla:tuned`. */
  readonly name: string;
  readonly facts: ContenderFacts;
  /** One place per round; null where the round did not come to this phase. */
  readonly phases: readonly (Phase | null)[];
  /** The rounds themselves; null where one has not begun. */
  readonly rounds: readonly (Round | null)[];
}

/** A phase of the plan with everyone who took part. */
export interface Section {
  /** Place in the plan, from 0. */
  readonly index: number;
  /** `burst-echo`; its second occurrence in a plan is `burst-echo#2`. */
  readonly name: string;
  readonly kind: PhaseKind;
  readonly workload: Workload | null;
  readonly participants: readonly Participant[];
}

/** One section per phase of the plan, also for those that nobody came to. */
export function listSections(result: Result): Section[] {
  const names = listPhases(result.plan.phases);
  const contenders = participantsOf(result).map((facts) => {
    const known = roundsOf(result, facts);
    const rounds = Array.from(
      { length: countRounds(result) },
      (_, at) => known.find(({ round }) => round === at + 1) ?? null,
    );
    return { name: nameOf(facts), facts, rounds };
  });
  return result.plan.phases.map(({ kind, workload = null }, index) => ({
    index,
    name: names[index]?.name ?? kind,
    kind,
    workload,
    participants: contenders.map((contender) => ({
      ...contender,
      phases: contender.rounds.map((round) => {
        const phase = round?.phases[index];
        return phase?.kind === kind && phase.workload === workload ? phase : null;
      }),
    })),
  }));
}

/** A phase of a plan by its name on the command line. */
export interface NamedPhase {
  readonly name: string;
  readonly kind: PhaseKind;
}

export function listPhases(phases: readonly PhasePlan[]): NamedPhase[] {
  const seen = new Map<string, number>();
  return phases.map((phase) => {
    const name = phaseName(phase);
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    return { name: occurrence === 1 ? name : `${name}#${occurrence}`, kind: phase.kind };
  });
}

/** Those that could run, in the order of the result. */
export function participantsOf(result: Result): ContenderFacts[] {
  return result.contenders.filter(({ notRun }) => notRun === null);
}

function roundsOf(result: Result, facts: ContenderFacts): Round[] {
  return result.rounds
    .filter(({ contender, variant }) => contender === facts.name && variant === facts.variant)
    .sort((a, b) => a.round - b.round);
}

/** Rounds of the plan, of which an aborted run has not come to all; of a run until all is decided, those that it did. */
export function countRounds(result: Pick<Result, "plan" | "rounds">): number {
  return Math.max(result.plan.rounds, ...result.rounds.map(({ round }) => round));
}

export function nameOf({ name, variant }: Pick<ContenderFacts, "name" | "variant">): string {
  return variant === "default" ? name : `${name}:${variant}`;
}

export function nameOfRound({ contender, variant }: Pick<Round, "contender" | "variant">): string {
  return nameOf({ name: contender, variant });
}

/** `Burst echo`. */
export function titleOf({ kind, workload }: Pick<Section, "kind" | "workload">): string {
  const text = workload === null ? kind : `${kind} ${workload}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Only a phase whose work was done has figures that stand for the contender. */
export function okPhases(participant: Pick<Participant, "phases">): RanPhase[] {
  return ranPhases(participant).filter(({ status }) => status === "ok");
}

export function ranPhases({ phases }: Pick<Participant, "phases">): RanPhase[] {
  return phases.filter((phase) => phase !== null).filter(isRan);
}

export function isRan(phase: Phase): phase is RanPhase {
  return phase.status !== "not-run";
}
