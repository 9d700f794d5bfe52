import { decidingMeasures, measureOf } from "../measures/catalogue.ts";
import { overRounds, stepOf, valuesOf } from "../measures/figures.ts";
import type { Measure } from "../measures/measure.ts";
import { listSections, okPhases, type Participant, type Section } from "../measures/sections.ts";
import { sharesCpus } from "../plan/plan.ts";
import type { JudgedPair, Judgement, Place } from "../result/judgement.ts";
import type { Result } from "../result/schema.ts";
import { medianInterval } from "../stats/intervals.ts";
import { judgeSequentially, type PairJudgement, type Terms } from "../stats/pair-outcomes.ts";
import { pairUp, termsOf } from "./compare-rounds.ts";
import { explainFactor } from "./explain.ts";
import { groupRivals } from "./league.ts";
import { orderByLead } from "./order.ts";
import { type Standing, standingOf } from "./standing.ts";

/**
 * What may be concluded of a run: one judgement for each phase, measure that decides and league, in the order of the
 * plan. None of a phase that nobody of a league came to.
 */
export function judge(result: Result): Judgement[] {
  const terms = termsOf(result);
  const cpus = { serverCpus: result.plan.serverCpus?.length ?? null, sharesCpus: sharesCpus(result.plan) };
  return listSections(result).flatMap((section) => {
    const leagues = groupRivals(section.participants).filter(([, participants]) =>
      participants.some(({ phases }) => phases.some((phase) => phase !== null)),
    );
    return decidingMeasures[section.kind].flatMap((name) =>
      leagues.map(([league, participants]) => {
        const judged = judgeMeasure(participants, measureOf(name), terms);
        const causes = explainFactor(judged, participants);
        return { ...judged, ...nameSection(section), league, ...cpus, causes };
      }),
    );
  });
}

function nameSection({ name, index }: Section): Pick<Judgement, "phase" | "phaseIndex"> {
  return { phase: name, phaseIndex: index };
}

interface Candidate extends Standing {
  readonly participant: Participant;
}

function judgeMeasure(
  participants: readonly Participant[],
  measure: Measure,
  terms: Terms,
): Omit<Judgement, "phase" | "phaseIndex" | "league" | "serverCpus" | "sharesCpus" | "causes"> {
  const standings = participants.map((participant) => ({
    participant,
    ...standingOf(participant, measure),
  }));
  const comparable = standings.filter(isComparable);
  // One that did all that was asked where the others failed is no tie.
  const isTie = comparable.length > 1 || comparable.length === standings.length;
  const isCensored = comparable.length > 0 && isTie && comparable.every(isAtCeiling);
  const atCeiling = standings.filter(({ standing }) => standing === "censored");
  // Where somebody did not reach the ceiling, those who did are compared with it by what they reached.
  const candidates = isCensored ? standings : standings.map(uncensor).map((one) => demote(one, measure));
  const ranked = candidates.filter(({ standing }) => standing === "ranked");
  const hitCeiling = (name: string) => atCeiling.some(({ participant }) => participant.name === name);
  const pairs = judgeSequentially(
    pairUp(
      ranked.map(({ participant }) => participant),
      measure,
    ).filter(({ first, second }) => !(hitCeiling(first) && hitCeiling(second))),
    terms,
  );
  const places = order(candidates, pairs, measure).map((candidate) => placeOf(candidate, measure));
  const best = places
    .filter(({ standing, contender }) => standing === "ranked" && !pairs.some(isLeadOver(contender)))
    .map(({ contender }) => contender);
  // Two that both did all that was asked are the best, and nobody knows which.
  const areBestCensored = best.length > 1 && best.every(hitCeiling);
  return {
    measure: measure.name,
    outcome: isCensored || areBestCensored ? "censored" : outcomeOf(places, best, pairs),
    rounds: sharedRounds(comparable, measure),
    places,
    pairs: pairs.map(tellPair),
    best,
    limit: isCensored || areBestCensored ? commonLimit(atCeiling) : null,
  };
}

