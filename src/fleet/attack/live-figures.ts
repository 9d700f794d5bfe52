import type { ProgressBoard } from "../../run/phases/progress-board.ts";
import { bucketMiddle, type SparseHistogram } from "../../stats/histogram.ts";
import type { MessageOf } from "../messages.ts";

type Live = NonNullable<MessageOf<"beat">["live"]>;
type Ended = Live["ended"];

const nothing: Ended = {
  ...{ seconds: 0, sent: 0, delivered: 0 },
  latency: { count: 0, min: 0, max: 0, sum: 0, buckets: [] },
};

/** What agents tell while the load goes on, put on the board as if each were a worker. Sums become what was added. */
export class LiveFigures {
  readonly #board: ProgressBoard;
  readonly #before = new Map<number, Ended>();

  constructor(board: ProgressBoard) {
    this.#board = board;
  }

  note({ agent, connect, live }: MessageOf<"beat">): void {
    this.#board.noteConnect(agent, connect);
    if (live === null) return;
    const { ended, ...progress } = live;
    const before = this.#before.get(agent) ?? nothing;
    if (ended.seconds <= before.seconds) {
      this.#board.notePhase(agent, { ...progress, seconds: [] });
      return;
    }
    this.#before.set(agent, ended);
    const second = {
      // Where a message was lost, two seconds are told as one.
      second: ended.seconds - 1,
      sent: ended.sent - before.sent,
      delivered: ended.delivered - before.delivered,
      latency: subtract(ended.latency, before.latency),
    };
    this.#board.notePhase(agent, { ...progress, seconds: [second] });
  }
}

/** What was added to a histogram since then. Its least and greatest value are known to their buckets. */
export function subtract(now: SparseHistogram, before: SparseHistogram): SparseHistogram {
  const known = new Map<number, number>();
  for (let at = 0; at + 1 < before.buckets.length; at += 2) {
    known.set(before.buckets[at] as number, before.buckets[at + 1] as number);
  }
  const buckets: number[] = [];
  for (let at = 0; at + 1 < now.buckets.length; at += 2) {
    const index = now.buckets[at] as number;
    const count = (now.buckets[at + 1] as number) - (known.get(index) ?? 0);
    if (count > 0) buckets.push(index, count);
  }
  const [first] = buckets;
  const last = buckets.at(-2);
  return {
    count: now.count - before.count,
    sum: now.sum - before.sum,
    min: first === undefined ? 0 : bucketMiddle(first),
    max: last === undefined ? 0 : now.max > before.max ? now.max : bucketMiddle(last),
    buckets,
  };
}
