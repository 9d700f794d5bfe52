import { expect, test } from "bun:test";
import type { AttackSettings } from "./parameters.ts";
import { type AttackRequest, attackPlanSchema, hasGroup, readAdapterOptions, resolveAttack } from "./plan.ts";

const target = {
  url: "ws://127.0.0.1:9001/",
  host: "127.0.0.1",
  port: 9001,
  path: "/",
  address: "127.0.0.1",
  addresses: ["127.0.0.1"],
  tls: null,
  subprotocols: [],
  headers: [],
};

function resolve(settings: AttackSettings = {}, changes: Partial<AttackRequest> = {}) {
  return resolveAttack({
    target,
    settings,
    messageFile: null,
    data: null,
    adapter: null,
    sourceAddresses: [],
    cpus: 8,
    descriptorLimit: 1024,
    ...changes,
  });
}

test("without any option: 50 connections, 1,000 messages per second for ten seconds, by one worker", () => {
  const plan = resolve();
  expect(attackPlanSchema.parse(plan) as unknown).toEqual(plan);
  expect(plan).toMatchObject({
    connections: 50,
    load: { kind: "open", segments: [{ seconds: 10, fromPerSecond: 1000, toPerSecond: 1000 }] },
    reply: { kind: "echo" },
    workers: 1,
    adapter: null,
  });
});

test("several machines share out neither connections by stages nor a scenario", () => {
  const connectionStages = [{ seconds: 1, value: 10 }];
  expect(() => resolve({ connectionStages }, { agents: 2 })).toThrow(
    "--connection-stages: one machine carries it out, and several can't share it",
  );
  expect(() => resolve({}, { scenario: "scenario.ts", agents: 2 })).toThrow("a scenario: one machine");
  expect(resolve({ connections: 10 }, { agents: 2 }).workers).toBe(2);
});

test("workers follow from rate, connections, CPUs and descriptors", () => {
  expect(resolve({ ratePerSecond: 120_000 }).workers).toBe(3);
  expect(resolve({ ratePerSecond: 900_000 }).workers).toBe(4);
  expect(resolve({ connections: 4000 }).workers).toBe(5);
  expect(() => resolve({ connections: 4000, workers: 1 })).toThrow(/need at least 5 workers/);
});

test("connection stages say how many connections there are, how fast they open and how long it lasts", () => {
  const connectionStages = [
    { seconds: 10, value: 6000 },
    { seconds: 5, value: 0 },
  ];
  expect(resolve({ connectionStages }, { descriptorLimit: null })).toMatchObject({
    connections: 6000,
    connectRatePerSecond: null,
    connectionStages: [
      { seconds: 10, from: 0, to: 6000 },
      { seconds: 5, from: 6000, to: 0 },
    ],
    load: { kind: "open", segments: [{ seconds: 15, fromPerSecond: 1000, toPerSecond: 1000 }] },
    workers: 2,
  });
  expect(resolve({ connectionStages, inFlight: 2 }, { descriptorLimit: null }).load).toEqual({
    kind: "closed",
    inFlight: 2,
    seconds: 15,
  });
});

test("an adapter that delivers needs a stamp in the message, and sets the usual one", () => {
  const answers = { reply: false, delivery: "room" } as const;
  const adapter = { name: "chat", options: {}, subprotocols: [], answers };
  expect(resolve({}, { adapter })).toMatchObject({ message: "{{stamp}}", reply: { kind: "adapter" } });
  expect(() => resolve({ message: "hi" }, { adapter })).toThrow(/has no \{\{stamp\}\}/);
  expect(() => resolve({ reply: { kind: "order" } }, { adapter })).toThrow(/the adapter chat tells replies/);
  expect(() => resolve({ connections: 20_000 }, { adapter, descriptorLimit: null })).toThrow(
    /--rooms 1: 20000 connections need more rooms/,
  );
});

test.each<[AttackSettings, RegExp]>([
  [{ inFlight: 1, ratePerSecond: 5 }, /--in-flight and --rate: expected one of them/],
  [{ stages: [{ seconds: 1, value: 5 }], durationSeconds: 5 }, /--duration and --stages/],
  [{ rooms: 51 }, /--rooms 51: expected at most one per connection \(50\)/],
  [{ reply: { kind: "regex", pattern: "id=(.*)" }, message: "x" }, /neither \{\{sequence\}\}/],
])("%j is refused", (settings, message) => {
  expect(() => resolve(settings)).toThrow(message);
});

test("a scenario says itself what is sent; a rate is of its iterations", () => {
  const scenario = "scenario.ts";
  expect(resolve({}, { scenario })).toMatchObject({
    scenario,
    message: "",
    reply: { kind: "scenario" },
    load: { kind: "closed", inFlight: 1, seconds: 10 },
  });
  expect(resolve({ ratePerSecond: 20 }, { scenario }).load).toMatchObject({ kind: "open" });
  expect(() => resolve({ reply: { kind: "order" }, rooms: 2 }, { scenario })).toThrow(
    /^--reply, --rooms: not with a scenario/,
  );
});

test("a pattern without a group needs no number", () => {
  expect(resolve({ reply: { kind: "regex", pattern: "^ok" }, message: "x" }).message).toBe("x");
  expect(["^ok", "(?:a|b)", "\\(x\\)", "(a)"].map(hasGroup)).toEqual([false, false, false, true]);
});

test("options of an adapter are names and values", () => {
  expect(readAdapterOptions(["a=1", "b=x=y", "c="])).toEqual({ a: "1", b: "x=y", c: "" });
  expect(() => readAdapterOptions(["=1"])).toThrow(/expected NAME=VALUE/);
});
