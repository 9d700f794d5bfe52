import type { Phase } from "../result/schema.ts";
import * as format from "./format.ts";
import type { PhaseColumn } from "./phase-column.ts";
import { type Participant, ranPhases, type Section } from "./section.ts";

/** Sums over all rounds, those that failed too: what was lost there was lost. */
export function accountColumns(section: Section): PhaseColumn[] {
  const counts = {
    lost: "lost",
    declaredDropped: "declared",
    duplicated: "duplicated",
    reordered: "reordered",
    corrupted: "corrupted",
    malformed: "malformed",
    misrouted: "misrouted",
  } as const satisfies Partial<Record<keyof NonNullable<Phase["messages"]>, string>>;
  const isClean = section.participants.every((participant) =>
    ranPhases(participant).every(({ messages }) => messages === null || isFaultless(messages)),
  );
  const names = Object.keys(counts) as (keyof typeof counts)[];
  return names.map((name): PhaseColumn => {
    const sums = section.participants.map((participant) => sumOf(participant, name));
    const isRare = name === "malformed" || name === "misrouted";
    return {
      header: counts[name],
      group: 3,
      cell: (participant) => {
        const sum = sumOf(participant, name);
        return {
          text: format.formatCount(sum),
          style: sum === null || sum === 0 || name === "declaredDropped" ? null : "bad",
        };
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
