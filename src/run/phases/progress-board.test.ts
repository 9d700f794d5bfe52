import { expect, test } from "bun:test";
import type { PhaseProgress } from "../../engine/worker-protocol.ts";
import { ProgressBoard } from "./progress-board.ts";

const progress: PhaseProgress = {
  sent: 0,
  expected: 0,
  delivered: 0,
  corrupted: 0,
  errors: 0,
  finishedSending: false,
  lastArrivalUs: 0,
  seconds: [],
};

test("one worker that tells nothing is unheard, however much the others tell", async () => {
  const board = new ProgressBoard(2);
  await Bun.sleep(200);
  board.notePhase(0, progress);
  expect(board.longestUnheardMs()).toBeGreaterThan(150);
  board.notePhase(1, progress);
  expect(board.longestUnheardMs()).toBeLessThan(150);
});
