import type { Result, Round } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import { nameOfRound } from "../section.ts";
import type { Rival, Verdict, VerdictItem } from "../verdict/verdict.ts";

/** In a single round, closer than this is level, not ahead. */
const closeRatio = 1.05;

type Standing =
  | { readonly kind: "ahead"; readonly name: string; readonly what: string }
  | { readonly kind: "level" | "equal"; readonly what: string };

/** The verdict in a sentence, and who failed in another: no more than the items below it say. */
export function describeHeadline({ items }: Verdict, result: Pick<Result, "rounds" | "status">): string {
  const failed = describeFailures(result);
  const standings = items.map((item) => standingOf(item, items)).filter((standing) => standing !== null);
  const rounds = Math.max(0, ...items.map((item) => item.rounds));
  if (standings.length === 0) {
    const nothing =
      rounds === 0
        ? "Nothing was measured to its end: there is no verdict."
        : "Only one contender has figures that count: there is nobody to compare it with.";
    return nothing + failed;
  }
  const ahead = standings.filter((standing) => standing.kind === "ahead");
  const level = whatOf(standings, "level");
  const equal = whatOf(standings, "equal");
  const leaders = [...Map.groupBy(ahead, ({ name }) => name)].sort(([, a], [, b]) => b.length - a.length);
  const led = leaders.map(
    ([name, all], index) =>
      `${name}${index === 0 ? (rounds === 1 ? " was ahead in" : " is best in") : " in"} ${format.joinNames(all.map(({ what }) => what))}`,
  );
  const parts = [
    ...led,
    ...(level.length === 0
      ? []
      : [`${rounds === 1 ? "level" : "no clear winner"} in ${format.joinNames(level)}`]),
    ...(level.length === 0 && led.length === 0 && equal.length > 0
      ? [`all are equal in ${format.joinNames(equal)}`]
      : []),
  ];
  const sentence = `${parts.join("; ")}.`;
  if (rounds === 1) return `In this one round, ${sentence}${failed}`;
  // A contender's name is written as it is.
  return (led.length > 0 ? sentence : sentence.charAt(0).toUpperCase() + sentence.slice(1)) + failed;
}

/** Nobody who failed is left out in silence. */
function describeFailures({ rounds, status: runStatus }: Pick<Result, "rounds" | "status">): string {
  const namesOf = (status: Round["status"]) => [
    ...new Set(rounds.filter((round) => round.status === status).map(nameOfRound)),
  ];
  const failed = namesOf("failed");
  // In a run that the user stopped, being stopped says nothing of anyone.
  const aborted = runStatus === "aborted" ? [] : namesOf("aborted").filter((name) => !failed.includes(name));
  const endings = [
    ...(failed.length === 0 ? [] : [`${format.joinNames(failed)} failed`]),
    ...(aborted.length === 0
      ? []
      : [`${format.joinNames(aborted)} ${aborted.length === 1 ? "was" : "were"} aborted`]),
  ];
  return endings.length === 0 ? "" : ` ${endings.join("; ")}.`;
}

function whatOf(standings: readonly Standing[], kind: Standing["kind"]): string[] {
  return standings.filter((standing) => standing.kind === kind).map(({ what }) => what);
}

function standingOf(item: VerdictItem, items: readonly VerdictItem[]): Standing | null {
  const { outcome } = item;
  const what = describeUse(item, items);
  switch (outcome.kind) {
    case "none":
    case "alone":
      return null;
    case "equal":
      return { kind: "equal", what };
    case "compared":
      return outcome.rivals.every(isBehind)
        ? { kind: "ahead", name: outcome.leader.name, what }
        : { kind: "level", what };
  }
}

function isBehind({ isClear, ratio }: Rival): boolean {
  return isClear ?? ratio >= closeRatio;
}

/** With its phase only where several phases are about the same use. */
function describeUse({ use, phase }: VerdictItem, items: readonly VerdictItem[]): string {
  const name = phase.charAt(0).toLowerCase() + phase.slice(1);
  if (use === "burst") return name;
  const isAlone = items.filter((item) => item.use === use).length === 1;
  return isAlone ? uses[use] : `${uses[use]} in ${name}`;
}

const uses = {
  connections: "connections opened",
  memory: "memory per connection",
  sustained: "sustained rate",
  tail: "p99 latency",
  cpu: "CPU per delivery",
  faults: "fault isolation",
  recovery: "recovery from a kill",
} as const;
