import type { Result } from "../../../result/schema.ts";
import { type Interval, medianInterval } from "../../../stats/intervals.ts";
import { type Comparison, type Entry, rank } from "../../../stats/ranking.ts";
import * as format from "../../../text/format.ts";
import { lowerBound } from "../capacity.ts";
import { isDeath, reportsOf } from "../fault-table.ts";
import { headlineOf } from "../headline-columns.ts";
import { type MeasureName, measures, overRounds, stepOf, valuesOf } from "../measure.ts";
import { describeUnequalConnections, isGeneratorLate } from "../note.ts";
import {
  describeEnding,
  listEndings,
  listSections,
  okPhases,
  type Participant,
  participantsOf,
  type Section,
  titleOf,
} from "../section.ts";
import { describeChoice, describeDeployments } from "./choice.ts";
import { describeItem, describeLoss, describeRemarks } from "./verdict-sentence.ts";

/** What a user may choose a server for. */
export type Use = "connections" | "burst" | "sustained" | "tail" | "memory" | "cpu" | "faults" | "recovery";

/** An entrant in a comparison, in the unit of the measure. */
export interface Standing {
  readonly name: string;
  /** The median over the rounds. */
  readonly value: number;
  /** Null for fewer than two rounds. */
  readonly interval: Interval | null;
}

/** Somebody who is behind the leader, or not clearly so. */
export interface Rival extends Standing {
  /** How many times better the leader is, at least 1 where that is clear. */
  readonly ratio: number;
  /** Limits of the ratio; null where one round says nothing of them. */
  readonly limits: readonly [low: number, high: number] | null;
  /** Whether the difference is beyond doubt; null where nothing can be said, from a single round. */
  readonly isClear: boolean | null;
}

export type Outcome =
  /** Everybody reached the same value, such as all connections of the plan. */
  | { readonly kind: "equal"; readonly value: number; readonly names: readonly string[] }
  /** `rivals` by their medians, best first. A tie when the first of them is not clearly behind. */
  | { readonly kind: "compared"; readonly leader: Standing; readonly rivals: readonly Rival[] }
  | { readonly kind: "alone"; readonly only: Standing }
  | { readonly kind: "none" };

export interface Unranked {
  readonly name: string;
  readonly reason: string;
  /** What is known of the value all the same. */
  readonly atLeast?: number;
}

/** All of an item but its sentences, which are made from it. */
export type JudgedItem = Omit<VerdictItem, "choice" | "text">;

export interface VerdictItem {
  readonly use: Use;
  readonly measure: MeasureName;
  /** Place of the phase in the plan. */
  readonly phaseIndex: number;
  /** Such as `Burst echo`. */
  readonly phase: string;
  /** Rounds that count, of the entrant with most. One supports no claim beyond itself. */
  readonly rounds: number;
  readonly outcome: Outcome;
  /** Who can't be compared here, and why. */
  readonly unranked: readonly Unranked[];
  /** What else a reader has to know of those compared, such as a share that was lost. */
  readonly caveats: readonly string[];
  /** Chaos: whose process ended of one client's fault. */
  readonly died: readonly string[];
  /** "Choose X when …"; null where nobody can be advised. */
  readonly choice: string | null;
  /** What the choice rests on: figures, limits and phase. */
  readonly text: string;
}

export interface Verdict {
  readonly items: readonly VerdictItem[];
  /** Advice that rests on manifests and not on a phase. */
  readonly declared: readonly string[];
  /** What holds for all of it, such as that one round supports no claim. */
  readonly remarks: readonly string[];
}

/** Judges a result, finished or not. */
export function judge(result: Result): Verdict {
  const items = listSections(result)
    .filter(({ participants }) => participants.length > 0)
    .flatMap((section) =>
      usesOf(section)
        .map(([use, measure]) => judgeMeasure(section, use, measure))
        // That a phase has nothing to show is said once.
        .filter(({ outcome, measure }) => outcome.kind !== "none" || measure === headlineOf(section)),
    );
  const declared = items.length === 0 ? [] : describeDeployments(participantsOf(result));
  return { items, declared, remarks: describeRemarks(result, items) };
}

