import { expect, test } from "bun:test";
import {
  bunNative,
  fixtureCapacity,
  fixtureExchange,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  nodeWs,
} from "../../../../test/support/fixture-result.ts";
import { sizeUp } from "./sizing.ts";

const plan = fixturePlan({ phases: [{ kind: "endurance", workload: "echo" }] });
const cost = { rssBytesPerConnection: 10_000, cpuUsPerDelivery: 20, descriptorLimit: 20_000 };

function measured(rounds: number, cpuUs: (round: number) => number = () => cost.cpuUsPerDelivery) {
  const of = { ...plan, rounds };
  const all = fixtureRounds([bunNative], of).map((round) => {
    const phase = fixtureExchange(of, "endurance", "echo", 1);
    const server = { ...phase.server, ...cost, cpuUsPerDelivery: cpuUs(round.round) };
    return { ...round, idleRssBytes: 50_000_000, phases: [{ ...phase, server }] };
  });
  return fixtureResult({ contenders: [bunNative], plan: of, rounds: all });
}

function cells(result = measured(1), users = 100_000, deliveriesPerSecond = 1): (string | undefined)[] {
  const sizing = sizeUp(result, { users, deliveriesPerSecond });
  return sizing?.tables[0]?.table.rows[0]?.cells.map(({ text }) => text) ?? [];
}

test("processors are users × rate × cost, memory is what is idle and what each brings", () => {
  // 100,000/s × 20 µs = 2 processors; at 70 % that is 3. 50 MB + 100,000 × 10 kB.
  expect(cells()).toEqual(["bun-native", "2.0", "3", "1.1 GB"]);
  expect(cells(measured(1), 200_000, 5)).toEqual(["bun-native", "20", "29", "2.1 GB"]);
});

test("rounds that differ give an interval", () => {
  const [, busy] = cells(measured(5, (round) => 17 + round));
  expect(busy).toMatch(/^2\.0 \(1\.[6-9] to 2\.[1-4]\)$/);
});

test("a capacity that was found has its own column, and is explained only then", () => {
  const of = { ...plan, phases: [...plan.phases, { kind: "capacity", workload: "echo" }] } as const;
  const rounds = fixtureRounds([nodeWs], of).map((round) => ({
    ...round,
    phases: [
      fixtureExchange(of, "endurance", "echo", 1),
      fixtureCapacity(of, "echo", 1, { perCore: 30_000 }),
    ],
  }));
  const sizing = sizeUp(fixtureResult({ contenders: [nodeWs], plan: of, rounds }), {
    users: 100_000,
    deliveriesPerSecond: 1,
  });
  const [table] = sizing?.tables ?? [];
  const column = table?.table.columns.findIndex(({ header }) => header === "by capacity") ?? -1;
  expect(table?.table.rows[0]?.cells[column]?.text).toBe("4");
  expect(sizing?.assumptions.join(" ")).toContain("By capacity");
  const { assumptions } = sizeUp(measured(1), { users: 100_000, deliveriesPerSecond: 1 }) ?? {};
  expect(assumptions?.join(" ")).not.toContain("apacity");
});

test("what it assumes is said: the descriptors too", () => {
  const { assumptions = [] } = sizeUp(measured(1), { users: 100_000, deliveriesPerSecond: 1 }) ?? {};
  expect(assumptions.join(" ")).toContain("at least 5 processes");
  expect(assumptions.join(" ")).toContain("Nobody has tried 100,000 users");
  expect(assumptions.join(" ")).toContain("One round");
});

test("a load of a second, or none, sizes nothing", () => {
  const demand = { users: 100_000, deliveriesPerSecond: 1 };
  expect(sizeUp(fixtureResult({ plan: { ...plan, enduranceSeconds: 1 } }), demand)).toBeNull();
  expect(sizeUp(fixtureResult({ plan: fixturePlan({ phases: [{ kind: "connect" }] }) }), demand)).toBeNull();
});
