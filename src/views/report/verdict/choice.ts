import type { ContenderFacts } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import { nameOf } from "../section.ts";
import type { JudgedItem, Use } from "./verdict.ts";
import { isAsGood, isLevel } from "./verdict-sentence.ts";

/** The needs of a reader that a measure answers, as the end of "Choose X when …". */
const needs: Readonly<Record<Use, string>> = {
  connections: "holding as many connections as possible matters most",
  memory: "a small memory footprint per connection matters most",
  burst: "bursts matter most",
  sustained: "a high sustained rate matters most",
  tail: "predictable latency under an even load matters most",
  cpu: "processor time per message is what you pay for",
  faults: "a fault of one client must not hurt the others",
  recovery: "being back soon after the process died matters most",
};

const workloadNeeds: Readonly<Record<string, string>> = {
  "Burst echo": "bursts of answers to single clients matter most",
  "Burst broadcast": "bursts to everyone at once matter most",
  "Burst rooms": "bursts in many rooms matter most",
};

/**
 * "Choose X when …", no more than the item's outcome supports; null where nobody can be advised, since there is
 * nobody to compare with, or somebody else may be better.
 */
export function describeChoice({ outcome, use, phase, rounds, unranked, died }: JudgedItem): string | null {
  if (outcome.kind === "none" || outcome.kind === "alone") return null;
  if (unranked.some(({ atLeast }) => atLeast !== undefined)) return null;
  const need = workloadNeeds[phase] ?? needs[use];
  if (outcome.kind === "equal") {
    return `Choose any of ${format.joinNames(outcome.names)} when ${need}: they are equal.`;
  }
  const { leader, rivals } = outcome;
  const advise = (names: readonly string[]) =>
    `${rounds === 1 ? "By this one round, choose" : "Choose"} ${format.joinNames(names, "or")} when ${need}`;
  if (died.length > 0) {
    // However large the share of deliveries in time: one client could take everybody's connection.
    const survivors = [leader, ...rivals].map(({ name }) => name).filter((name) => !died.includes(name));
    const why = `one client's fault ended ${format.joinNames(died)}`;
    const none = rounds === 1 ? "By this one round, none of them" : "None of them";
    return survivors.length === 0 ? `${none} when ${need}: ${why}.` : `${advise(survivors)}: ${why}.`;
  }
  const level = rivals.filter(isAsGood);
  const advice = advise([leader.name, ...level.map(({ name }) => name)]);
  // Of one round the item's own sentence says how close it was.
  if (rounds === 1 || level.length === 0) return `${advice}.`;
  return `${advice}: ${level.every(isLevel) ? "a tie" : "less than 1 % lies between them"}.`;
}

/** What no phase measures and the manifests declare. */
export function describeDeployments(contenders: readonly ContenderFacts[]): string[] {
  const declared = contenders.flatMap((facts) =>
    facts.deployment === null ? [] : [{ name: nameOf(facts), ...facts.deployment }],
  );
  const single = declared.filter(({ singleBinary }) => singleBinary);
  const others = declared.filter(({ singleBinary }) => !singleBinary);
  if (single.length === 0 || others.length === 0) return [];
  const tell = ({ name, note }: (typeof declared)[number]) =>
    note === undefined ? name : `${name} (${note.replace(/\.$/, "")})`;
  return [
    `Choose ${format.joinNames(single.map(tell), "or")} when a single binary to deploy matters; not ${format.joinNames(others.map(tell), "nor")}. By their manifests.`,
  ];
}
