import { expect, test } from "bun:test";
import {
  fixtureBurst,
  fixtureCapacity,
  fixturePlan,
  fixtureResult,
} from "../../../../test/support/fixture-result.ts";
import type { PhaseView, RunEvent } from "../../../run/events.ts";
import { createPainter } from "../../../text/style.ts";
import { describeEvent } from "./event-text.ts";
import { createProgress } from "./progress.ts";

const plan = fixturePlan();
const who = { contender: "bun-native", variant: "tuned", position: 1 } as const;
const roundStarted: RunEvent = { kind: "round-started", ...who, round: 1, rounds: 2, positions: 2 };
const burstStarted: Extract<RunEvent, { kind: "phase-started" }> = {
  kind: "phase-started",
  ...who,
  phaseKind: "burst",
  workload: "echo",
  index: 0,
  count: 2,
  expectedSeconds: null,
};
const enduranceStarted: RunEvent = { ...burstStarted, phaseKind: "endurance", index: 1, expectedSeconds: 60 };
const burstEnded: RunEvent = { kind: "phase-ended", ...who, phase: fixtureBurst(plan, "echo", 2) };
const [round] = fixtureResult().rounds;
if (round === undefined) throw new Error("the fixture has no round: expected several");

function view(elapsedMs: number, done: number, changes: Partial<PhaseView> = {}): RunEvent {
  const base = {
    kind: "burst",
    workload: "echo",
    total: 375_000,
    ratePerSecond: 100_000,
    p50Us: 254_000,
    p99Us: 410_000,
    errors: 0,
  } as const;
  return { kind: "phase-progress", ...who, view: { ...base, elapsedMs, done, ...changes } };
}

/** A terminal or a file, with a clock that stands until it is moved. */
function record(isTty: boolean, columns = 160) {
  const written: string[] = [];
  const clock = { ms: 0 };
  const write = (text: string) => void written.push(text);
  const progress = createProgress({ write, columns: () => columns, isTty, nowMs: () => clock.ms });
  const feed = (...events: readonly RunEvent[]) => {
    for (const event of events) progress.onEvent(event);
  };
  return { progress, written, clock, feed };
}

/** What stands on a screen after everything was written. */
function screen(written: readonly string[]): string[] {
  // Control characters can't stand in a pattern that is written out.
  return written
    .join("")
    .replaceAll("\r\x1b[K", "ERASE")
    .split("\n")
    .map((line) => line.split("ERASE").at(-1) ?? "");
}

test("a terminal shows where the run is in one line, redrawn in place", () => {
  const { written, clock, feed } = record(true);
  feed(roundStarted, burstStarted);
  for (let step = 1; step <= 4; step += 1) {
    clock.ms = step * 250;
    feed(view(step * 250, step * 25_000, { errors: 3 }));
  }
  expect(screen(written)).toEqual([
    "[1/2] bun-native:tuned, round 1 of 2",
    "bun-native:tuned  burst echo  26 %  rate 100,000/s  p50 254 ms  p99 410 ms  errors 3  3 s left  phase 1 of 2  turn 1 of 2",
  ]);
});

test("a search says what it tries and what it knows, and no percentage that nobody knows", () => {
  const { written, feed } = record(true);
  const step = { number: 7, ratePerSecond: 45_254.8, highestSustainedPerSecond: 32_000 };
  feed(roundStarted, { ...burstStarted, phaseKind: "capacity", count: 1 });
  feed(view(36_000, 400_000, { kind: "capacity", step, ratePerSecond: 45_000 }));
  expect(screen(written).at(-1)).toBe(
    "bun-native:tuned  capacity echo  rate 45,000/s  p50 254 ms  p99 410 ms  step 7 45,255/s  sustained 32,000/s  phase 1 of 1  turn 1 of 2",
  );
});

test("in chaos the fault under way is told", () => {
  const { written, feed } = record(true);
  const fault = { name: "slow-readers", number: 1, count: 6, window: "before" } as const;
  feed(roundStarted, {
    ...burstStarted,
    phaseKind: "chaos",
    workload: "rooms",
    count: 1,
    expectedSeconds: 90,
  });
  feed(view(900, 4000, { kind: "chaos", fault }));
  expect(screen(written).at(-1)).toContain(
    "chaos rooms  1 %  rate 100,000/s  p50 254 ms  p99 410 ms  fault before slow-readers (1 of 6)",
  );
});

