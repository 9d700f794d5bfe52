import { type ConnectionStage, timesWanted } from "../../plan/attack/connection-stages.ts";
import { countOf, type RateSegment, sumUpTo } from "../../plan/attack/rate.ts";
import type { Share } from "../places.ts";

/** Which messages of an open loop are one worker's. */
export interface OwnMessages {
  readonly count: number;
  /** The number over all workers of its k-th one. Asked for rising numbers it is O(1). */
  readonly message: (send: number) => number;
}

/** A worker's first connection has so long to open before messages are its own, */
const openingSeconds = 1;
/** and so long before it is closed none are any more: one that is sent late must find it there. */
const closingSeconds = 0.25;

/**
 * Workers take turns, so that together they keep the rate evenly. Where connections come and go by stages, only those
 * take part that have one: each worker computes it for itself, and no message is left out or sent twice.
 */
export function shareMessages(
  segments: readonly RateSegment[],
  stages: readonly ConnectionStage[] | null,
  share: Share,
): OwnMessages {
  const all = countOf(segments);
  const { worker, workers } = share;
  if (stages === null || workers === 1) {
    return {
      count: Math.max(0, Math.ceil((all - worker) / workers)),
      message: (send) => send * workers + worker,
    };
  }
  const turns = listTurns(segments, stages, share, all);
  let at = 0;
  let before = 0;
  return {
    count: turns.reduce((sum, { count }) => sum + count, 0),
    message: (send) => {
      for (;;) {
        const { first, step, count } = turns[at] as Turns;
        if (send - before < count || at === turns.length - 1) return first + (send - before) * step;
        before += count;
        at += 1;
      }
    },
  };
}

/** Messages `first`, `first + step`, …: so many are the worker's. */
interface Turns {
  readonly first: number;
  readonly step: number;
  readonly count: number;
}

function listTurns(
  segments: readonly RateSegment[],
  stages: readonly ConnectionStage[],
  { worker, workers }: Share,
  all: number,
): Turns[] {
  // Connection i is worker i's first. Worker 0 has what nobody has a connection for.
  const changes = Array.from({ length: workers - 1 }, (_, at) => timesWanted(stages, at + 1)).flatMap(
    (times) =>
      times
        .map(([from, to]) => [from + openingSeconds, to - closingSeconds] as const)
        .filter(([from, to]) => from < to)
        .flatMap(([from, to]) => [
          { seconds: from, by: 1 },
          { seconds: to, by: -1 },
        ]),
  );
  const ends = [
    ...changes.sort((a, b) => a.seconds - b.seconds),
    { seconds: Number.POSITIVE_INFINITY, by: 0 },
  ];
  const turns: Turns[] = [];
  let sharers = 1;
  let from = 0;
  for (const { seconds, by } of ends) {
    const to =
      seconds === Number.POSITIVE_INFINITY ? all : Math.min(all, Math.ceil(sumUpTo(segments, seconds)));
    if (worker < sharers && from < to) {
      const first = from + ((((worker - from) % sharers) + sharers) % sharers);
      turns.push({ first, step: sharers, count: Math.max(0, Math.ceil((to - first) / sharers)) });
    }
    sharers += by;
    from = Math.max(from, to);
  }
  return turns.filter(({ count }) => count > 0);
}
