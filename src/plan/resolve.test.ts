import { expect, test } from "bun:test";
import { UsageError } from "../errors.ts";
import { presets } from "./presets.ts";
import { type PlanRequest, parsePhases, phaseName, phaseNames, resolvePlan } from "./resolve.ts";

const request: PlanRequest = {
  preset: "smoke",
  changes: {},
  seed: 1,
  entrants: [{ contender: "clean", variant: "default" }],
  port: 0,
  validityRule: true,
  workers: 0,
  pacing: "auto",
  serverCpus: null,
  workerCpus: null,
  descriptorLimit: 1024,
  readyMs: 1000,
  connectMs: 1000,
};

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof UsageError) return `${error.message} (${error.hint})`;
    throw error;
  }
  return "none";
}

test("a preset's parameters hold until an option says otherwise", () => {
  const plan = resolvePlan({ ...request, changes: { connections: 60, quietMs: 7 } });
  const { quietMs: _, ...parameters } = presets.smoke;
  expect(plan).toMatchObject({ ...parameters, connections: 60, timeouts: { quietMs: 7 } });
});

test("an entrant is no more than its name in the plan", () => {
  const entrant = { contender: "clean", variant: "default", folder: "/x", env: {} };
  expect(resolvePlan({ ...request, entrants: [entrant] }).entrants).toEqual([
    { contender: "clean", variant: "default" },
  ]);
});

test.each([
  [50, [1, 2, 3, 4], 1],
  [500, [1, 2, 3, 4], 1],
  [501, [1, 2, 3, 4], 2],
  [100_000, [1, 2, 3, 4], 109],
  // 924 descriptors of 1,024 are left for connections.
  [924, [1], 1],
  [925, [1], 2],
  [925, null, 2],
])("%i connections on processors %j take %i workers", (connections, workerCpus, workers) => {
  expect(resolvePlan({ ...request, changes: { connections }, workerCpus }).workers).toBe(workers);
});

test.each([
  ["auto", [1, 2], 2, "spin"],
  ["auto", [1, 2], 3, "timer"],
  ["auto", null, 1, "timer"],
  ["timer", [1], 1, "timer"],
  ["spin", null, 1, "spin"],
] as const)(
  "pacing %s on processors %j with %i workers is %s-ned",
  (pacing, workerCpus, workers, expected) => {
    expect(resolvePlan({ ...request, pacing, workerCpus, workers }).pacing).toBe(expected);
  },
);

test.each([
  [{ changes: { messageBytes: 20 } }, /^--message-bytes 20: expected at least \d+ \(a message carries/],
  [
    { changes: { connections: 5000 }, workers: 2 },
    /^--workers 2: 5000 connections need at least 6 workers here \(one process may have 1024 descriptors \(ulimit -n\)\)$/,
  ],
  [{ workers: 51 }, /^--workers 51: expected at most one per connection \(50\)/],
])("%j can't be carried out, and what could is said", (changes, says) => {
  expect(problem(() => resolvePlan({ ...request, ...changes }))).toMatch(says);
});

test("the least message size that is named will do", () => {
  const told = problem(() => resolvePlan({ ...request, changes: { messageBytes: 1 } }));
  const least = Number(/at least (\d+)/.exec(told)?.[1]);
  expect(problem(() => resolvePlan({ ...request, changes: { messageBytes: least - 1 } }))).not.toBe("none");
  expect(resolvePlan({ ...request, changes: { messageBytes: least } }).messageBytes).toBe(least);
});

test("phases are read in their order, and begin with connect", () => {
  expect(parsePhases("endurance-echo, burst-rooms").map(phaseName)).toEqual([
    "connect",
    "endurance-echo",
    "burst-rooms",
  ]);
  expect(parsePhases("connect,burst-echo").map(phaseName)).toEqual(["connect", "burst-echo"]);
  for (const [name, phase] of Object.entries(phaseNames)) expect(phaseName(phase)).toBe(name);
});

test.each(["burst-ecko", "", "connect,", "burst"])("phases %j are refused", (list) => {
  expect(problem(() => parsePhases(list))).toMatch(
    /^--phases: unknown phase ".*expected some of connect, burst-echo/s,
  );
});

test("a number of rooms makes their size", () => {
  const sizeOf = (rooms: number, connections: number) =>
    resolvePlan({ ...request, rooms, changes: { connections } }).roomSize;
  expect(sizeOf(10, 50)).toBe(5);
  expect(sizeOf(1, 50)).toBe(50);
  expect(sizeOf(50, 50)).toBe(1);
  // 7 rooms of 8, the last of 2.
  expect(sizeOf(7, 50)).toBe(8);
});

test("rooms that can't be made are refused, with what can be", () => {
  const ask = (rooms: number, changes: PlanRequest["changes"]) =>
    problem(() => resolvePlan({ ...request, rooms, changes }));
  expect(ask(51, { connections: 50 })).toContain("expected at most one per connection (50)");
  expect(ask(6, { connections: 10 })).toBe(
    "--rooms 6: 10 connections in rooms of at most 2 make 5 rooms (give --rooms 5, or --connections 12)",
  );
  expect(ask(10, { connections: 50, roomSize: 7 })).toBe(
    "--rooms 10 of --room-size 7: 50 connections make rooms of 5 (give one of the two, or --connections 70)",
  );
  expect(ask(10, { connections: 50, roomSize: 5 })).toBe("none");
});
