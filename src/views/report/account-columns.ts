import type { Phase } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import type { PhaseColumn } from "./phase-column.ts";
import { type Participant, ranPhases, type Section } from "./section.ts";

const accounts = [
  { name: "lost", header: "lost", meaning: "Deliveries owed for what was sent that never came." },
  {
    name: "declaredDropped",
    header: "declared",
    meaning:
      "Deliveries that the server itself says it dropped: what is lost beyond them was lost in silence.",
  },
  { name: "duplicated", header: "duplicated", meaning: "Deliveries that came again." },
  {
    name: "reordered",
    header: "reordered",
    meaning: "Deliveries that came behind a later one of the same sender.",
  },
  {
    name: "corrupted",
    header: "corrupted",
    meaning: "Deliveries with other bytes than were sent; they are in no throughput.",
  },
  { name: "malformed", header: "malformed", meaning: "Arrivals that are no message of the contract." },
  { name: "misrouted", header: "misrouted", meaning: "Arrivals at a connection that they were not for." },
] as const satisfies {
  readonly name: keyof NonNullable<Phase["messages"]>;
  readonly header: string;
  readonly meaning: string;
}[];

/** Sums over all rounds, those that failed too: what was lost there was lost. */
export function accountColumns(section: Section): PhaseColumn[] {
  const isClean = section.participants.every((participant) =>
    ranPhases(participant).every(({ messages }) => messages === null || isFaultless(messages)),
  );
  return accounts.map(({ name, header, meaning }): PhaseColumn => {
    const sums = section.participants.map((participant) => sumOf(participant, name));
    const isRare = name === "malformed" || name === "misrouted";
    return {
      header,
      meaning,
      group: 3,
      cell: (participant) => {
        const sum = sumOf(participant, name);
        const excused = name === "lost" ? (sumOf(participant, "declaredDropped") ?? 0) : 0;
        const isBad = name !== "declaredDropped" && (sum ?? 0) > excused;
        return { text: format.formatCount(sum), style: isBad ? "bad" : null };
      },
      isTold: !isClean && (!isRare || sums.some((sum) => sum !== null && sum > 0)),
    };
  });
}

export function isFaultless(messages: NonNullable<Phase["messages"]>): boolean {
  const { lost, duplicated, reordered, corrupted, malformed, misrouted, declaredDropped } = messages;
  return lost + duplicated + reordered + corrupted + malformed + misrouted + (declaredDropped ?? 0) === 0;
}

/** Null when no round has counted it. */
function sumOf(participant: Participant, name: keyof NonNullable<Phase["messages"]>): number | null {
  const counts = ranPhases(participant)
    .map(({ messages }) => messages?.[name] ?? null)
    .filter((count) => count !== null);
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}
