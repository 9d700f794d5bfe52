import { expect, test } from "bun:test";
import type { PhaseProgress } from "../../engine/worker-protocol.ts";
import { Histogram } from "../../stats/histogram.ts";
import { ProgressBoard } from "./progress-board.ts";

const progress: PhaseProgress = {
  sent: 0,
  expected: 0,
  delivered: 0,
  errors: 0,
  finishedSending: false,
  lastArrivalUs: 0,
  seconds: [],
};

function second(at: number, ...latenciesUs: readonly number[]) {
  const histogram = new Histogram();
  for (const value of latenciesUs) histogram.record(value);
  const { length: delivered } = latenciesUs;
  return { second: at, sent: delivered, delivered, latency: histogram.toSparse() };
}

test("one worker that tells nothing is unheard, however much the others tell", async () => {
  const board = new ProgressBoard(2);
  await Bun.sleep(200);
  board.notePhase(0, progress);
  expect(board.longestUnheardMs()).toBeGreaterThan(150);
  board.notePhase(1, progress);
  expect(board.longestUnheardMs()).toBeLessThan(150);
});

test("workers merge by second, also when one of them is behind", () => {
  const board = new ProgressBoard(2);
  board.reset(2);
  board.notePhase(0, { ...progress, seconds: [second(0, 10), second(1, 20, 20)] });
  board.notePhase(1, { ...progress, seconds: [second(0, 10)] });
  expect(board.latest()).toMatchObject({ delivered: 2, p50Us: 20 });
  board.notePhase(1, { ...progress, seconds: [second(1, 40), second(2, 90)] });
  expect(board.latest()).toMatchObject({ delivered: 1, p50Us: 90 });
  expect(board.latency.count).toBe(6);
  // The load was to last two seconds.
  expect(board.deliveredInTime).toBe(5);
  expect(board.timeline.build().buckets.map(({ delivered }) => delivered)).toEqual([2, 3, 1]);
});

test("a day of seconds is one histogram and a timeline of bounded length", () => {
  const board = new ProgressBoard(1);
  board.reset(86_400);
  const one = second(0, 100, 200, 300);
  for (let at = 0; at < 86_400; at += 1)
    board.notePhase(0, { ...progress, seconds: [{ ...one, second: at }] });
  expect(board.latency.count).toBe(3 * 86_400);
  expect(board.deliveredInTime).toBe(3 * 86_400);
  expect(board.timeline.bucketCount).toBeLessThanOrEqual(1200);
});
