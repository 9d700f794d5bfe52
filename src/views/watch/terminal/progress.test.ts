import { expect, test } from "bun:test";
import {
  fixtureCapacity,
  fixtureExchange,
  fixturePlan,
  fixtureResult,
} from "../../../../test/support/fixture-result.ts";
import type { RunEvent } from "../../../run/events.ts";
import type { PhaseView } from "../../../run/phases/context.ts";
import { createPainter } from "../../../text/style.ts";
import { createProgress } from "./progress.ts";
import { describeEvent, statusLines } from "./progress-line.ts";
import { advance, currentRate, phaseLeftMs, phaseShare, runLeftMs, startProgress } from "./progress-state.ts";
import { drawBar, drawSparkline } from "./sparkline.ts";

const plan = fixturePlan({
  phases: [
    { kind: "burst", workload: "echo" },
    { kind: "endurance", workload: "echo" },
  ],
  rounds: 2,
  warmupSeconds: 0,
});
const roundStarted: RunEvent = {
  kind: "round-started",
  contender: "bun-native",
  variant: "tuned",
  round: 1,
  rounds: 2,
  position: 1,
  positions: 2,
};
const burstStarted: RunEvent = {
  kind: "phase-started",
  phaseKind: "burst",
  workload: "echo",
  index: 0,
  count: 2,
  expectedSeconds: null,
};
const enduranceStarted: RunEvent = { ...burstStarted, phaseKind: "endurance", index: 1, expectedSeconds: 60 };
const burstEnded: RunEvent = { kind: "phase-ended", phase: fixtureExchange(plan, "burst", "echo", 2) };

function view(elapsedMs: number, done: number, changes: Partial<PhaseView> = {}): RunEvent {
  const p50Us = 254_000;
  const base = {
    kind: "burst",
    workload: "echo",
    total: 375_000,
    ratePerSecond: 0,
    p50Us,
    p99Us: 410_000,
    errors: 0,
  } as const;
  return { kind: "phase-progress", view: { ...base, elapsedMs, done, ...changes } };
}

/** A terminal or a file, with a clock that stands until it is moved. */
function record(isTty: boolean, columns = 100) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const write = (text: string) => void written.push(text);
  const progress = createProgress(plan, { write, columns: () => columns, isTty, nowMs: () => clock.ms });
  return { progress, written, clock };
}

