import type { ContenderFacts, Result } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import { type MeasureName, measures } from "../measure.ts";
import { nameOf, participantsOf } from "../section.ts";
import type { JudgedItem, Rival, Standing, VerdictItem } from "./verdict.ts";

interface Phrase {
  /** What the leader did: `delivered the most`. */
  readonly most: string;
  /** Countable things are many. */
  readonly isCount?: true;
  /** What everybody did: `opened 1,000 connections`. */
  readonly each: (value: string) => string;
}

const phrases: Readonly<Partial<Record<MeasureName, Phrase>>> = {
  opened: {
    most: "opened the most connections",
    isCount: true,
    each: (value) => `opened ${value} connections`,
  },
  memoryPerConnection: {
    most: "needed the least memory per connection",
    each: (value) => `needed ${value} of memory per connection`,
  },
  throughput: { most: "delivered the most", isCount: true, each: (value) => `delivered ${value}` },
  held: { most: "held the highest rate", each: (value) => `held ${value}` },
  capacity: {
    most: "sustained the most",
    isCount: true,
    each: (value) => `sustained ${value}`,
  },
  p99: { most: "had the lowest p99 latency", each: (value) => `had a p99 latency of ${value}` },
  inTime: {
    most: "kept the neighbours of a fault best served",
    each: (value) => `served ${value} of deliveries to the neighbours of a fault in time`,
  },
  backAfterKill: {
    most: "served everybody again soonest after the process was killed",
    each: (value) => `served everybody again ${value} after the process was killed`,
  },
  cpuPerDelivery: {
    most: "spent the least processor time per delivery",
    each: (value) => `spent ${value} of processor time per delivery`,
  },
};

/** In a single round, closer than this is called close, not ahead. */
const closeRatio = 1.05;
/** A clear difference below this is no reason to choose. */
const slightRatio = 1.01;

/** One or two sentences with their numbers, phase and basis. */
export function describeItem(item: JudgedItem): string {
  const basis = item.rounds === 0 ? "" : ` (${item.rounds === 1 ? "one round" : `${item.rounds} rounds`})`;
  return [`${item.phase}${basis}: ${describeOutcome(item)}.`, ...describeLimitations(item)].join(" ");
}

function describeOutcome({ outcome, measure, rounds, unranked }: JudgedItem): string {
  const { most: unlimited, each } = phrases[measure] ?? { most: "was best", each: (value) => `had ${value}` };
  // Nobody is called the best while somebody else may be better.
  const isOpen = unranked.some(({ atLeast }) => atLeast !== undefined);
  const most = isOpen ? `${unlimited} of those whose limit was found` : unlimited;
  const write = measures[measure].format;
  switch (outcome.kind) {
    case "none":
      return "nobody has a figure that counts";
    case "alone":
      return `${outcome.only.name} ${each(write(outcome.only.value))}; there is nobody to compare it with`;
    case "equal": {
      const { names } = outcome;
      const all = names.length === 2 ? "both" : `all ${format.formatSmallCount(names.length)}`;
      const everyone = unranked.length === 0 ? all : format.joinNames(names);
      return `${everyone} ${each(write(outcome.value))}`;
    }
    case "compared":
      return describeComparison(outcome.leader, outcome.rivals, { measure, most, rounds });
  }
}

interface Wording {
  readonly measure: MeasureName;
  readonly most: string;
  readonly rounds: number;
}

function describeComparison(leader: Standing, rivals: readonly Rival[], wording: Wording): string {
  const value = measures[wording.measure].format(leader.value);
  const level = rivals.filter((rival) => isLevel(rival));
  const behind = rivals.filter((rival) => !isLevel(rival));
  const rest = describeBehind(behind, wording);
  if (level.length === 0) return `${leader.name} ${wording.most}, ${value}: ${rest}`;
  if (level.every(({ ratio }) => ratio === 1)) {
    const names = format.joinNames([leader, ...level].map(({ name }) => name));
    return `${names} ${wording.most}, ${value} each${rest === "" ? "" : `: ${rest}`}`;
  }
  const tie = describeLevel(leader, level, wording);
  return rest === "" ? tie : `${tie}; ${leader.name} was ahead of the rest: ${rest}`;
}

function describeLevel(leader: Standing, level: readonly Rival[], { measure }: Wording): string {
  const write = measures[measure].format;
  const names = format.joinNames([leader, ...level].map(({ name, value }) => `${name} (${write(value)})`));
  const [next] = level;
  if (next === undefined || next.limits === null) {
    const apart = Math.max(...level.map(({ ratio }) => ratio)) - 1;
    return `${names} came within ${format.formatShare(apart)} of each other`;
  }
  const which = level.length === 1 ? "" : "; the first two";
  return `no clear difference between ${names}${which}: ratio ${format.formatFactor(next.ratio)} (${limitsOf(next.limits)})`;
}

/** So little behind that it is no reason to choose, however clear. */
export function isAsGood(rival: Rival): boolean {
  return isLevel(rival) || rival.ratio < slightRatio;
}

/** Not clearly behind; of a single round, close. */
export function isLevel({ isClear, ratio }: Rival): boolean {
  return isClear === null ? ratio < closeRatio : !isClear;
}

