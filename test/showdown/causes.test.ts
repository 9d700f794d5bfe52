import { beforeAll, expect, setDefaultTimeout, test } from "bun:test";
import { measureOf } from "../../src/measures/catalogue.ts";
import {
  type EndedRun,
  expectBalanced,
  loadPhase,
  longestMs,
  ranPhase,
  roundOf,
  runFixtures,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

let run: EndedRun;

beforeAll(async () => {
  run = await runFixtures(["clean", "writes-singly", "writes-together", "drops-half"], "--messages", "200");
}, longestMs);

test("who writes all messages for a client at once puts more into a segment than who writes each by itself", () => {
  const perSegment = measureOf("messages-per-segment");
  const [joined = 0, single = 0] = ["writes-together", "writes-singly"].map((name) => {
    const phase = loadPhase(roundOf(run, name), "burst-echo");
    expect(phase.segments?.connections).toBe(50);
    expect(phase.segments?.deliveries).toBe(phase.messages.delivered);
    return perSegment.pick(phase) ?? Number.NaN;
  });
  // The kernel joins some of what waits, most of all on a busy machine, and may cut what it has joined within a message.
  expect(single).toBeGreaterThan(0.9);
  expect(joined).toBeGreaterThan(3 * single);
});

test("at a steady rate a segment holds one message", () => {
  const phase = loadPhase(roundOf(run, "clean"), "endurance-echo");
  const perSegment = measureOf("messages-per-segment").pick(phase) ?? Number.NaN;
  expect(perSegment).toBeGreaterThan(0.98);
  expect(perSegment).toBeLessThan(1.5);
});

test("of half of the deliveries there is no p99: what never came is infinitely late", () => {
  const round = roundOf(run, "drops-half");
  expectBalanced(round);
  for (const name of ["burst-echo", "burst-broadcast", "endurance-echo"]) {
    const phase = loadPhase(round, name);
    expect(phase.status).toBe("ok");
    expect(measureOf("reach").pick(phase)).toBe(0.5);
    for (const quantiles of [phase.latencyUs, phase.uncorrectedLatencyUs]) {
      expect(quantiles).toMatchObject({ p90: null, p99: null, max: null, mean: null });
      expect(quantiles.p50).toBeGreaterThan(0);
      expect(quantiles.owed).toBe(2 * quantiles.count);
    }
    expect(phase.latencyUs.curve.at(-1)?.[0]).toBe(0.5);
    expect(measureOf("latency.p99").isBeyondReach(phase)).toBe(true);
  }
  expect(loadPhase(roundOf(run, "clean"), "burst-echo").latencyUs.p99).toBeGreaterThan(0);
});

test("who drops half is ranked nowhere: not by throughput, nor latency, nor cost", () => {
  const standings = run.result.judgements
    .filter(({ phase }) => phase !== "connect")
    .map(({ phase, measure, places }) => [
      `${phase} ${measure}`,
      places.find(({ contender }) => contender === "drops-half")?.standing,
    ]);
  expect(standings).toHaveLength(9);
  expect(new Set(standings.map(([, standing]) => standing))).toEqual(new Set(["unfit"]));
});

test.if(process.platform === "linux")("CPU time has two parts, and threads switch", () => {
  const { server } = loadPhase(roundOf(run, "clean"), "burst-echo");
  expect((server.cpuUserMs ?? 0) + (server.cpuSystemMs ?? 0)).toBeCloseTo(server.cpuMs ?? Number.NaN, 2);
  expect(server.cpuSystemMs).toBeGreaterThan(0);
  expect(server.contextSwitches?.voluntary).toBeGreaterThan(0);
});

test("what 50 connections cost can't be resolved, and is not made up", () => {
  const phase = ranPhase(roundOf(run, "clean"), "connect");
  if (phase.kind !== "connect") throw new Error("expected the connect phase");
  expect(phase.memory.rss.kind).toBe("unresolved");
  expect(phase.memory.baselineRssBytes).toBeGreaterThan(1e6);
  expect(measureOf("memory-per-connection").pick(phase)).toBeNull();
});
