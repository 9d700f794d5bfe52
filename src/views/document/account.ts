import { type Participant, ranPhases, type Section } from "../../measures/sections.ts";
import type { Messages, RanPhase } from "../../result/phase.ts";
import * as format from "../../text/format.ts";
import type { Cell, Table } from "./block.ts";

type Count = keyof Messages;

/** Always told; then what went wrong, where anything did. */
const counts = [
  ["expected", "owed", "Deliveries owed for what was sent."],
  ["delivered", "delivered", "Distinct intact deliveries."],
  ["lost", "lost", "Deliveries that never arrived."],
  ["declaredDropped", "declared", "Deliveries that the server itself counted in /stats as dropped."],
  ["lostOnClosed", "lost on closed", "Lost deliveries owed to connections that had closed."],
  ["unsent", "unsent", "Messages that could not be sent."],
  ["duplicated", "duplicated", "Deliveries that came twice."],
  ["reordered", "reordered", "Deliveries behind a later one of the same sender."],
  ["corrupted", "corrupted", "Arrivals with other bytes than were sent."],
  ["binary", "binary", "Intact arrivals in binary frames."],
  ["malformed", "malformed", "Arrivals that are no ChaosChat message."],
  ["misrouted", "misrouted", "Intact arrivals at a connection they were not for."],
  ["late", "late", "Arrivals of an earlier phase, which had counted them as lost."],
] as const satisfies readonly (readonly [Count, string, string])[];

const harmless: ReadonlySet<Count> = new Set(["expected", "delivered", "declaredDropped"]);

export const accountMeanings = counts.map(([, header, meaning]): [string, string] => [header, meaning]);

/** Every delivery accounted for, as sums over all rounds; null where all arrived once, in order and intact. */
export function buildAccount({ participants }: Section): Table | null {
  const accounted = participants.filter((participant) => accountsOf(participant).length > 0);
  if (accounted.flatMap(accountsOf).every(isFaultless)) return null;
  const told = counts.filter(
    ([name]) => harmless.has(name) || accounted.some((participant) => (sumOf(participant, name) ?? 0) > 0),
  );
  const headers = told.map(([, header]) => ({ header, align: "right" as const }));
  return {
    columns: [{ header: "contender", align: "left" }, ...headers],
    rows: accounted.map((participant) => {
      const cells = told.map(([name]): Cell => {
        const sum = sumOf(participant, name);
        const isBad = (sum ?? 0) > 0 && !harmless.has(name);
        return { text: format.formatCount(sum), style: isBad ? "bad" : null };
      });
      return { cells: [{ text: participant.name, style: "strong" }, ...cells] };
    }),
  };
}

export function isFaultless(messages: Messages): boolean {
  return counts.every(([name]) => name === "expected" || name === "delivered" || (messages[name] ?? 0) === 0);
}

export function accountsOf(participant: Participant): Messages[] {
  return ranPhases(participant).flatMap(messagesOf);
}

export function messagesOf(phase: RanPhase): Messages[] {
  return phase.kind === "connect" || phase.kind === "chaos" ? [] : [phase.messages];
}

/** Null where nobody counted it. */
function sumOf(participant: Participant, name: Count): number | null {
  const known = accountsOf(participant)
    .map((messages) => messages[name])
    .filter((count) => count !== null);
  return known.length === 0 ? null : known.reduce((sum, count) => sum + count, 0);
}
