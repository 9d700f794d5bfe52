import { formatEntrant } from "../../contenders/entrants.ts";
import type { PhaseKind, Workload } from "../../plan/plan.ts";
import type { ContenderFacts, Phase, Result, Round } from "../../result/schema.ts";

/** One entrant's part in one phase of the plan. */
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
  readonly kind: PhaseKind;
  readonly workload: Workload | null;
  readonly participants: readonly Participant[];
}

/** One section per phase of the plan, also for those that nobody came to. */
export function listSections(result: Result): Section[] {
  const entrants = participantsOf(result).map((facts) => {
    const known = roundsOf(result, facts);
    const rounds = Array.from({ length: roundCount(result) }, (_, at) =>
      known.find(({ round }) => round === at + 1),
    );
    return { name: nameOf(facts), facts, rounds: rounds.map((round) => round ?? null) };
  });
  return result.plan.phases.map(({ kind, workload = null }, index) => ({
    index,
    kind,
    workload,
    participants: entrants.map((entrant) => ({
      ...entrant,
      phases: entrant.rounds.map((round) => {
        const phase = round?.phases[index];
        return phase?.kind === kind && phase.workload === workload ? phase : null;
      }),
    })),
  }));
}

/** Those that could run, in the order of the result. */
export function participantsOf(result: Result): ContenderFacts[] {
  return result.contenders.filter(({ notRun }) => notRun === null);
}

export function roundsOf(result: Result, facts: ContenderFacts): Round[] {
  return result.rounds
    .filter(({ contender, variant }) => contender === facts.name && variant === facts.variant)
    .sort((a, b) => a.round - b.round);
}

/** Rounds of the plan, of which an aborted run has not come to all. */
function roundCount(result: Result): number {
  return Math.max(result.plan.rounds, ...result.rounds.map(({ round }) => round));
}

export function nameOf({ name, variant }: ContenderFacts): string {
  return formatEntrant({ contender: name, variant });
}

export function nameOfRound({ contender, variant }: Round): string {
  return formatEntrant({ contender, variant });
}

/** `Burst echo`. */
export function titleOf({ kind, workload }: Pick<Section, "kind" | "workload">): string {
  const text = workload === null ? kind : `${kind} ${workload}`;
  return text.charAt(0).toUpperCase() + text.slice(1);
}

/** Only a phase whose work was done has figures that stand for the entrant. */
export function okPhases({ phases }: Participant): Phase[] {
  return phases.filter((phase): phase is Phase => phase?.status === "ok");
}

export function ranPhases({ phases }: Participant): Phase[] {
  return phases.filter((phase) => phase !== null);
}

/** Why an entrant has nothing to show for a round, in the words of a table and of a sentence. */
export interface Ending {
  readonly status: Exclude<Phase["status"], "ok"> | "not reached";
  readonly reason: string | null;
}

/** One for each round in which the phase was not done; a round that never got so far answers for it. */
export function listEndings({ phases, rounds }: Participant): Ending[] {
  return phases.flatMap((phase, at): Ending[] => {
    if (phase !== null) return phase.status === "ok" ? [] : [{ status: phase.status, reason: phase.reason }];
    const round = rounds[at] ?? null;
    return round === null || round.status === "ok"
      ? [{ status: "not reached", reason: null }]
      : [{ status: round.status, reason: round.reason }];
  });
}

/** `failed: …`, or that nothing came of it. */
export function describeEnding({ status, reason }: Ending): string {
  return status === "not reached"
    ? "did not come to this phase"
    : `${status}: ${reason ?? "no reason given"}`;
}
