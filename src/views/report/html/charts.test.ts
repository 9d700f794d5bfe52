import { expect, test } from "bun:test";
import {
  bunNative,
  fixtureExchange,
  fixturePlan,
  fixtureResult,
  fixtureRound,
} from "../../../../test/support/fixture-result.ts";
import type { Phase, Result, TimelineBucket } from "../../../result/schema.ts";
import { listSections } from "../section.ts";
import { buildCharts } from "./charts.ts";
import { describeChart } from "./figure.ts";
import { mergePoints } from "./line-series.ts";

const plan = fixturePlan({
  rounds: 2,
  enduranceSeconds: 4,
  phases: [{ kind: "endurance", workload: "echo" }],
});

function resultOf(...phases: readonly Phase[]): Result {
  return fixtureResult({
    plan,
    contenders: [bunNative],
    rounds: phases.map((phase, at) => fixtureRound(bunNative, plan, { round: at + 1, phases: [phase] })),
  });
}

function chartsOf(result: Result) {
  const [section] = listSections(result);
  if (section === undefined) throw new Error("no section: expected one per phase");
  return buildCharts(section, result.plan, new Map([["bun-native", 0]]));
}

function timeline(...delivered: readonly number[]): TimelineBucket[] {
  return delivered.map((count, second) => ({
    second,
    sent: count,
    delivered: count,
    p50Us: 0,
    p99Us: count,
    maxUs: count,
    serverCpuMs: null,
    serverRssBytes: 1000 * second,
  }));
}

function endurance(changes: Partial<Phase>): Phase {
  return fixtureExchange(plan, "endurance", "echo", 1, changes);
}

test("rounds are merged place by place: middle, lowest and highest, never an average of all", () => {
  const merged = mergePoints([
    [
      { x: 1, value: 10 },
      { x: 2, value: 1 },
    ],
    [{ x: 1, value: 1000 }],
    [{ x: 1, value: 20 }],
  ]);
  expect(merged).toEqual([
    { x: 1, middle: 20, low: 10, high: 1000 },
    { x: 2, middle: 1, low: 1, high: 1 },
  ]);
});

test("the course has the seconds of the load: neither one that was cut off nor the backlog afterwards", () => {
  const { course } = chartsOf(
    resultOf(endurance({ durationMs: 5900, timeline: timeline(100, 110, 120, 130, 60, 3) })),
  );
  const rate = course.find(({ id }) => id === "rate-0");
  expect(rate?.series[0]?.points.map(({ x, middle }) => [x, middle])).toEqual([
    [0, 100],
    [1, 110],
    [2, 120],
    [3, 130],
  ]);
  expect(rate?.level).toEqual({ name: "offered", value: 15_000 });
});

test("of a long course several seconds are put together: the mean of rates, the worst of percentiles", () => {
  const long = fixturePlan({ ...plan, enduranceSeconds: 400 });
  const seconds = Array.from({ length: 400 }, (_, second) => 100 + (second % 3));
  const phase = endurance({ durationMs: 400_000, timeline: timeline(...seconds) });
  const { course } = chartsOf({ ...resultOf(phase), plan: long });
  const [rate] = course;
  const p99 = course.find(({ id }) => id === "p99-0");
  expect(rate?.title).toBe("Endurance echo: deliveries per second, the mean of each 3 s");
  expect(rate?.series[0]?.points[1]).toEqual({ x: 3, middle: 101, low: 101, high: 101 });
  expect(p99?.series[0]?.points[1]?.middle).toBe(102);
  expect(p99?.series[0]?.points).toHaveLength(134);
});

test("what was not measured has no chart", () => {
  const { course, latency } = chartsOf(resultOf(endurance({ timeline: timeline(100, 110, 120, 130) })));
  expect(course.map(({ id }) => id)).toEqual(["rate-0", "p50-0", "p99-0", "memory-0"]);
  expect(latency).toBeNull();
});

test("a contender without a good round is shown broken, never as if it were whole; its latencies are not", () => {
  const failed = endurance({
    status: "failed",
    reason: "crashed",
    timeline: timeline(100, 90, 80, 0),
    latencyUs: { ...quantiles, curve: [[0.5, 100]] },
  });
  const ok = endurance({ timeline: timeline(200, 200, 200, 200) });
  const alone = chartsOf(resultOf(failed));
  expect(alone.course[0]?.series[0]).toMatchObject({ status: "failed" });
  expect(alone.latency).toBeNull();
  const beside = chartsOf(resultOf(failed, ok));
  expect(beside.course[0]?.series[0]).toMatchObject({ status: "ok" });
  expect(beside.course[0]?.series[0]?.points[0]).toEqual({ x: 0, middle: 200, low: 200, high: 200 });
});

test("a log axis has no zero: less than a microsecond is drawn as one", () => {
  const { course } = chartsOf(resultOf(endurance({ timeline: timeline(100, 110, 120, 130) })));
  expect(course.find(({ id }) => id === "p50-0")?.series[0]?.points[0]?.middle).toBe(1);
});

test("a chart in words has the numbers that tell most", () => {
  const curve: [number, number][] = [
    [0, 50],
    [0.5, 100],
    [0.9, 900],
    [0.99, 12_300],
  ];
  const { latency } = chartsOf(resultOf(endurance({ latencyUs: { ...quantiles, curve } })));
  if (latency === null) throw new Error("no latency chart: expected one");
  expect(describeChart(latency)).toBe(
    "Endurance echo: latency by percentile, logarithmic axis. bun-native: p50 100 µs, p90 900 µs, p99 12.3 ms.",
  );
});

const quantiles = {
  count: 1,
  min: 1,
  mean: 1,
  p50: 1,
  p90: null,
  p99: null,
  p999: null,
  max: 1,
};