test("what is done stays above the status, which goes away at the end", () => {
  const { progress, written, feed } = record(true);
  feed(roundStarted, burstStarted, view(250, 100), burstEnded);
  feed({ kind: "warning", warning: { kind: "not-pinned", problem: "one CPU only" } });
  progress.end();
  progress.end();
  expect(screen(written)).toEqual([
    "[1/2] bun-native:tuned, round 1 of 2",
    expect.stringMatching(
      /^ {2}✓ burst echo {9}bun-native:tuned: throughput 40,000\/s, p99 300 ms, CPU\/delivery [\d.]+ µs$/,
    ),
    "warning: not pinned: one CPU only",
    "",
  ]);
});

test.each([20, 40, 60, 80])("the status line never fills a terminal of %p columns", (columns) => {
  const { written, feed } = record(true, columns);
  feed(roundStarted, burstStarted, view(1000, 25_000, { errors: 12 }));
  const status = screen(written).at(-1) ?? "";
  expect(Bun.stringWidth(status)).toBeLessThan(columns);
  expect(status).toStartWith("bun-native:tuned");
});

test("a log gets a line per event and one line of progress per 5 s", () => {
  const { progress, written, clock, feed } = record(false);
  feed({ kind: "preparing", step: "build", contender: "bun-native" });
  feed({ kind: "build-output", contender: "bun-native", line: "compiling" }, roundStarted);
  feed({ kind: "server-ready", ...who, readyMs: 180 }, enduranceStarted);
  for (let step = 1; step <= 48; step += 1) {
    clock.ms = step * 250;
    feed(view(step * 250, step * 3750, { kind: "endurance", ratePerSecond: 15_000 }));
  }
  const reason = { kind: "server-exited", exit: { code: 3, signal: null }, connections: null } as const;
  feed({ kind: "round-ended", round: { ...round, status: "failed", reason } });
  progress.end();
  expect(written.join("").split("\n")).toEqual([
    "building: bun-native",
    "  bun-native | compiling",
    "[1/2] bun-native:tuned, round 1 of 2",
    "  bun-native:tuned ready after 180 ms",
    "  endurance echo (2 of 2, 1 min): bun-native:tuned",
    "  … bun-native:tuned, endurance echo, 8 %, rate 15,000/s, p50 254 ms, p99 410 ms, 55 s left, phase 2 of 2, turn 1 of 2",
    "  … bun-native:tuned, endurance echo, 16 %, rate 15,000/s, p50 254 ms, p99 410 ms, 50 s left, phase 2 of 2, turn 1 of 2",
    expect.stringMatching(/^ {2}.*failed: .*3/),
    "",
  ]);
});

test("what builds and servers say can't move the cursor", () => {
  const { written, feed } = record(false);
  feed({ kind: "build-output", contender: "x", line: "\x1b[2Jgone\r\x9b" });
  feed({
    kind: "not-run",
    contender: "x",
    variant: "default",
    reason: { kind: "build-failed", problem: "\x1b]0;hi\x07" },
  });
  const text = written.join("");
  expect(text).toContain("\\x1b[2Jgone");
  // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
  expect(text.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f]/);
});

test("a search that has ended says what was sustained, and a phase that failed why", () => {
  const line = (event: RunEvent) => describeEvent(event, createPainter(false));
  const ended = (isLowerBound: boolean): RunEvent => {
    const phase = fixtureCapacity(plan, "echo", 2);
    return {
      kind: "phase-ended",
      ...who,
      phase: { ...phase, capacity: { ...phase.capacity, isLowerBound } },
    };
  };
  expect(line(ended(false))).toBe("  ✓ capacity echo      bun-native:tuned: capacity 40,000/s");
  expect(line(ended(true))).toBe("  ✓ capacity echo      bun-native:tuned: capacity at least 40,000/s");
  const phase = fixtureBurst(plan, "echo", 2, {
    status: "failed",
    reason: { kind: "all-connections-closed" },
    findings: [{ kind: "lost", count: 1200 }],
  });
  expect(line({ kind: "phase-ended", ...who, phase })).toMatch(
    /^ {2}✗ burst echo {9}bun-native:tuned: failed: .*closed.*, 1,200 lost$/,
  );
});
