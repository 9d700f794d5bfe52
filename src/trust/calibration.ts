import type { ResolvedEntrant } from "../contenders/entrants.ts";
import { pairUp, termsOf } from "../judgement/compare-rounds.ts";
import { measureOf } from "../measures/catalogue.ts";
import { listEndings, valuesOf } from "../measures/figures.ts";
import { listSections, type Participant } from "../measures/sections.ts";
import type { Reason } from "../result/reasons.ts";
import type { Result } from "../result/schema.ts";
import { smallestDetectable } from "../stats/detectable.ts";
import { judgeSequentially, type PairJudgement, type PairOutcome } from "../stats/pair-outcomes.ts";

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
  /** That there may have been: at the last look. */
  readonly mostRounds: number;
  /** Of the whole calibration. */
  readonly durationMs: number;
  /** Deliveries per second in the burst, by role and round; null for a round that has none. */
  readonly perSecond: Readonly<Record<Role, readonly (number | null)[]>>;
  /** Why a round does not count; null where all do. */
  readonly reason: Reason | null;
  /** Of `first` and `again`, of which neither may lead; null where they can't be compared. */
  readonly same: PairOutcome | null;
  /** Each of the others against `slowed`, which both must lead. */
  readonly slowed: readonly PairJudgement[];
  readonly holds: { readonly noFalseDifference: boolean; readonly differenceFound: boolean };
  /** The smallest difference of two contenders that nine of ten runs like this would find, as a share; null where it can't be told. */
  readonly resolvableShare: number | null;
}

/** Judges a calibration's result by the deliveries per second of its burst phase, as any run is judged. */
export function judgeCalibration(result: Result, contender: string, handicapShare: number): Calibration {
  const throughput = measureOf("throughput");
  const participants = listSections(result).find(({ kind }) => kind === "burst")?.participants ?? [];
  const inRole = (role: Role) => participants.find(({ facts }) => facts.variant === role);
  const present = roles.flatMap((role) => {
    const participant = inRole(role);
    return participant === undefined ? [] : [{ ...participant, name: role }];
  });
  const pairs = pairUp(present, throughput);
  const terms = termsOf(result);
  const judged = judgeSequentially(pairs, terms);
  const areAmong = ({ first, second }: PairJudgement, names: readonly Role[]) =>
    names.some((name) => name === first) && names.some((name) => name === second);
  const same = judged.find((pair) => areAmong(pair, ["first", "again"]))?.outcome ?? null;
  const slowed = judged.filter((pair) => !areAmong(pair, ["first", "again"]));
  const perSecond = (role: Role) => valuesOf(inRole(role) ?? { phases: [] }, throughput);
  return {
    contender,
    handicapShare,
    rounds: terms.look,
    mostRounds: terms.looks.at(-1) ?? terms.look,
    durationMs: Math.max(0, Date.parse(result.finishedAt ?? result.startedAt) - Date.parse(result.startedAt)),
    perSecond: { first: perSecond("first"), again: perSecond("again"), slowed: perSecond("slowed") },
    reason: reasonOf(present),
    same,
    slowed,
    holds: {
      noFalseDifference: same?.kind === "equivalent" || same?.kind === "undecided",
      differenceFound:
        slowed.length > 0 &&
        slowed.every(({ second, outcome }) => outcome.kind === "leads" && second === "slowed"),
    },
    resolvableShare: smallestDetectable(pairs, { contenders: 2, looks: terms.looks }),
  };
}

function reasonOf(present: readonly Participant[]): Reason | null {
  const [ending] = present.flatMap(listEndings);
  return ending?.reason ?? null;
}
