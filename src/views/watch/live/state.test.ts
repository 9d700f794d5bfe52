import { expect, test } from "bun:test";
import { bunNative, fixturePlan, fixtureRound, goGorilla } from "../../../../test/support/fixture-result.ts";
import type { PhaseView } from "../../../run/events.ts";
import { formatRate } from "../../../text/format.ts";
import { addView, LiveState, type TracePoint } from "./state.ts";
import { viewOf } from "./view.ts";

const entrants = [bunNative, goGorilla].map(({ name, variant }) => ({ contender: name, variant }));
const plan = fixturePlan({ entrants });
const [, burst] = fixtureRound(bunNative, plan).phases;
if (burst?.kind !== "burst" || burst.status === "not-run")
  throw new Error("the fixture has no burst: expected one");

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

const who = { contender: "bun-native", variant: "default", position: 1 } as const;

function startedState(): LiveState {
  const state = new LiveState(plan);
  state.note({ kind: "round-started", ...who, round: 1, rounds: 1, positions: 2 });
  startPhase(state);
  return state;
}

function startPhase(state: LiveState): void {
  state.note({
    kind: "phase-started",
    ...who,
    phaseKind: "burst",
    workload: "echo",
    index: 1,
    count: 4,
    expectedSeconds: null,
  });
}

test("a phase that runs has its latest numbers and its course", () => {
  const state = startedState();
  state.note({ kind: "phase-progress", ...who, view });
  state.note({ kind: "phase-progress", ...who, view: { ...view, elapsedMs: 1600, done: 160 } });
  expect(state.place.view?.done).toBe(160);
  expect(state.traceOf(1, "bun-native").map(({ second }) => second)).toEqual([0.5, 1.6]);
});

test("a phase that ended is known by its figures and no longer runs", () => {
  const state = startedState();
  state.note({ kind: "phase-ended", ...who, phase: burst });
  expect(state.place.phase).toBeNull();
  expect(state.phasesOf(1, "bun-native")).toEqual([burst]);
  expect(state.phasesOf(1, "go-gorilla")).toEqual([]);
  const { known = "" } = viewOf(state).regions;
  expect(known).toContain(`>${formatRate(burst.throughput?.deliveriesPerSecond ?? 0)}</td>`);
});

test("contenders that are alive together each have their own", () => {
  const state = startedState();
  const other = { contender: "go-gorilla", variant: "default", position: 2 } as const;
  state.note({ kind: "round-started", ...other, round: 1, rounds: 1, positions: 2 });
  const started = {
    phaseKind: "burst",
    workload: "echo",
    index: 1,
    count: 4,
    expectedSeconds: null,
  } as const;
  for (const one of [who, other]) state.note({ kind: "phase-started", ...one, ...started });
  const slice = (number: number) => ({ ...view, elapsedMs: 1000 * number, slice: { number, count: 8 } });
  state.note({ kind: "phase-progress", ...other, view: slice(1) });
  state.note({ kind: "phase-progress", ...who, view: slice(2) });
  expect(viewOf(state).regions.headline).toBe("bun-native: burst echo");
  expect(viewOf(state).regions.now).toContain("<dt>slice</dt><dd>2 of 8</dd>");
  expect(state.traceOf(1, "go-gorilla").map(({ second }) => second)).toEqual([1]);
  for (const one of [who, other]) state.note({ kind: "phase-ended", ...one, phase: burst });
  expect(state.phasesOf(1, "bun-native")).toHaveLength(1);
  expect(state.phasesOf(1, "go-gorilla")).toHaveLength(1);
});

test("a phase that failed keeps the figures of the rounds before it, and says why", () => {
  const state = startedState();
  state.note({ kind: "phase-ended", ...who, phase: burst });
  const reason = { kind: "all-connections-closed" } as const;
  startPhase(state);
  state.note({ kind: "phase-ended", ...who, phase: { ...burst, status: "failed", reason } });
  const { known = "" } = viewOf(state).regions;
  expect(known).toMatch(/bun-native<\/th><td class="right">[\d,]+\/s<\/td>.*failed: /);
});

test("whoever never got to a phase has why in its place, and nobody waits for it", () => {
  const state = startedState();
  const reason = { kind: "server-not-ready", problem: "no handshake" } as const;
  const round = fixtureRound(bunNative, plan, { status: "failed", reason, phases: [] });
  state.note({ kind: "round-ended", round });
  const { known = "" } = viewOf(state).regions;
  expect(known).toContain("no handshake");
  expect(known.match(/to come/g)).toHaveLength(plan.phases.length);
});

test("the rate and the latency of everybody are drawn on the same axes, and told in words", () => {
  const state = startedState();
  for (const elapsedMs of [1000, 2000, 3000]) {
    state.note({
      kind: "phase-progress",
      ...who,
      view: { ...view, elapsedMs, ratePerSecond: elapsedMs, p99Us: 100 * elapsedMs },
    });
  }
  const { charts = "" } = viewOf(state).regions;
  expect(charts.match(/<svg/g)).toHaveLength(2);
  expect(charts.match(/class="line"/g)).toHaveLength(2);
  expect(charts).toContain('aria-label="Burst echo: deliveries per second; last: bun-native: 3,000/s"');
  expect(charts).toContain('aria-label="Burst echo: p99 latency; last: bun-native: 300 ms"');
  expect(charts).not.toContain("NaN");
  expect(viewOf(new LiveState(plan)).regions.charts).not.toContain("NaN");
});

test("of a search the rate that is tried is shown, of chaos the fault", () => {
  const state = startedState();
  const step = { number: 7, ratePerSecond: 45_254.8, highestSustainedPerSecond: 32_000 };
  state.note({ kind: "phase-progress", ...who, view: { ...view, kind: "capacity", step } });
  expect(viewOf(state).regions.now).toContain("<dt>step 7</dt><dd>45,255/s</dd>");
  expect(viewOf(state).regions.now).toContain("<dt>sustained</dt><dd>32,000/s</dd>");
  const fault = { name: "resets", number: 2, count: 6, window: "under" } as const;
  state.note({ kind: "phase-progress", ...who, view: { ...view, kind: "chaos", fault } });
  expect(viewOf(state).regions.now).toContain("<dt>fault</dt><dd>during resets (2 of 6)</dd>");
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
