import { expect, test } from "bun:test";
import { ProgressBoard } from "../../run/phases/progress-board.ts";
import { Histogram } from "../../stats/histogram.ts";
import type { MessageOf } from "../messages.ts";
import { LiveFigures, subtract } from "./live-figures.ts";

function histogramOf(...values: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of values) histogram.record(value);
  return histogram;
}

test("what was added since is told apart, and added again it is the whole", () => {
  const before = histogramOf(3, 500, 90_000).toSparse();
  const now = histogramOf(3, 500, 90_000, 500, 7000).toSparse();
  const added = subtract(now, before);
  expect(added).toMatchObject({ count: 2, sum: 7500 });
  const again = new Histogram();
  for (const part of [before, added]) again.add(part);
  expect(again.toSparse()).toEqual(now);
});

test("sums that were lost, doubled or overtaken change nothing", () => {
  const board = new ProgressBoard(1);
  const live = new LiveFigures(board);
  const beat = (seconds: number, ...values: readonly number[]): MessageOf<"beat"> => ({
    ...{ version: "" as never, run: "", epoch: "", kind: "beat", agent: 0, id: "", number: 0, clockUs: 0 },
    ...{ state: "loading", members: null, problem: null },
    connect: { attempted: 1, opened: 1, failed: 0, failedInARow: 0, died: 0, reconnected: 0 },
    live: {
      ...{ sent: seconds * 10, expected: 0, delivered: values.length, errors: 0, finishedSending: false },
      lastArrivalUs: 0,
      ended: {
        ...{ seconds, sent: seconds * 10, delivered: values.length },
        latency: {
          ...histogramOf(...values).toSparse(),
          buckets: [...histogramOf(...values).toSparse().buckets],
        },
      },
    },
  });
  live.note(beat(1, 10));
  live.note(beat(4, 10, 20, 30, 40));
  live.note(beat(4, 10, 20, 30, 40));
  live.note(beat(2, 10, 20));
  expect(board.latency.count).toBe(4);
  expect(board.timeline.build().buckets.map(({ sent }) => sent)).toEqual([10, 0, 0, 30]);
});
