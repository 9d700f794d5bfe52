import { expect, test } from "bun:test";
import { fixtureExchange, fixturePlan, messageCounts } from "../../../../test/support/fixture-result.ts";
import type { Phase } from "../../../result/schema.ts";
import { measures } from "../measure.ts";
import { buildBars, type Lane, scaleOf } from "./bars.ts";

const plan = fixturePlan();

function burst(deliveriesPerSecond: number, changes: Partial<Phase> = {}): Phase {
  const throughput = {
    deliveriesPerSecond,
    sendsPerSecond: deliveriesPerSecond,
    spanMs: 1000,
    sendSpanMs: 900,
  };
  return fixtureExchange(plan, "burst", "echo", 1, { throughput, ...changes });
}

function lane(name: string, ...phases: readonly (Phase | null)[]): Lane {
  const endings = phases.flatMap((phase) =>
    phase === null || phase.status === "ok" ? [] : [{ status: phase.status, reason: phase.reason }],
  );
  return { name, phases, endings, pending: null, atLeast: null };
}

function barsOf(...lanes: readonly Lane[]) {
  return buildBars(lanes, measures.throughput, plan.connections);
}

test("the best comes first, whoever has no figure last", () => {
  const bars = barsOf(
    lane("slow", burst(100)),
    lane("dead", burst(999, { status: "failed", reason: "crashed" })),
    lane("fast", burst(300)),
  );
  expect(bars.map(({ name, value }) => [name, value])).toEqual([
    ["fast", 300],
    ["slow", 100],
    ["dead", null],
  ]);
  expect(bars[2]?.troubles).toEqual([{ status: "failed", text: "crashed" }]);
});

test("less is better for memory", () => {
  const bars = buildBars(
    [
      lane("large", burst(1, { server: { ...burst(1).server, rssBytesPerConnection: 9000 } })),
      lane("small", burst(1, { server: { ...burst(1).server, rssBytesPerConnection: 4000 } })),
    ],
    measures.memoryPerConnection,
    plan.connections,
  );
  expect(bars.map(({ name }) => name)).toEqual(["small", "large"]);
});

test("rounds that did not end well are not in the median and are told beside it", () => {
  const [bar] = barsOf(
    lane("a", burst(100), burst(900, { status: "void", reason: "generator saturated" }), burst(110)),
  );
  expect(bar).toMatchObject({ value: 105, values: [100, 110], interval: null });
  expect(bar?.troubles).toEqual([{ status: "void", text: "generator saturated (1 of 3 rounds)" }]);
});

test("three rounds have an interval around the median", () => {
  const [bar] = barsOf(lane("a", burst(100), burst(104), burst(102)));
  expect(bar?.value).toBe(102);
  expect(bar?.interval?.low).toBeLessThan(100);
  expect(bar?.interval?.high).toBeGreaterThan(104);
});

test("tracks end at the largest value, at a limit that is not absurd, or at what was asked for", () => {
  const wild = barsOf(lane("wild", burst(10), burst(1000), burst(500)), lane("calm", burst(100)));
  expect(scaleOf(wild)).toBe(750);
  const calm = barsOf(lane("a", burst(100), burst(104), burst(102)));
  expect(scaleOf(calm)).toBe(calm[0]?.interval?.high ?? 0);
  expect(scaleOf(calm, { full: 200 })).toBe(200);
  expect(scaleOf(barsOf(lane("dead", null)))).toBeNull();
});

test("what is only known to be reached stands at its place, and never in the value", () => {
  const bars = barsOf(lane("known", burst(100)), { ...lane("open", null), atLeast: 400 });
  expect(bars.map(({ name, value, atLeast }) => [name, value, atLeast])).toEqual([
    ["open", null, 400],
    ["known", 100, null],
  ]);
  expect(scaleOf(bars)).toBe(400);
});

test("fewer connections and lost deliveries are told beside the bar", () => {
  const [bar] = barsOf(
    lane(
      "a",
      burst(100, {
        connections: { requested: 50, opened: 50, failed: 0, failedByReason: {}, died: 0 },
        messages: messageCounts(1000, { delivered: 900, lost: 100 }),
      }),
    ),
  );
  expect(bar?.caveats).toEqual(["over 50 of 25,000 connections", "lost 10.0 % of its deliveries"]);
});
