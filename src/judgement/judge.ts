import { decidingMeasures, measureOf } from "../measures/catalogue.ts";
import { overRounds, stepOf, valuesOf } from "../measures/figures.ts";
import type { Measure } from "../measures/measure.ts";
import { listSections, okPhases, type Participant, type Section } from "../measures/sections.ts";
import type { Judgement, Place } from "../result/judgement.ts";
import type { Result } from "../result/schema.ts";
import { medianInterval } from "../stats/intervals.ts";
import { type Comparison, type Ranking, rank } from "../stats/ranking.ts";
import { type Standing, standingOf } from "./standing.ts";

/**
 * What may be concluded of a run: one judgement for each measure that decides and phase, in the order of the plan.
 * None of a phase that nobody came to.
 */
export function judge(result: Result): Judgement[] {
  return listSections(result).flatMap((section) =>
    section.participants.every(({ phases }) => phases.every((phase) => phase === null))
      ? []
      : decidingMeasures[section.kind].map((name) => judgeMeasure(section, measureOf(name))),
  );
}

interface Candidate extends Standing {
  readonly participant: Participant;
}

function judgeMeasure(section: Section, measure: Measure): Judgement {
  const standings = section.participants.map((participant) => ({
    participant,
    ...standingOf(participant, measure),
  }));
  const comparable = standings.filter(isComparable);
  // One that did all that was asked where the others failed is no tie.
  const isTie = comparable.length > 1 || comparable.length === standings.length;
  const isCensored = comparable.length > 0 && isTie && comparable.every(isAtCeiling);
  // Where somebody did not reach the ceiling, those who did are compared with it by what they reached.
  const candidates = isCensored ? standings : standings.map(uncensor);
  const ranked = candidates.filter(({ standing }) => standing === "ranked");
  const ranking = rankCandidates(measure, ranked);
  const places = order(candidates, ranking, measure).map((candidate) => placeOf(candidate, measure, ranking));
  const [first] = places;
  const best =
    first?.standing === "ranked"
      ? places
          .filter(
            (place) => place.standing === "ranked" && !isBeaten(place.contender, first.contender, ranking),
          )
          .map(({ contender }) => contender)
      : [];
  return {
    measure: measure.name,
    phase: section.name,
    phaseIndex: section.index,
    league: null,
    outcome: isCensored ? "censored" : outcomeOf(candidates, places, best),
    rounds: sharedRounds(comparable, measure),
    places,
    best,
    limit: isCensored ? commonLimit(comparable) : null,
  };
}

function outcomeOf(
  candidates: readonly Candidate[],
  places: readonly Place[],
  best: readonly string[],
): Judgement["outcome"] {
  const ranked = places.filter(({ standing }) => standing === "ranked");
  if (ranked.length === 0) {
    if (candidates.some(({ standing }) => standing === "invalid")) return "invalid";
    return candidates.some(({ standing }) => standing === "unfit") ? "unfit" : "undecided";
  }
  if (ranked.every(({ rounds }) => rounds < 2)) return "single";
  // Somebody may do more than all others: nobody knows how much.
  const highest = Math.max(...ranked.map(({ value }) => value ?? 0));
  const isOpen = places.some(({ standing, value }) => standing === "lower-bound" && (value ?? 0) > highest);
  return ranked.length > 1 && best.length === 1 && !isOpen ? "leads" : "undecided";
}

function isComparable({ standing }: Candidate): boolean {
  return standing === "ranked" || standing === "censored" || standing === "lower-bound";
}

/** A lower bound is one too: the generator ended the search. */
function isAtCeiling({ standing }: Candidate): boolean {
  return standing !== "ranked";
}

function uncensor(candidate: Candidate): Candidate {
  return candidate.standing === "censored" ? { ...candidate, standing: "ranked" } : candidate;
}

function commonLimit(candidates: readonly Candidate[]): Judgement["limit"] {
  return candidates.find(({ limit }) => limit !== null)?.limit ?? null;
}

