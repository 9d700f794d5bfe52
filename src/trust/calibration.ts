import type { ResolvedEntrant } from "../contenders/entrants.ts";
import type { BurstPhase } from "../result/phase.ts";
import type { Reason } from "../result/reasons.ts";
import type { Result } from "../result/schema.ts";
import { type Entry, rank, smallestResolvableDifference, type Verdict } from "../stats/ranking.ts";

/** The three entries of a calibration: one contender twice, and once more with a handicap. */
export const roles = ["first", "again", "slowed"] as const;
export type Role = (typeof roles)[number];

/** The same contender under three names: a variant's place is where its role stands. */
export function enterThrice(entrant: ResolvedEntrant): ResolvedEntrant[] {
  return roles.map((variant) => ({ ...entrant, variant }));
}

export interface Calibration {
  readonly contender: string;
  /** The share that was taken from `slowed`. */
  readonly handicapShare: number;
  readonly rounds: number;
  /** Deliveries per second in the burst, by role and round; null for a round that has none. */
  readonly perSecond: Readonly<Record<Role, readonly (number | null)[]>>;
  /** Why an entry can't be compared; null when all can. */
  readonly reason: Reason | null;
  /** Of `first` and `again`, which must come out as no clear difference; null where they can't be compared. */
  readonly same: Verdict | null;
  /** Of `slowed` against each of the others, which must come out as slower. */
  readonly slowed: readonly (Verdict | null)[];
  readonly holds: { readonly noFalseDifference: boolean; readonly differenceFound: boolean };
  /** The smallest difference that nine of ten runs like this would find, as a share; null where it can't be told. */
  readonly resolvableShare: number | null;
}

/** Judges a calibration's result by the deliveries per second of its burst phase. */
export function judgeCalibration(result: Result, contender: string, handicapShare: number): Calibration {
  const bursts = new Map(roles.map((role) => [role, burstsOf(result, role)]));
  const valuesOf = (role: Role) =>
    (bursts.get(role) ?? []).map((phase) => phase?.throughput?.deliveriesPerSecond ?? null);
  const perSecond = { first: valuesOf("first"), again: valuesOf("again"), slowed: valuesOf("slowed") };
  const bad = [...bursts.values()].flat().find((phase) => phase === null || phase.status !== "ok");
  const entries = roles.map((name): Entry => ({ name, values: perSecond[name], voidReason: null }));
  const comparisons = bad === undefined ? rank({ better: "higher", step: 0 }, entries).comparisons : [];
  const find = (a: Role, b: Role) =>
    comparisons.find(({ first, second }) => [first, second].sort().join() === [a, b].sort().join());
  const same = find("first", "again")?.verdict ?? null;
  const against = (["first", "again"] as const).map((role) => find(role, "slowed"));
  return {
    contender,
    handicapShare,
    rounds: result.plan.rounds,
    perSecond,
    reason: bad === undefined ? null : (bad?.reason ?? roundReason(result)),
    same,
    slowed: against.map((comparison) => comparison?.verdict ?? null),
    holds: {
      noFalseDifference: same?.kind === "no-clear-difference",
      differenceFound: against.every(
        (comparison) => comparison?.verdict.kind === "faster" && comparison.second === "slowed",
      ),
    },
    resolvableShare: resolvable(perSecond),
  };
}

/** By round; null where the burst was not come to. */
function burstsOf({ rounds }: Result, role: Role): (BurstPhase | null)[] {
  return rounds
    .filter(({ variant }) => variant === role)
    .sort((a, b) => a.round - b.round)
    .map(({ phases }) => {
      const burst = phases.find(({ kind }) => kind === "burst");
      return burst?.kind === "burst" && burst.status !== "not-run" ? burst : null;
    });
}

function roundReason({ rounds }: Result): Reason | null {
  return rounds.find(({ reason }) => reason !== null)?.reason ?? null;
}

function resolvable(perSecond: Calibration["perSecond"]): number | null {
  const rounds = roles.map((role) => perSecond[role]);
  const whole = (rounds[0] ?? []).flatMap((_, at) =>
    rounds.every((values) => (values[at] ?? 0) > 0) ? [at] : [],
  );
  return whole.length < 2
    ? null
    : smallestResolvableDifference(rounds.map((values) => whole.map((at) => values[at] as number)));
}