/** The next and the last, which frame the rest. */
function describeBehind(behind: readonly Rival[], wording: Wording): string {
  const [next] = behind;
  const last = behind.at(-1);
  if (next === undefined || last === undefined) return "";
  if (last === next) return describeRival(next, wording);
  const [before, after] = behind.length > 2 ? [", the next", ", the last"] : ["", ""];
  return `${describeRival(next, wording, before)} and ${describeRival(last, wording, after)}`;
}

function describeRival(
  { name, value, ratio, limits }: Rival,
  { measure, rounds }: Wording,
  place = "",
): string {
  const { better, format: write } = measures[measure];
  if (limits !== null && ratio < slightRatio && ratio > 1) {
    const than = better === "higher" ? "more than" : "less than";
    return `${format.formatShare(ratio - 1)} ${than} ${name}${place} (${write(value)})`;
  }
  const doubt = limits === null ? (rounds > 1 ? "; one common round" : "") : `; ${limitsOf(limits)}`;
  const figures = `(${write(value)}${doubt})`;
  const times = `${limits === null ? roughFactor(ratio) : format.formatFactor(ratio)} times`;
  return better === "higher"
    ? `${times} as ${phrases[measure]?.isCount ? "many" : "much"} as ${name}${place} ${figures}`
    : `${name}${place} ${times} that ${figures}`;
}

function limitsOf([low, high]: readonly [number, number]): string {
  return `${format.formatFactor(low)} to ${format.formatFactor(high)}`;
}

/** Of one round two digits are enough, or as many as it takes to show a difference from 1. */
function roughFactor(ratio: number): string {
  if (ratio >= 9.95) return format.formatCount(Math.round(ratio));
  return ratio >= 1.195 || ratio < 0.1 ? String(Number(ratio.toPrecision(2))) : ratio.toFixed(2);
}

/** Who is missing is said once per phase, with the measure that the phase is about. */
function describeLimitations({ use, unranked, caveats }: JudgedItem): string[] {
  const isHeadline = ["connections", "burst", "sustained", "faults", "recovery"].includes(use);
  if (!isHeadline || unranked.length === 0) return [...caveats];
  return [...caveats, `Not ranked: ${format.joinNames(unranked.map(nameUnranked))}.`];
}

/** The status alone: the reason stands below the phase's table. */
function nameUnranked({ name, reason }: VerdictItem["unranked"][number]): string {
  return `${name} (${reason.replace(/^(failed|aborted|void): .*/s, "$1")})`;
}

export function describeLoss(name: string, lost: number, expected: number, declared: number): string {
  const how =
    declared === lost
      ? "all of it declared"
      : declared === 0
        ? "none of it declared"
        : `${format.formatCount(declared)} declared`;
  return `${name} lost ${format.formatShare(lost / expected)} of its deliveries (${how}).`;
}

/** What holds for every sentence of the verdict. */
export function describeRemarks(result: Result, items: readonly VerdictItem[]): string[] {
  const remarks: string[] = [];
  if (result.status === "aborted") {
    remarks.push("The run was stopped before its end: this is what had been measured by then.");
  } else if (result.status === "running") {
    remarks.push("The run has not ended, or was cut off: this is what had been measured by then.");
  }
  const compared = items.filter(({ outcome }) => outcome.kind === "compared");
  const rounds = Math.max(0, ...items.map((item) => item.rounds));
  if (rounds === 1) {
    remarks.push(
      "One round supports no claim of a difference beyond this run; --rounds 5 gives every figure its interval.",
    );
  } else if (compared.length > 0) {
    remarks.push(
      "In brackets: limits of the ratio that hold with 95 % confidence for all pairs of a measure together. A difference is claimed only where they exclude 1.",
    );
  }
  if (items.length === 0) return [...remarks, "Nothing was measured, so there is nothing to judge."];
  return compared.length === 0 ? remarks : [...remarks, ...describeUnequalWork(participantsOf(result))];
}

/** The contract allows several ways of doing the work, and asks that they are not ranked silently. */
function describeUnequalWork(contenders: readonly ContenderFacts[]): string[] {
  const routing = contrast(contenders, ({ routing }) => routing, {
    parse: "the JSON of each message",
    prefix: "only its first bytes",
  });
  const newline = contenders.filter(({ framing }) => framing === "newline").map(nameOf);
  const parts = [
    ...(routing === null ? [] : [`To route a message, ${routing}.`]),
    ...(newline.length === 0 || newline.length === contenders.length
      ? []
      : [`${format.joinNames(newline)} may put several messages into one frame, the others don't.`]),
  ];
  return parts.length === 0 ? [] : [`Not everyone does the same work. ${parts.join(" ")}`];
}

/** Null when all are alike. */
function contrast<Value extends string>(
  contenders: readonly ContenderFacts[],
  pick: (facts: ContenderFacts) => Value,
  words: Readonly<Record<Value, string>>,
): string | null {
  const groups = [...Map.groupBy(contenders, pick)];
  if (groups.length < 2) return null;
  return groups
    .map(
      ([value, group]) =>
        `${format.joinNames(group.map(nameOf))} read${group.length === 1 ? "s" : ""} ${words[value]}`,
    )
    .join(", ");
}