function outcomeOf(
  places: readonly Place[],
  best: readonly string[],
  pairs: readonly PairJudgement[],
): Judgement["outcome"] {
  const ranked = places.filter(({ standing }) => standing === "ranked");
  const bounds = places.filter(({ standing }) => standing === "lower-bound");
  const comparable = ranked.length + bounds.length;
  if (comparable === 0) {
    if (places.some(({ standing }) => standing === "invalid")) return "invalid";
    return places.some(({ standing }) => standing === "unfit") ? "unfit" : "undecided";
  }
  if (comparable === 1) return "alone";
  if (ranked.length > 0 && ranked.every(({ rounds }) => rounds < 2)) return "single";
  // Somebody may do more than all others: nobody knows how much.
  const highest = Math.max(...ranked.map(({ value }) => value ?? 0));
  if (ranked.length === 1 || bounds.some(({ value }) => (value ?? 0) > highest)) return "undecided";
  if (best.length === 1) return "leads";
  const amongBest = pairs.filter(({ first, second }) => best.includes(first) && best.includes(second));
  const areEqual = amongBest.every(({ outcome }) => outcome.kind === "equivalent");
  return amongBest.length > 0 && areEqual ? "equivalent" : "undecided";
}

const isLeadOver =
  (name: string) =>
  ({ second, outcome }: PairJudgement): boolean =>
    outcome.kind === "leads" && second === name;

function tellPair({ first, second, outcome }: PairJudgement): JudgedPair {
  switch (outcome.kind) {
    case "equivalent":
      return { first, second, ...outcome, confidence: 0.9 };
    case "leads":
    case "undecided":
      return { first, second, ...outcome, confidence: 0.95 };
    case "early":
    case "absent":
      return { first, second, ...outcome };
  }
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

/** Zero has no ratio to anything. */
function demote(candidate: Candidate, measure: Measure): Candidate {
  const { participant, standing } = candidate;
  const hasRatio = (overRounds(participant, measure) ?? 0) > 0 || stepOf([participant], measure) > 0;
  return standing === "ranked" && !hasRatio ? { ...candidate, standing: "unfit" } : candidate;
}

function commonLimit(candidates: readonly Candidate[]): Judgement["limit"] {
  return candidates.find(({ limit }) => limit !== null)?.limit ?? null;
}

const lastStandings = ["ranked", "censored", "lower-bound", "unfit", "invalid", "absent"] as const;

/** Best first; then those that are not ranked. */
function order(
  candidates: readonly Candidate[],
  pairs: readonly PairJudgement[],
  measure: Measure,
): Candidate[] {
  const worth = ({ participant }: Candidate) => {
    const value = boundOf(participant, measure) ?? Number.NEGATIVE_INFINITY;
    return measure.better === "higher" ? -value : value;
  };
  const byFigures = candidates.toSorted(
    (a, b) =>
      lastStandings.indexOf(a.standing) - lastStandings.indexOf(b.standing) || worth(a) - worth(b) || 0,
  );
  const names = orderByLead(
    byFigures.filter(({ standing }) => standing === "ranked").map(({ participant }) => participant.name),
    (one, other) => pairs.some((pair) => pair.first === one && isLeadOver(other)(pair)),
  );
  const placeIn = ({ participant, standing }: Candidate) =>
    standing === "ranked" ? names.indexOf(participant.name) : names.length;
  return byFigures.toSorted((a, b) => placeIn(a) - placeIn(b));
}

function placeOf({ participant, standing, reason }: Candidate, measure: Measure): Place {
  const values = valuesOf(participant, measure).filter((value) => value !== null);
  const interval = medianInterval(values);
  return {
    contender: participant.name,
    value: boundOf(participant, measure),
    interval: interval === null ? null : { low: interval.low, high: interval.high },
    rounds: values.length,
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
