import { expect, test } from "bun:test";
import {
  bunNative,
  fixtureCapacity,
  fixtureConnect,
  fixtureEndurance,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  fixtureSlope,
  nodeWs,
} from "../../../test/support/fixture-result.ts";
import type { MemorySlope } from "../../result/phase.ts";
import type { Block } from "./block.ts";
import { buildSizing } from "./sizing.ts";

const plan = fixturePlan({ phases: [{ kind: "connect" }, { kind: "endurance", workload: "echo" }] });
const cost = { cpuUsPerDelivery: 20, descriptorLimit: 20_000 };
const demand = { users: 100_000, deliveriesPerSecond: 1 };

function measured(rss: MemorySlope = fixtureSlope(10_000)) {
  const rounds = fixtureRounds([bunNative], plan).map((round) => {
    const phase = fixtureEndurance(plan, "echo", 1);
    const memory = { baselineRssBytes: 50_000_000, rss, kernel: fixtureSlope(8000) };
    return {
      ...round,
      phases: [fixtureConnect(plan, 1, { memory }), { ...phase, server: { ...phase.server, ...cost } }],
    };
  });
  return fixtureResult({ contenders: [bunNative], plan, rounds });
}

function rowOf(blocks: readonly Block[]): string[] {
  const block = blocks.find(({ kind }) => kind === "table");
  return block?.kind === "table" ? (block.table.rows[0]?.cells.map(({ text }) => text) ?? []) : [];
}

function textOf(blocks: readonly Block[]): string {
  return blocks
    .flatMap((block) => (block.kind === "list" ? block.items.map(({ text }) => text) : []))
    .join(" ");
}

test("cores are users × rate × cost, memory is what is idle and what each brings", () => {
  // 100,000/s × 20 µs = 2 cores; at 70 % that is 3. 50 MB + 100,000 × 10 kB.
  expect(rowOf(buildSizing(measured(), demand))).toEqual(["bun-native", "2.0", "3", "1.1 GB"]);
  expect(rowOf(buildSizing(measured(), { users: 200_000, deliveriesPerSecond: 5 }))).toEqual([
    "bun-native",
    "20",
    "29",
    "2.1 GB",
  ]);
});

test("what a connection takes was not resolved: no memory is made up", () => {
  const rss: MemorySlope = { kind: "unresolved", reason: "wide", low: 400, high: 2000 };
  expect(rowOf(buildSizing(measured(rss), demand))).toEqual(["bun-native", "2.0", "3", "not resolved"]);
});

test("a capacity that was found has its own column", () => {
  const of = fixturePlan({ phases: [...plan.phases, { kind: "capacity", workload: "echo" }] });
  const rounds = fixtureRounds([nodeWs], of).map((round) => ({
    ...round,
    phases: [
      fixtureConnect(of, 1),
      fixtureEndurance(of, "echo", 1),
      fixtureCapacity(of, "echo", 1, { perCpu: 30_000 }),
    ],
  }));
  expect(rowOf(buildSizing(fixtureResult({ contenders: [nodeWs], plan: of, rounds }), demand))[3]).toBe("4");
});

test("what was not tested and what it takes is said", () => {
  const text = textOf(buildSizing(measured(), demand));
  expect(text).toContain("100,000 users were not tested");
  expect(text).toContain("at least 5 processes");
});

test("a load of a second, or none, sizes nothing", () => {
  expect(buildSizing(fixtureResult({ plan: { ...plan, enduranceSeconds: 1 } }), demand)).toEqual([]);
  expect(
    buildSizing(fixtureResult({ plan: fixturePlan({ phases: [{ kind: "connect" }] }) }), demand),
  ).toEqual([]);
});
