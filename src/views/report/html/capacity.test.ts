import { expect, test } from "bun:test";
import {
  bunNative,
  fixtureExchange,
  fixturePlan,
  fixtureResult,
  fixtureRound,
} from "../../../../test/support/fixture-result.ts";
import type { Capacity, Result } from "../../../result/schema.ts";
import { listSections, type Section } from "../section.ts";
import { buildSearchChart, buildSteps, describeUncompared } from "./capacity.ts";

const plan = fixturePlan({ rounds: 1, phases: [{ kind: "capacity", workload: "echo" }] });

const search: Capacity = {
  ratePerSecond: 20_000,
  isLowerBound: false,
  p99LimitMs: 10,
  perCore: 20_000,
  perCpuSecond: 21_000,
  steps: [
    { ratePerSecond: 10_000, heldPerSecond: 10_000, p99Us: 900, held: true, reason: null },
    { ratePerSecond: 40_000, heldPerSecond: 31_000, p99Us: 80_000, held: false, reason: "p99 80.0 ms" },
    { ratePerSecond: 20_000, heldPerSecond: 20_000, p99Us: 2000, held: true, reason: null },
  ],
};

function sectionOf(capacity: Capacity): Section {
  const phase = fixtureExchange(plan, "endurance", "echo", 1);
  const rounds = [fixtureRound(bunNative, plan, { phases: [{ ...phase, kind: "capacity", capacity }] })];
  const result: Result = fixtureResult({ plan, contenders: [bunNative], rounds });
  const [section] = listSections(result);
  if (section === undefined) throw new Error("no section: expected one per phase");
  return section;
}

function remarkOf(capacity: Capacity): string | null {
  const [participant] = sectionOf(capacity).participants;
  return participant === undefined ? null : describeUncompared(participant);
}

test("the course of the search goes by rate, whatever the order of the tries", () => {
  const chart = buildSearchChart(sectionOf(search), new Map());
  expect(chart?.series[0]?.points.map(({ x, middle }) => [x, middle])).toEqual([
    [10_000, 900],
    [20_000, 2000],
    [40_000, 80_000],
  ]);
  expect(chart?.level).toEqual({ name: "limit", value: 10_000 });
});

test("every try is told, with why it was not held", () => {
  const rows = buildSteps(sectionOf(search))?.rows.map(({ cells }) => cells.map(({ text }) => text));
  expect(rows).toHaveLength(3);
  expect(rows?.[1]).toEqual(["bun-native", "40,000/s", "31,000/s", "80.0 ms", "p99 80.0 ms"]);
});

test("what no server ended has words in the place of a bar, and so has who held nothing", () => {
  expect(remarkOf(search)).toBeNull();
  expect(remarkOf({ ...search, isLowerBound: true })).toBe(
    "no doing of the server ended the search (p99 80.0 ms): it may hold more, so it is not compared",
  );
  expect(remarkOf({ ...search, ratePerSecond: null })).toBe("held none of the rates offered");
});