function rankCandidates(measure: Measure, candidates: readonly Candidate[]): Ranking {
  const participants = candidates.map(({ participant }) => participant);
  const step = stepOf(participants, measure);
  // Zero has no ratio to anything; of what comes in steps it is only known to be less than one.
  const positive = (value: number | null) => (value === null ? null : Math.max(value, value <= 0 ? step : 0));
  return rank(
    { better: measure.better, step },
    participants.map((participant) => ({
      name: participant.name,
      values: valuesOf(participant, measure).map(positive),
      voidReason: null,
    })),
  );
}

const lastStandings = ["ranked", "censored", "lower-bound", "unfit", "invalid", "absent"] as const;

/** Best first; then those that are not ranked. */
function order(candidates: readonly Candidate[], ranking: Ranking, measure: Measure): Candidate[] {
  const names = ranking.groups.flat();
  const worth = ({ participant }: Candidate) => {
    const value = boundOf(participant, measure) ?? Number.NEGATIVE_INFINITY;
    return measure.better === "higher" ? -value : value;
  };
  const placeIn = ({ participant, standing }: Candidate) =>
    standing === "ranked" ? names.indexOf(participant.name) : 0;
  return candidates
    .map(
      (candidate): Candidate =>
        // Without a ratio to anything.
        candidate.standing === "ranked" && !names.includes(candidate.participant.name)
          ? { ...candidate, standing: "unfit" }
          : candidate,
    )
    .sort(
      (a, b) =>
        lastStandings.indexOf(a.standing) - lastStandings.indexOf(b.standing) ||
        placeIn(a) - placeIn(b) ||
        (a.standing === "ranked" ? 0 : worth(a) - worth(b)),
    );
}

function placeOf({ participant, standing, reason }: Candidate, measure: Measure, ranking: Ranking): Place {
  const values = valuesOf(participant, measure).filter((value) => value !== null);
  const interval = medianInterval(values);
  const [first] = ranking.groups[0] ?? [];
  const isRival = standing === "ranked" && first !== undefined && first !== participant.name;
  return {
    contender: participant.name,
    value: boundOf(participant, measure),
    interval: interval === null ? null : { low: interval.low, high: interval.high },
    rounds: values.length,
    ratio: isRival ? ratioOf(first, participant.name, ranking) : null,
    standing,
    reason,
  };
}

/** The value over the rounds; of a capacity that only the generator ended, the most that is known to be sustained. */
function boundOf(participant: Participant, measure: Measure): number | null {
  const value = overRounds(participant, measure);
  if (value !== null || measure.name !== "capacity") return value;
  const sustained = okPhases(participant).flatMap((phase) =>
    phase.kind === "capacity" ? (phase.capacity.ratePerSecond ?? []) : [],
  );
  return sustained.length === 0 ? null : Math.max(...sustained);
}

function compared(one: string, other: string, { comparisons }: Ranking): Comparison | undefined {
  return comparisons.find(
    ({ first, second }) => (first === one && second === other) || (first === other && second === one),
  );
}

function isBeaten(name: string, by: string, ranking: Ranking): boolean {
  const comparison = compared(name, by, ranking);
  return comparison?.verdict.kind === "faster" && comparison.first === by;
}

/** How many times better the first is. */
function ratioOf(first: string, name: string, ranking: Ranking): Place["ratio"] {
  const comparison = compared(first, name, ranking);
  if (comparison === undefined || !("low" in comparison.verdict)) return null;
  const { ratio: value, low, high } = comparison.verdict;
  return comparison.first === first
    ? { value, low, high }
    : { value: 1 / value, low: 1 / high, high: 1 / low };
}

/** What every compared pair has at least; of one alone, its own rounds. */
function sharedRounds(candidates: readonly Candidate[], measure: Measure): number {
  const rounds = candidates.map(({ participant, standing }) =>
    standing === "lower-bound"
      ? participant.phases.map((phase) => phase?.status === "ok")
      : valuesOf(participant, measure).map((value) => value !== null),
  );
  const counts = rounds.flatMap((done, at) =>
    (rounds.length === 1 ? rounds : rounds.slice(at + 1)).map(
      (others) => done.filter((isDone, round) => isDone && others[round]).length,
    ),
  );
  return counts.length === 0 ? 0 : Math.min(...counts);
}