function usesOf(section: Section): [Use, MeasureName][] {
  const headline = headlineOf(section);
  switch (section.kind) {
    case "connect":
      return [
        ["connections", headline],
        ["memory", "memoryPerConnection"],
      ];
    case "burst":
      return [["burst", headline]];
    case "endurance":
      return [
        ["sustained", headline],
        ["tail", "p99"],
        ["cpu", "cpuPerDelivery"],
      ];
    case "capacity":
      return [["sustained", headline]];
    case "chaos":
      return [
        ["faults", headline],
        ["recovery", "backAfterKill"],
      ];
  }
}

function judgeMeasure(section: Section, use: Use, name: MeasureName): VerdictItem {
  const { participants } = section;
  const measure = measures[name];
  const entries = participants.map(
    (participant): Entry => ({
      name: participant.name,
      values: valuesOf(participant, measure),
      voidReason: okPhases(participant).length > 0 ? whyNoRank(participant, name) : whyNothing(participant),
    }),
  );
  // A step that grows with the value is another one for each.
  const { better, relativeStep } = measure;
  const steps =
    relativeStep === undefined ? { step: stepOf(participants, measure) } : { step: 0, relativeStep };
  const ranking = rank({ better, ...steps }, entries);
  const standings = ranking.groups.flat().flatMap((entrant) => {
    const participant = participants.find(({ name }) => name === entrant);
    return participant === undefined ? [] : [standingOf(participant, name)];
  });
  const counted = participants.filter(({ name }) => standings.some((standing) => standing.name === name));
  const item: JudgedItem = {
    use,
    measure: name,
    phaseIndex: section.index,
    phase: titleOf(section),
    rounds: Math.max(0, ...counted.map((participant) => okPhases(participant).length)),
    outcome: decide(standings, ranking.comparisons, counted, name),
    unranked: ranking.unranked.map(({ name: entrant, reason }): Unranked => {
      const participant = participants.find(({ name }) => name === entrant);
      const bound = participant === undefined || name !== "capacity" ? null : lowerBound(participant);
      return { name: entrant, reason, ...(bound === null ? {} : { atLeast: bound }) };
    }),
    died:
      use === "faults"
        ? counted.filter((participant) => reportsOf(participant).some(isDeath)).map((one) => one.name)
        : [],
    caveats: [
      ...counted.flatMap((participant) => findCaveats(participant, use)),
      ...(name === headlineOf(section)
        ? [describeUnequalConnections(section)].filter((text) => text !== null)
        : []),
    ],
  };
  return { ...item, choice: describeChoice(item), text: describeItem(item) };
}

function decide(
  standings: readonly Standing[],
  comparisons: readonly Comparison[],
  participants: readonly Participant[],
  name: MeasureName,
): Outcome {
  const [leader, ...others] = standings;
  if (leader === undefined) return { kind: "none" };
  if (others.length === 0) return { kind: "alone", only: leader };
  if (isSame(standings, participants, name)) {
    return { kind: "equal", value: leader.value, names: standings.map((standing) => standing.name) };
  }
  return { kind: "compared", leader, rivals: others.flatMap((other) => rivalOf(leader, other, comparisons)) };
}

/** Exactly the same, or as good as: of an offered rate nobody can hold more than all. */
function isSame(
  standings: readonly Standing[],
  participants: readonly Participant[],
  name: MeasureName,
): boolean {
  if (new Set(standings.map(({ value }) => value)).size === 1) return true;
  const shares = participants.flatMap((participant) => valuesOf(participant, measures.heldShare));
  return name === "held" && shares.every((share) => share === null || share >= heldCompletely);
}

/** A delivery or two are still under way when the load ends. */
const heldCompletely = 0.999;

