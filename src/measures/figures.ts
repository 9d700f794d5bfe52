import type { Phase } from "../result/phase.ts";
import type { Reason } from "../result/reasons.ts";
import type { Result } from "../result/schema.ts";
import { median } from "../stats/intervals.ts";
import { catalogue } from "./catalogue.ts";
import type { Measure } from "./measure.ts";
import { listSections, okPhases, type Participant } from "./sections.ts";

/** Why a contender has nothing to show for a round. */
export interface Ending {
  /** `not-run` also of a round that did not come to this phase. */
  readonly status: Exclude<Phase["status"], "ok">;
  readonly reason: Reason | null;
}

/** What one contender measured of one thing in one phase, over all rounds of a run. */
export interface Figure {
  /** `go-gorilla:tuned` */
  readonly contender: string;
  /** `burst-echo`; its second occurrence in a plan is `burst-echo#2`. */
  readonly phase: string;
  readonly measure: Measure;
  /** Of the rounds that count, in their order. */
  readonly values: readonly number[];
  /** Of the rounds that count, those in which a quantile was not reached: it is infinite in them, and not in `values`. */
  readonly unreached: number;
  /** What stands for all rounds; null when no round has it. */
  readonly value: number | null;
  /** How the last round without it ended; null where there is a value, or a phase was done and had none. */
  readonly missing: Ending | null;
  /** The step in which the values come, in their unit. */
  readonly step: number;
}

/** Every figure of a result: phases in the order of the plan, then contenders, then measures. */
export function listFigures(result: Result): Figure[] {
  return listSections(result).flatMap(({ kind, name, participants }) =>
    participants.flatMap((participant) =>
      catalogue
        .filter(({ kinds }) => kinds.includes(kind))
        .map((measure): Figure => {
          const value = overRounds(participant, measure);
          return {
            contender: participant.name,
            phase: name,
            measure,
            values: valuesOf(participant, measure).filter((one) => one !== null),
            unreached: okPhases(participant).filter(measure.isBeyondReach).length,
            value,
            missing: value === null ? (listEndings(participant).at(-1) ?? null) : null,
            step: stepOf([participant], measure),
          };
        }),
    ),
  );
}

/** One value per round, at the round's place; null where the round has none that counts. */
export function valuesOf({ phases }: Pick<Participant, "phases">, { pick }: Measure): (number | null)[] {
  return phases.map((phase) => (phase?.status === "ok" ? pick(phase) : null));
}

/**
 * The value that stands for all rounds: the median, or the worst where the measure says so. A quantile that a round did
 * not reach is infinite in it; null where that is what stands for all.
 */
export function overRounds(participant: Pick<Participant, "phases">, measure: Measure): number | null {
  const known = valuesOf(participant, measure).filter((value) => value !== null);
  const lost = okPhases(participant).filter(measure.isBeyondReach);
  const values = [...known, ...lost.map(() => Number.POSITIVE_INFINITY)];
  if (values.length === 0) return null;
  const worst = measure.better === "lower" ? Math.max : Math.min;
  const value = measure.over === "median" ? median(values) : worst(...values);
  return Number.isFinite(value) ? value : null;
}

/** The step for comparing: the coarsest of those that took part. */
export function stepOf(participants: readonly Pick<Participant, "phases">[], { step }: Measure): number {
  return Math.max(0, ...participants.flatMap(okPhases).map(step));
}

/** One for each round in which the phase was not done; a round that never got so far answers for it. */
export function listEndings({ phases, rounds }: Participant): Ending[] {
  return phases.flatMap((phase, at): Ending[] => {
    if (phase !== null) return phase.status === "ok" ? [] : [{ status: phase.status, reason: phase.reason }];
    const round = rounds[at] ?? null;
    return round === null || round.status === "ok"
      ? [{ status: "not-run", reason: null }]
      : [{ status: round.status, reason: round.reason }];
  });
}
