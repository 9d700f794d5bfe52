import { type MeasureName, measures, overRounds } from "./measure.ts";
import type { Participant } from "./section.ts";
import type { Cell } from "./table.ts";

/** A column of a phase's table. */
export interface PhaseColumn {
  readonly header: string;
  readonly group: number;
  readonly align?: "left";
  readonly cell: (participant: Participant) => Cell;
  /** What the article has here for its two sides. */
  readonly aside?: (side: "elixir" | "go") => string;
  /** Whether it is worth its place; unless given, when anybody has something there. */
  readonly isTold?: boolean;
}

/** The measure's value over the rounds. */
export function measuredColumn(name: MeasureName, group: number): PhaseColumn {
  const measure = measures[name];
  return {
    header: measure.header,
    group,
    cell: (participant) => plain(measure.format(overRounds(participant, measure))),
  };
}

export function plain(text: string): Cell {
  return { text };
}
