import type { Phase } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import type { Cell, Table } from "../../../text/table.ts";
import { type Participant, ranPhases, type Section } from "../section.ts";

type Count = keyof NonNullable<Phase["messages"]>;

const counts = [
  ["planned", "planned", "Messages that the plan asks the connections to send."],
  ["sent", "sent", "Messages that were sent."],
  ["unsent", "unsent", "Messages that could not be sent: their connection was closed or took no more bytes."],
  ["expected", "expected", "Deliveries owed for what was sent: always the sum of delivered and lost."],
  ["delivered", "delivered", "Deliveries that arrived, each counted once, damaged ones included."],
  ["lost", "lost", "Deliveries that never arrived while the phase lasted."],
  [
    "declaredDropped",
    "declared",
    "Drops that the server admits to in its /stats. What is lost beyond it, it lost without saying so.",
  ],
  ["lostOnClosed", "lost on closed", "Of the lost: owed to connections that had closed."],
  ["duplicated", "duplicated", "Arrivals of what had arrived already."],
  ["reordered", "reordered", "Arrivals behind a later message of the same sender."],
  ["corrupted", "corrupted", "Arrivals with other bytes than were sent; not in the throughput."],
  ["malformed", "malformed", "Arrivals that are no message of the contract."],
  ["misrouted", "misrouted", "Intact arrivals at a connection that they were not for."],
  ["late", "late", "Arrivals of an earlier phase, which had counted them as lost."],
  ["frames", "frames", "WebSocket messages that carried the deliveries."],
] as const satisfies readonly (readonly [Count, string, string])[];

const closedHeader = "connections closed";

const harmless: ReadonlySet<Count> = new Set([
  "planned",
  "sent",
  "expected",
  "delivered",
  "declaredDropped",
  "frames",
]);

/** Every delivery of a phase accounted for: sums over all rounds, those that did not end well included. Null for connect. */
export function buildAccount({ participants }: Section): Table | null {
  const accounted = participants.filter((participant) => accountsOf(participant).length > 0);
  if (accounted.length === 0) return null;
  return {
    columns: [
      { header: "contender", align: "left" },
      ...counts.map(([, header]) => ({ header, align: "right" as const })),
      { header: closedHeader, align: "right" },
    ],
    rows: accounted.map((participant) => ({
      cells: [
        { text: participant.name },
        ...counts.map(([name]) => countCell(participant, name)),
        diedCell(participant),
      ],
    })),
  };
}

/** In place of what shorter tables say of the same headers. */
export const accountMeanings: ReadonlyMap<string, string> = new Map([
  ...counts.map(([, header, meaning]): [string, string] => [header, meaning]),
  [closedHeader, "Connections that the server or the network closed while the phase ran."],
]);

function accountsOf(participant: Participant) {
  return ranPhases(participant).flatMap(({ messages }) => (messages === null ? [] : [messages]));
}

function countCell(participant: Participant, name: Count): Cell {
  const known = accountsOf(participant)
    .map((messages) => messages[name])
    .filter((count) => count !== null);
  if (known.length === 0) return { text: format.unknown };
  const sum = known.reduce((all, count) => all + count, 0);
  return { text: format.formatCount(sum), style: sum === 0 || harmless.has(name) ? null : "bad" };
}

function diedCell(participant: Participant): Cell {
  const died = ranPhases(participant).reduce((sum, { connections }) => sum + connections.died, 0);
  return { text: format.formatCount(died), style: died > 0 ? "bad" : null };
}