/** What stands on a screen after everything was written. */
function screen(written: readonly string[]): string[] {
  const lines = [""];
  // Control characters can't stand in a pattern that is written out.
  const shown = written.join("").replaceAll("\x1b", "ESC");
  for (const [, up, text] of shown.matchAll(/ESC\[(\d+)A\rESC\[J|((?:(?!ESC)[^\n])+|\n)/g)) {
    if (up !== undefined) lines.splice(lines.length - 1 - Number(up), Number(up) + 1, "");
    else if (text === "\n") lines.push("");
    else lines[lines.length - 1] += text ?? "";
  }
  return lines;
}

test("a terminal shows where the run is in two lines, redrawn in place", () => {
  const { progress, written, clock } = record(true);
  progress.onEvent(roundStarted);
  progress.onEvent(burstStarted);
  for (let step = 1; step <= 4; step += 1) {
    clock.ms = step * 250;
    progress.onEvent(view(step * 250, step * 25_000, { errors: 3 }));
  }
  expect(screen(written)).toEqual([
    "[1/2] bun-native:tuned, round 1 of 2",
    "bun-native:tuned · burst echo · phase 1 of 2 · round 1 of 2 · 1 of 2 · about 2 min 12 s left in all",
    "━━━━━╌╌╌╌╌╌╌╌╌╌╌╌╌╌╌   26 %  100,000/s  ▇▇▇▇  p50 254 ms  p99 410 ms  3 errors  3 s left".replace(
      "▇▇▇▇",
      "████",
    ),
    "",
  ]);
});

test("a search says what it tries and what it knows, and lasts about as long as one did before", () => {
  const searching = fixturePlan({
    phases: [{ kind: "capacity", workload: "echo" }],
    rounds: 2,
    warmupSeconds: 0,
    capacityStepSeconds: 5,
  });
  const started: RunEvent = { ...burstStarted, phaseKind: "capacity", count: 1 };
  const step = { number: 7, ratePerSecond: 45_254.8, highestHeldPerSecond: 32_000 };
  let state = startProgress(searching);
  for (const event of [roundStarted, started, view(36_000, 400_000, { kind: "capacity", step })]) {
    state = advance(state, event, 0);
  }
  const [place, figures] = statusLines(state, 200, 36_000, createPainter(false));
  expect(place).toContain("capacity echo · step 7 at 45,255/s · 32,000/s held · phase 1 of 1");
  // 15 steps of 6 s are guessed.
  expect(figures).toContain(" 40 %");
  expect(figures).toContain("54 s left");
  state = advance(state, { kind: "phase-ended", phase: fixtureCapacity(searching, "echo", 2) }, 120_000);
  state = advance(state, started, 120_000);
  expect(phaseLeftMs(state, 120_000)).toBe(120_000);
});

test("in chaos the fault under way is told", () => {
  const started = { ...burstStarted, phaseKind: "chaos", workload: "rooms", index: 0, count: 1 } as const;
  const fault = { name: "slow-readers", number: 1, count: 6, window: "before" } as const;
  let state = startProgress(plan);
  for (const event of [roundStarted, started, view(900, 4000, { kind: "chaos", fault })]) {
    state = advance(state, event, 0);
  }
  expect(statusLines(state, 120, 0, createPainter(false))[0]).toContain(
    "chaos rooms · slow-readers about to strike (1 of 6)",
  );
});

test("a search that has ended says what was sustained", () => {
  const ended = (isLowerBound: boolean): RunEvent => ({
    kind: "phase-ended",
    phase: fixtureCapacity(plan, "echo", 2, { isLowerBound }),
  });
  const line = (event: RunEvent) => describeEvent(event, createPainter(false));
  expect(line(ended(false))).toBe("  ✓ capacity echo      sustained 40,000/s, p50 450 µs, p99 1.08 ms");
  expect(line(ended(true))).toContain("sustained ≥ 40,000/s, ");
});

test("what is done stays above the status, which goes away at the end", () => {
  const { progress, written } = record(true);
  for (const event of [roundStarted, burstStarted, view(250, 100), burstEnded]) progress.onEvent(event);
  progress.onEvent({ kind: "warning", text: "one CPU only" });
  progress.end();
  progress.end();
  expect(screen(written)).toEqual([
    "[1/2] bun-native:tuned, round 1 of 2",
    "  ✓ burst echo         40,000/s, p50 125 ms, p99 300 ms, 375,000 of 375,000 delivered",
    "warning: one CPU only",
    "",
  ]);
});

test.each([20, 40, 60, 80, 200])("no status line fills a terminal of %p columns", (columns) => {
  const { progress, written } = record(true, columns);
  for (const event of [roundStarted, burstStarted, view(1000, 25_000, { errors: 12 })])
    progress.onEvent(event);
  const status = screen(written).slice(1);
  for (const line of status) expect(Bun.stringWidth(line)).toBeLessThan(columns);
  expect(status[0]).toContain("bun-native");
  expect(status[1]).toContain("6 %");
});

test("a log gets a line per event and one line of progress per 5 s", () => {
  const { progress, written, clock } = record(false);
  progress.onEvent(roundStarted);
  progress.onEvent({ kind: "server-ready", readyMs: 180 });
  progress.onEvent(enduranceStarted);
  for (let step = 1; step <= 48; step += 1) {
    clock.ms = step * 250;
    progress.onEvent(view(step * 250, step * 3750, { kind: "endurance" }));
  }
  progress.onEvent({ kind: "round-ended", round: { ...round(), status: "failed", reason: "crashed" } });
  progress.end();
  expect(written.join("")).toBe(
    `${[
      "[1/2] bun-native:tuned, round 1 of 2",
      "  ready after 180 ms",
      "  endurance echo (2 of 2, 1 min)",
      "  … bun-native:tuned endurance echo, 8 %, 15,000/s, p50 254 ms, p99 410 ms, 55 s left, about 2 min 4 s in all",
      "  … bun-native:tuned endurance echo, 16 %, 15,000/s, p50 254 ms, p99 410 ms, 50 s left, about 1 min 59 s in all",
      "  failed: crashed",
    ].join("\n")}\n`,
  );
});

function round() {
  const [first] = fixtureResult().rounds;
  if (first === undefined) throw new Error("the fixture has no round");
  return first;
}

test("the rest of the run is estimated from what its parts took", () => {
  let state = startProgress(plan);
  const feed = (event: RunEvent, nowMs: number) => {
    state = advance(state, event, nowMs);
  };
  feed(roundStarted, 0);
  feed(burstStarted, 1000);
  feed(burstEnded, 5000);
  feed(enduranceStarted, 5000);
  feed(view(20_000, 300_000), 25_000);
  expect(phaseLeftMs(state, 25_000)).toBe(40_000);
  feed({ kind: "phase-ended", phase: fixtureExchange(plan, "endurance", "echo", 2) }, 65_000);
  feed({ kind: "round-ended", round: round() }, 67_000);
  expect(runLeftMs(state, 67_000)).toBe(3000 + 4000 + 60_000);
  feed({ ...roundStarted, position: 2, round: 2 } as RunEvent, 67_000);
  feed(burstStarted, 70_000);
  expect(runLeftMs(state, 71_000)).toBe(3000 + 60_000);
});

test("between two phases the rest of the round still counts", () => {
  let state = advance(advance(startProgress(plan), roundStarted, 0), burstStarted, 1000);
  state = advance(state, burstEnded, 5000);
  // The endurance of this round, then a whole one, whose overhead is still a guess.
  expect(runLeftMs(state, 5000)).toBe(60_000 + 1500 + 4000 + 60_000);
});

test("an aborted phase says nothing about how long the next one takes", () => {
  let state = advance(advance(startProgress(plan), roundStarted, 0), burstStarted, 0);
  const guess = runLeftMs(state, 0);
  const phase = { ...fixtureExchange(plan, "burst", "echo", 2), status: "aborted" as const };
  state = advance(state, { kind: "phase-ended", phase }, 10);
  state = advance(state, burstStarted, 10);
  expect(runLeftMs(state, 10)).toBe(guess);
});

test("the rate is that of the last second, not of the whole phase", () => {
  let state = advance(advance(startProgress(plan), roundStarted, 0), burstStarted, 0);
  expect(currentRate(state)).toBeNull();
  for (const [elapsedMs, done] of [
    [1000, 50_000],
    [2000, 60_000],
    [2500, 65_000],
  ] as const) {
    state = advance(state, view(elapsedMs, done), elapsedMs);
  }
  expect(currentRate(state)).toBe(10_000);
  expect(phaseShare(state)).toBeCloseTo(65_000 / 375_000);
});

test("bars and sparklines", () => {
  expect(drawBar(0.5, 4)).toBe("━━╌╌");
  expect(drawBar(7, 4)).toBe("━━━━");
  expect(drawSparkline([0, 5, 10])).toBe("▁▅█");
  expect(drawSparkline([0, 0])).toBe("▁▁");
});
