import { expect, test } from "bun:test";
import { bunNative, fixturePlan, fixtureRound, goGorilla } from "../../../../test/support/fixture-result.ts";
import type { PhaseView } from "../../../run/phases/context.ts";
import { LiveState } from "./state.ts";
import { addView, type TracePoint } from "./trace.ts";
import { viewOf } from "./view.ts";

const entrants = [bunNative, goGorilla].map(({ name, variant }) => ({ contender: name, variant }));
const plan = fixturePlan({ entrants });
const [, burst] = fixtureRound(bunNative, plan).phases;
if (burst === undefined) throw new Error("the fixture has no burst: expected one");

const view: PhaseView = {
  kind: "burst",
  workload: "echo",
  elapsedMs: 500,
  done: 100,
  total: 1000,
  ratePerSecond: 200,
  p50Us: 10,
  p99Us: 20,
  errors: 0,
};

function startedState(): LiveState {
  const state = new LiveState(plan);
  const place = { round: 1, rounds: 1, position: 1, positions: 2 };
  state.note({ kind: "round-started", contender: "bun-native", variant: "default", ...place });
  state.note({
    kind: "phase-started",
    phaseKind: "burst",
    workload: "echo",
    index: 1,
    count: 4,
    expectedSeconds: null,
  });
  return state;
}

test("a phase that runs has its latest numbers and its course", () => {
  const state = startedState();
  state.note({ kind: "phase-progress", view });
  state.note({ kind: "phase-progress", view: { ...view, elapsedMs: 800, done: 160 } });
  expect(state.running?.view?.done).toBe(160);
  expect(state.traceOf(1, "bun-native").map(({ second }) => second)).toEqual([0.5, 0.8]);
});

test("a phase that ended is kept and no longer runs", () => {
  const state = startedState();
  state.note({ kind: "phase-ended", phase: burst });
  expect(state.running).toBeNull();
  expect(state.phasesOf(1, "bun-native")).toEqual([burst]);
  expect(state.phasesOf(1, "go-gorilla")).toEqual([]);
});

test("whoever never got to a phase has why in its place, and nobody waits for it", () => {
  const state = startedState();
  const round = fixtureRound(bunNative, plan, { status: "failed", reason: "never ready", phases: [] });
  state.note({ kind: "round-ended", round });
  const { panels = "" } = viewOf(state).regions;
  expect(panels).toContain("never ready");
  expect(panels.match(/to come/g)).toHaveLength(plan.phases.length);
});

test("of a search the rate that is tried is shown, of chaos the fault", () => {
  const state = startedState();
  const step = { number: 7, ratePerSecond: 45_254.8, highestHeldPerSecond: 32_000 };
  state.note({ kind: "phase-progress", view: { ...view, kind: "capacity", step } });
  expect(viewOf(state).regions.now).toContain("<dt>step 7</dt><dd>45,255/s</dd>");
  expect(viewOf(state).regions.now).toContain("<dt>held so far</dt><dd>32,000/s</dd>");
  const fault = { name: "resets", number: 2, count: 6, window: "under" } as const;
  state.note({ kind: "phase-progress", view: { ...view, kind: "chaos", fault } });
  expect(viewOf(state).regions.now).toContain("resets <small>2 of 6, striking</small>");
});

test("before the first whole second there is no rate, rather than none", () => {
  expect(addView([], { ...view, elapsedMs: 250, ratePerSecond: 0 })).toEqual([]);
  expect(addView([], { ...view, elapsedMs: 1250, ratePerSecond: 0 })).toHaveLength(1);
});

test("numbers of a course stay within bounds, evenly thinned", () => {
  let trace: readonly TracePoint[] = [];
  for (let elapsedMs = 1000; elapsedMs < 300_000; elapsedMs += 100) {
    trace = addView(trace, { ...view, elapsedMs });
  }
  expect(trace.length).toBeLessThanOrEqual(240);
  expect(trace[0]?.second).toBe(1);
  expect(trace.at(-1)?.second).toBeGreaterThan(290);
});
