import type { AttackLoad } from "./plan.ts";
import type { Stage } from "./stages.ts";

/** Of a message: sums of the rate are off by less. */
const rounding = 1e-6;

/** A stretch of an open loop: messages per second change evenly from its beginning to its end. */
export interface RateSegment {
  readonly seconds: number;
  readonly fromPerSecond: number;
  readonly toPerSecond: number;
}

export function rateSegments(given: readonly Stage[]): RateSegment[] {
  return given.map(({ seconds, value }, at) => ({
    seconds,
    fromPerSecond: given[at - 1]?.value ?? 0,
    toPerSecond: value,
  }));
}

export function loadSeconds(load: AttackLoad): number {
  return load.kind === "open" ? secondsOf(load.segments) : load.seconds;
}

export function secondsOf(segments: readonly { readonly seconds: number }[]): number {
  return segments.reduce((all, { seconds }) => all + seconds, 0);
}

/** Messages that are due in all. */
export function countOf(segments: readonly RateSegment[]): number {
  // A message is due where the sum of the rate reaches its number: rounding must not take the last of them.
  return Math.floor(
    segments.reduce(
      (all, { seconds, fromPerSecond, toPerSecond }) => all + ((fromPerSecond + toPerSecond) / 2) * seconds,
      0,
    ) + rounding,
  );
}

/** Messages that are due before a moment, which need not be a whole number of them. */
export function sumUpTo(segments: readonly RateSegment[], seconds: number): number {
  let sum = 0;
  let left = seconds;
  for (const { seconds: length, fromPerSecond: from, toPerSecond: to } of segments) {
    if (left <= 0) break;
    const within = Math.min(length, left);
    sum += from * within + (((to - from) / length) * within * within) / 2;
    left -= within;
  }
  return sum;
}

/**
 * When message g of an open loop is due, in microseconds after its start. Asked for rising numbers it is O(1).
 *
 * @param stepUs due times are multiples of it, rounded up: what a step holds is due together at its end; 0 for none
 */
export function createDueTimes(segments: readonly RateSegment[], stepUs = 0): (message: number) => number {
  const exactly = createExactTimes(segments);
  // A hair less, so that what is due on a multiple is not put off to the next by rounding.
  return stepUs === 0
    ? exactly
    : (message) => Math.max(0, Math.ceil(exactly(message) / stepUs - 1e-6)) * stepUs;
}

function createExactTimes(segments: readonly RateSegment[]): (message: number) => number {
  let at = 0;
  let countBefore = 0;
  let secondsBefore = 0;
  return (message) => {
    for (;;) {
      const segment = segments[at];
      if (segment === undefined) return secondsBefore * 1e6;
      const { seconds, fromPerSecond: from, toPerSecond: to } = segment;
      const within = ((from + to) / 2) * seconds;
      const wanted = message - countBefore;
      // What is due as a pause begins is due as it ends: it is the first of what follows.
      if (wanted >= within - rounding && at < segments.length - 1) {
        countBefore += within;
        secondsBefore += seconds;
        at += 1;
        continue;
      }
      return (secondsBefore + Math.min(seconds, timeOf(wanted, from, (to - from) / seconds))) * 1e6;
    }
  };
}

/** When `from × t + slope × t² / 2` reaches `count`; in the form that has no division by a slope near zero. */
function timeOf(count: number, from: number, slope: number): number {
  if (count <= 0) return 0;
  const root = Math.sqrt(Math.max(0, from * from + 2 * slope * count));
  return from + root === 0 ? Number.POSITIVE_INFINITY : (2 * count) / (from + root);
}