function rivalOf(leader: Standing, other: Standing, comparisons: readonly Comparison[]): Rival[] {
  const comparison = comparisons.find(
    ({ first, second }) => [first, second].includes(leader.name) && [first, second].includes(other.name),
  );
  if (comparison === undefined || comparison.verdict.kind === "void") return [];
  const { verdict } = comparison;
  // The median of the rounds' ratios may favour the one whose own median is behind.
  const isTurned = comparison.first !== leader.name;
  const turn = (ratio: number) => (isTurned ? 1 / ratio : ratio);
  if (verdict.kind === "single-round") {
    return [{ ...other, ratio: turn(verdict.ratio), limits: null, isClear: null }];
  }
  const low = turn(isTurned ? verdict.high : verdict.low);
  const high = turn(isTurned ? verdict.low : verdict.high);
  const isClear = verdict.kind === "faster" && !isTurned;
  return [{ ...other, ratio: turn(verdict.ratio), limits: [low, high], isClear }];
}

function standingOf(participant: Participant, name: MeasureName): Standing {
  const values = valuesOf(participant, measures[name]).filter((value) => value !== null);
  return {
    name: participant.name,
    value: overRounds(participant, measures[name]) ?? 0,
    interval: medianInterval(values),
  };
}

function whyNothing(participant: Participant): string {
  const [ending] = listEndings(participant);
  return ending === undefined ? "no round was planned" : describeEnding(ending);
}

/** Of a capacity that something else ended, no more is known than that it is higher; of a recovery that was not seen, nothing. */
function whyNoRank(participant: Participant, name: MeasureName): string | null {
  if (name === "backAfterKill" && overRounds(participant, measures.backAfterKill) === null) {
    const isKilled = reportsOf(participant).some(({ fault }) => fault === "kill");
    return isKilled ? "did not serve everybody again before the load ended" : "was not killed";
  }
  if (name !== "capacity") return null;
  const bound = lowerBound(participant);
  if (bound !== null)
    return `at least ${measures.capacity.format(bound)}, no doing of the server ended the search`;
  return overRounds(participant, measures.capacity) === null ? "held no rate" : null;
}

/** A rate over what is left of the messages is another thing than one over all of them. */
function findCaveats(participant: Participant, use: Use): string[] {
  if (use === "tail" && isGeneratorLate(participant)) {
    const lag = measures.sendLagP99.format(overRounds(participant, measures.sendLagP99));
    return [`Up to ${lag} of ${participant.name}'s figure may be the generator's own lateness.`];
  }
  if (use === "faults") return describeDeaths(participant);
  if (use !== "burst" && use !== "sustained") return [];
  const accounts = okPhases(participant)
    .map(({ messages }) => messages)
    .filter((messages) => messages !== null);
  const sum = (pick: (messages: (typeof accounts)[number]) => number) =>
    accounts.reduce((all, messages) => all + pick(messages), 0);
  const expected = sum(({ expected }) => expected);
  const lost = sum(({ lost }) => lost);
  if (lost === 0 || expected === 0) return [];
  const declared = Math.min(
    lost,
    sum(({ declaredDropped }) => declaredDropped ?? 0),
  );
  return [describeLoss(participant.name, lost, expected, declared)];
}

/** A server that dies of one client's fault takes everybody along, whatever its share of deliveries in time. */
function describeDeaths(participant: Participant): string[] {
  const deaths = reportsOf(participant).filter(isDeath);
  return [...Map.groupBy(deaths, ({ fault }) => fault).values()].flatMap((reports) => {
    const [first] = reports;
    if (first === undefined) return [];
    const most = Math.max(...reports.map(({ lostConnections }) => lostConnections));
    const rounds = reports.length > 1 ? ` in ${format.plural(reports.length, "round")}` : "";
    return [
      `${participant.name} died of ${first.fault} (${first.server.exit})${rounds}, and ${format.plural(most, "connection")} of others with it.`,
    ];
  });
}
