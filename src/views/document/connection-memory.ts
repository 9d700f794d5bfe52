import { measureOf } from "../../measures/catalogue.ts";
import { overRounds } from "../../measures/figures.ts";
import type { Measure } from "../../measures/measure.ts";
import { okPhases, type Participant } from "../../measures/sections.ts";
import type { ConnectPhase, MemorySlope } from "../../result/phase.ts";
import * as format from "../../text/format.ts";
import type { Cell } from "./block.ts";

type Unresolved = Extract<MemorySlope, { kind: "unresolved" }>;

/** It was measured, and no number can be told. */
export const notResolved: Cell = { text: "not resolved", style: "warning" };

const slopes: Readonly<Record<string, keyof ConnectPhase["memory"] & ("rss" | "kernel")>> = {
  "memory-per-connection": "rss",
  "memory-per-connection.kernel": "kernel",
};

/** Of a measure that is a slope of memory. */
export function isUnresolved(participant: Participant, { name }: Measure): boolean {
  return listUnresolved(participant, name).length > 0 && overRounds(participant, measureOf(name)) === null;
}

function listUnresolved(participant: Participant, measure: string): { slope: Unresolved; open: number }[] {
  const which = slopes[measure];
  if (which === undefined) return [];
  return okPhases(participant).flatMap((phase) => {
    if (phase.kind !== "connect") return [];
    const slope = phase.memory[which];
    const isTold = slope.kind === "unresolved" && slope.reason !== "unknown";
    return isTold ? [{ slope, open: phase.connections.open }] : [];
  });
}

/** By how much a contender's memory per connection is not resolved, and why: the last of the rounds with each reason. */
export function describeUnresolved(participant: Participant): { text: string; rounds: number }[] {
  const all = listUnresolved(participant, "memory-per-connection");
  return [...Map.groupBy(all, ({ slope }) => slope.reason).values()].flatMap((alike) => {
    const last = alike.at(-1);
    if (last === undefined) return [];
    return [
      {
        text: `memory per connection not resolved: ${describeReason(last.slope, last.open)}`,
        rounds: alike.length,
      },
    ];
  });
}

function describeReason({ reason, low, high, halves }: Unresolved, open: number): string {
  const limits = `95 % limits ${format.formatBytes(low)} to ${format.formatBytes(high)}`;
  switch (reason) {
    case "bent":
      return halves === undefined
        ? "the first and the second half of the connections differ beyond their limits"
        : `the first half of the connections took ${format.formatBytes(halves[0])} each, the second ${format.formatBytes(halves[1])}`;
    case "wide":
      return `${limits}, wider than ±25 %. It came in steps too coarse for ${format.plural(open, "connection")}`;
    case "too-few-points":
      return `too few readings while ${format.plural(open, "connection")} opened`;
    case "unknown":
      return "this system does not tell it";
  }
}
