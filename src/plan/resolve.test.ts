import { expect, test } from "bun:test";
import { isShowdownError } from "../errors.ts";
import type { Settings } from "./parameters.ts";
import { phaseName, phaseNames } from "./phases.ts";
import { presets } from "./presets.ts";
import { type PlanRequest, resolvePlan } from "./resolve.ts";

const leastMessageBytes = 100;
const request: PlanRequest = {
  preset: "smoke",
  settings: {},
  entrants: [{ contender: "clean", variant: "default" }],
  serverCpus: null,
  workerCpus: null,
  descriptorLimit: 1024,
  leastMessageBytes: () => leastMessageBytes,
};

function problem(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (isShowdownError(error, "usage")) return `${error.message} (${error.hint})`;
    throw error;
  }
  return "none";
}

test("a preset's parameters hold until an option says otherwise", () => {
  const plan = resolvePlan({ ...request, settings: { connections: 60, quietMs: 7 } });
  const { readyMs, connectMs, rooms: _, pin, quietMs, workers, pacing, ...fields } = presets.smoke;
  expect(plan).toMatchObject({ ...fields, connections: 60, timeouts: { readyMs, connectMs, quietMs: 7 } });
});

test("phases in slices come before those that take long, unless contenders run one at a time", () => {
  const phases = ["connect", "endurance-echo", "steady-echo", "chaos-rooms", "burst-rooms"].map(
    (name) => phaseNames[name as keyof typeof phaseNames],
  );
  const namesOf = (settings: Settings) =>
    resolvePlan({ ...request, settings: { phases, ...settings } }).phases.map(phaseName);
  expect(namesOf({})).toEqual(["connect", "steady-echo", "burst-rooms", "endurance-echo", "chaos-rooms"]);
  expect(namesOf({ oneAtATime: true })).toEqual(phases.map(phaseName));
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
  const serverCpus = workerCpus === null ? null : [0];
  expect(resolvePlan({ ...request, settings: { connections }, workerCpus, serverCpus }).workers).toBe(
    workers,
  );
});

test("a generator that shares the server's processors takes half of them, and does not spin", () => {
  const serverCpus = [0, 1, 2, 3];
  const asked = { ...request, settings: { connections: 10_000, workers: null }, serverCpus };
  expect(resolvePlan({ ...asked, descriptorLimit: null, workerCpus: serverCpus })).toMatchObject({
    workers: 2,
    pacing: "timer",
  });
});

test.each([
  [null, [1, 2], 2, "spin"],
  [null, [1, 2], 3, "timer"],
  [null, null, 1, "timer"],
  ["timer", [1], 1, "timer"],
  ["spin", null, 1, "spin"],
] as const)(
  "pacing %s on processors %j with %i workers is %s-ned",
  (pacing, workerCpus, workers, expected) => {
    const serverCpus = workerCpus === null ? null : [0];
    const plan = resolvePlan({ ...request, settings: { pacing, workers }, workerCpus, serverCpus });
    expect(plan.pacing).toBe(expected);
  },
);

