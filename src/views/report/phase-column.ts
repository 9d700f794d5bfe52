import type { Cell } from "../../text/table.ts";
import { type MeasureName, measures, overRounds, stepOf } from "./measure.ts";
import type { Participant } from "./section.ts";

/** A column of a phase's table. */
export interface PhaseColumn {
  readonly header: string;
  /** One sentence. */
  readonly meaning: string;
  readonly group: number;
  readonly align?: "left";
  readonly cell: (participant: Participant) => Cell;
  /** What the article has here for its two sides. */
  readonly aside?: (side: "elixir" | "go") => string;
  /** Whether it is worth its place; unless given, when anybody has something there. */
  readonly isTold?: boolean;
}

/** The measure's value over the rounds; one below the step in which it comes is only known to be below it. */
export function measuredColumn(name: MeasureName, group: number): PhaseColumn {
  const measure = measures[name];
  return {
    header: measure.header,
    meaning: measure.meaning,
    group,
    cell: (participant) => {
      const value = overRounds(participant, measure);
      const step = stepOf([participant], measure);
      const isBelow = value !== null && value >= 0 && value < step;
      return plain(isBelow ? `< ${measure.format(step)}` : measure.format(value));
    },
  };
}

export function plain(text: string): Cell {
  return { text };
}
