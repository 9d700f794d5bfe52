import type { ResolvedEntrant } from "../contenders/entrants.ts";
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
  /** Why an entry may not be ranked, such as a saturated generator. */
  readonly voidReason: string | null;
  /** Of `first` and `again`, which must come out as no clear difference. */
  readonly same: Verdict;
  /** Of `slowed` against each of the others, which must come out as slower. */
  readonly slowed: readonly Verdict[];
  readonly holds: { readonly noFalseDifference: boolean; readonly differenceFound: boolean };
  /** The smallest difference that nine of ten runs like this would find, as a share; null where it can't be told. */
  readonly resolvableShare: number | null;
}

/** Judges a calibration's result by the deliveries per second of its burst phase. */
export function judgeCalibration(result: Result, contender: string, handicapShare: number): Calibration {
  const phasesOf = (role: Role) =>
    result.rounds
      .filter((round) => round.variant === role)
      .sort((a, b) => a.round - b.round)
      .map((round) => round.phases.find(({ kind }) => kind === "burst") ?? null);
  const valuesOf = (role: Role) =>
    phasesOf(role).map((phase) => phase?.throughput?.deliveriesPerSecond ?? null);
  const perSecond = { first: valuesOf("first"), again: valuesOf("again"), slowed: valuesOf("slowed") };
  const entries = roles.map((name): Entry => {
    const bad = phasesOf(name).find((phase) => phase === null || phase.status !== "ok");
    const voidReason = bad === undefined ? null : (bad?.reason ?? "a round has no burst");
    return { name, values: perSecond[name], voidReason };
  });
  const { comparisons } = rank({ better: "higher", step: 0 }, entries);
  const find = (a: Role, b: Role) =>
    comparisons.find(({ first, second }) => [first, second].sort().join() === [a, b].sort().join());
  const same = find("first", "again")?.verdict ?? { kind: "void", reason: "not compared" };
  const against = (["first", "again"] as const).map((role) => find(role, "slowed"));
  return {
    contender,
    handicapShare,
    rounds: result.plan.rounds,
    perSecond,
    voidReason: entries.map((entry) => entry.voidReason).find((reason) => reason !== null) ?? null,
    same,
    slowed: against.map((comparison) => comparison?.verdict ?? { kind: "void", reason: "not compared" }),
    holds: {
      noFalseDifference: same.kind === "no-clear-difference",
      differenceFound: against.every(
        (comparison) => comparison?.verdict.kind === "faster" && comparison.second === "slowed",
      ),
    },
    resolvableShare: resolvable(perSecond),
  };
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
