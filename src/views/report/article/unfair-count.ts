import type { Phase } from "../../../result/schema.ts";
import { median } from "../../../stats/intervals.ts";
import * as format from "../../../text/format.ts";
import type { Table } from "../../../text/table.ts";
import { measures, overRounds } from "../measure.ts";
import { okPhases, type Participant, type Section, titleOf } from "../section.ts";

/** What to know before reading the table. */
export const unfairLead =
  "Sends counted: messages handed to the system per second, from the first send to the last, whether or not anything arrived. Frames counted: WebSocket messages received per second, each taken for one message of the chat. Delivered: what every other figure of this report rests on.";

/**
 * The same phases counted as the article did, and as a client that takes a frame for a message would: by
 * what was sent and by frames. Beside it what was delivered. Null where the result does not tell.
 */
export function buildUnfairTable(sections: readonly Section[], names: readonly string[]): Table | null {
  const bursts = sections.filter(({ kind }) => kind === "burst");
  const rows = bursts.flatMap((section) =>
    section.participants
      .filter(({ name }) => names.includes(name))
      .filter((participant) => okPhases(participant).length > 0)
      .map((participant) => ({
        cells: [
          `${titleOf(section)}, ${participant.name}`,
          measures.throughput.format(overRounds(participant, measures.throughput)),
          format.formatRate(middle(participant, sendsPerSecond)),
          format.formatRate(middle(participant, framesPerSecond)),
        ].map((text) => ({ text })),
      })),
  );
  if (rows.length === 0) return null;
  return {
    columns: [
      { header: "", align: "left" },
      { header: "delivered", align: "right" },
      { header: "sends counted", align: "right" },
      { header: "frames counted", align: "right" },
    ],
    rows,
  };
}

function middle(participant: Participant, pick: (phase: Phase) => number | null): number | null {
  const values = okPhases(participant)
    .map(pick)
    .filter((value) => value !== null);
  return values.length === 0 ? null : median(values);
}

/** From the first send to the last, as a client counts that reads no answer. */
function sendsPerSecond({ messages, throughput }: Phase): number | null {
  const spanMs = throughput?.sendSpanMs ?? 0;
  return messages === null || spanMs <= 0 ? null : (messages.sent * 1000) / spanMs;
}

function framesPerSecond({ messages, throughput }: Phase): number | null {
  return messages === null || throughput === null || throughput.spanMs <= 0
    ? null
    : (messages.frames * 1000) / throughput.spanMs;
}
