import type { Stage } from "./stages.ts";

/** A stretch of a load in which the number of open connections goes evenly from one to the other. */
export interface ConnectionStage {
  readonly seconds: number;
  readonly from: number;
  readonly to: number;
}

export function connectionStages(given: readonly Stage[]): ConnectionStage[] {
  return given.map(({ seconds, value }, at) => ({ seconds, from: given[at - 1]?.value ?? 0, to: value }));
}

/** How many are to be open so many seconds after a stage's start: connection i is, as long as the line is above i. */
export function wantedAt({ seconds, from, to }: ConnectionStage, at: number): number {
  return Math.min(Math.max(from, to), Math.ceil(from + ((to - from) * at) / seconds));
}

/** The most that are open at a time. */
export function mostOpen(stages: readonly ConnectionStage[]): number {
  return Math.max(...stages.map(({ to }) => to));
}

/** How often a connection is opened in all: one that was closed on the way down is opened again on the next way up. */
export function countOpenings(stages: readonly ConnectionStage[]): number {
  return stages.reduce((all, { from, to }) => all + Math.max(0, to - from), 0);
}

/** When connection i is wanted, in seconds after the start; the last end may be `Infinity`. */
export function timesWanted(
  stages: readonly ConnectionStage[],
  index: number,
): (readonly [from: number, to: number])[] {
  const times: [number, number][] = [];
  let start = 0;
  for (const { seconds, from, to } of stages) {
    const crossed = start + (seconds * (index - from)) / (to - from);
    if (from <= index && index < to) times.push([crossed, Number.POSITIVE_INFINITY]);
    const last = times.at(-1);
    if (to <= index && index < from && last !== undefined) last[1] = crossed;
    start += seconds;
  }
  return times;
}