test.each([
  [{ settings: { messageBytes: 20 } }, /^--message-bytes 20: expected at least \d+ \(a message carries/],
  [
    { settings: { connections: 5000, workers: 2 } },
    /^--workers 2: 5000 connections need at least 6 workers here \(one process may have 1024 descriptors \(ulimit -n\)\)$/,
  ],
  [{ settings: { workers: 51 } }, /^--workers 51: expected at most one per connection \(50\)/],
])("%j can't be carried out, and what could is said", (changes, says) => {
  expect(problem(() => resolvePlan({ ...request, ...changes }))).toMatch(says);
});

test("the least message size is the wire's, for the connections and rooms of the plan", () => {
  const asked: (readonly number[])[] = [];
  const resolve = (messageBytes: number) =>
    resolvePlan({
      ...request,
      settings: { messageBytes, connections: 90, roomSize: 20 },
      leastMessageBytes: (...sizes) => {
        asked.push(sizes);
        return 77;
      },
    });
  expect(problem(() => resolve(76))).toStartWith("--message-bytes 76: expected at least 77 (");
  expect(resolve(77).messageBytes).toBe(77);
  expect(asked).toEqual([
    [90, 5],
    [90, 5],
  ]);
});

test("a limit of latency that a short step can't show is refused", () => {
  const settings: Settings = { phases: [{ kind: "capacity", workload: "echo" }], p99LimitMs: 201 };
  expect(problem(() => resolvePlan({ ...request, settings }))).toBe(
    "--p99-limit 201: expected at most 200 ms, 1/5 of a step of 1 s (give steps of at least --capacity-seconds 2)",
  );
  expect(problem(() => resolvePlan({ ...request, settings: { ...settings, p99LimitMs: 200 } }))).toBe("none");
});

test("a warm-up that has to last longer than it may is refused", () => {
  expect(problem(() => resolvePlan({ ...request, settings: { warmupSeconds: 12 } }))).toBe(
    "--warmup-seconds 12: expected at most 10, as --warmup-limit has it (give --warmup-limit 12, too)",
  );
  const settings: Settings = { warmupSeconds: 12, warmupLimitSeconds: 12 };
  expect(problem(() => resolvePlan({ ...request, settings }))).toBe("none");
});

test("a number of rooms makes their size", () => {
  const sizeOf = (rooms: number, connections: number) =>
    resolvePlan({ ...request, settings: { rooms, connections } }).roomSize;
  expect(sizeOf(10, 50)).toBe(5);
  expect(sizeOf(1, 50)).toBe(50);
  expect(sizeOf(50, 50)).toBe(1);
  // 7 rooms of 8, the last of 2.
  expect(sizeOf(7, 50)).toBe(8);
});

test("rooms that can't be made are refused, with what can be", () => {
  const ask = (rooms: number, settings: Settings) =>
    problem(() => resolvePlan({ ...request, settings: { rooms, ...settings } }));
  expect(ask(51, { connections: 50 })).toContain("expected at most one per connection (50)");
  expect(ask(6, { connections: 10 })).toBe(
    "--rooms 6: 10 connections in rooms of at most 2 make 5 rooms (give --rooms 5, or --connections 12)",
  );
  expect(ask(10, { connections: 50, roomSize: 7 })).toBe(
    "--rooms 10 of --room-size 7: 50 connections make rooms of 5 (give one of the two, or --connections 70)",
  );
  expect(ask(10, { connections: 50, roomSize: 5 })).toBe("none");
});

test("--until takes its margin along, and at least three rounds before the first look", () => {
  const resolved = (settings: Settings, preset: PlanRequest["preset"] = "smoke") => {
    const { rounds, untilPercent, marginPercent } = resolvePlan({ ...request, preset, settings });
    return { rounds, untilPercent, marginPercent };
  };
  expect(resolved({ untilPercent: 2 })).toEqual({ rounds: 3, untilPercent: 2, marginPercent: 2 });
  expect(resolved({ untilPercent: 2, rounds: 7 })).toMatchObject({ rounds: 7, untilPercent: 2 });
  expect(resolved({ untilPercent: 2 }, "full").rounds).toBe(5);
  expect(resolved({ marginPercent: 3, rounds: 4 })).toEqual({
    rounds: 4,
    untilPercent: null,
    marginPercent: 3,
  });
});

test("who asks for a time without --until, or for two margins, is told so", () => {
  const refused = (settings: Settings) => problem(() => resolvePlan({ ...request, settings }));
  expect(refused({ maxMinutes: 2 })).toStartWith("--max-minutes 2: expected --until, too");
  expect(refused({ untilPercent: 2, marginPercent: 5 })).toStartWith("--margin 5: expected 2 or nothing");
});
