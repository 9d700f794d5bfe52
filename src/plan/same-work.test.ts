import { expect, test } from "bun:test";
import type { Plan } from "./plan.ts";
import { resolvePlan } from "./resolve.ts";
import { differingParameters } from "./same-work.ts";

const plan = (settings = {}, cpus: readonly number[] | null = null): Plan =>
  resolvePlan({
    preset: "smoke",
    settings,
    entrants: [],
    serverCpus: cpus,
    workerCpus: cpus,
    descriptorLimit: null,
    leastMessageBytes: () => 1,
  });
const connect = { kind: "connect" } as const;
const burst = { kind: "burst", workload: "echo" } as const;
const rooms = { kind: "endurance", workload: "rooms" } as const;

test.each([
  [
    "what no phase's work hangs on",
    { rounds: 9, seed: 7, port: 4000, errorThreshold: 1, quietMs: 500 },
    [],
    [],
    [],
  ],
  ["what every phase reads", { connections: 40 }, ["connections"], ["connections"], ["connections"]],
  ["what one kind reads", { connectBatch: 3, messageBatch: 7 }, ["connectBatch"], ["messageBatch"], []],
  ["what a workload reads", { roomSize: 7, sendersPerRoom: 2 }, [], [], ["roomSize", "sendersPerRoom"]],
  [
    "what messages read",
    { messageBytes: 200, enduranceSeconds: 3 },
    [],
    ["messageBytes"],
    ["enduranceSeconds", "messageBytes"],
  ],
  ["other phases in the plan", { phases: [connect, burst, rooms] }, [], [], []],
])("%s", (_, settings, ...expected) => {
  const before = plan();
  const after = plan(settings);
  [connect, burst, rooms].forEach((phase, at) => {
    expect(differingParameters(before, after, phase)).toEqual(expected[at] as never);
  });
});

test("a limit on latency is work where a rate may be sustained", () => {
  const kinds = [
    burst,
    { kind: "steady", workload: "echo" },
    rooms,
    { kind: "capacity", workload: "echo" },
  ] as const;
  const differ = kinds.map((phase) => differingParameters(plan(), plan({ p99LimitMs: 50 }), phase));
  expect(differ).toEqual([[], ["p99LimitMs"], [], ["p99LimitMs"]]);
});

test("other CPUs are other work", () => {
  expect(differingParameters(plan({}, [0]), plan({}, [1]), burst)).toEqual(["serverCpus", "workerCpus"]);
});

test("a parameter that a file from before it lacks had its default: the trend goes on", () => {
  const { messageBytes: _, ...older } = plan();
  expect(differingParameters(older as Plan, plan(), burst)).toEqual([]);
  expect(differingParameters(older as Plan, plan({ messageBytes: 121 }), burst)).toEqual(["messageBytes"]);
});
