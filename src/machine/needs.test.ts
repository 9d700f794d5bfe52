import { expect, test } from "bun:test";
import fc from "fast-check";
import { type AgentMachine, computeNeeds } from "./needs.ts";

const machine: AgentMachine = { cpus: 2, memoryBytes: 20e9, descriptors: 20_000, ports: 28_232 };

test("the tightest limit decides, and the others are told", () => {
  const needs = computeNeeds({ connections: 10_000_000, ratePerSecond: 100_000 }, machine);
  expect(needs).toMatchObject({ agents: 355, decidedBy: "ports", fits: true });
  expect(needs.limits).toEqual([
    { limit: "ports", agents: 355, isKnown: true },
    { limit: "memory", agents: 6, isKnown: true },
    { limit: "cpu", agents: 1, isKnown: true },
    { limit: "bandwidth", agents: null, isKnown: false },
  ]);
  expect(needs.perAgent).toMatchObject({ connections: 28_170, workers: 2, sourceAddresses: 1 });
  // Each has its process, and its end in the kernel.
  expect(needs.perAgent.memoryBytes).toBe(2 * 60e6 + 28_170 * (2048 + 4096));
});

test.each([
  ["cpu", { ratePerSecond: 1_000_000 }, 10],
  ["memory", { agentMemoryGb: 1, agentAddresses: 100 }, 13],
  ["bandwidth", { ratePerSecond: 10_000, agentMbit: 1, receivers: 10 }, 124],
] as const)("%s decides where it is short", (limit, settings, agents) => {
  expect(computeNeeds({ connections: 1_000_000, agentAddresses: 64, ...settings }, machine)).toMatchObject({
    agents,
    decidedBy: limit,
    fits: true,
  });
});

test("too few agents do not fit, nor does any number where one connection is too much", () => {
  const few = computeNeeds({ connections: 1_000_000, agents: 4 }, machine);
  expect(few).toMatchObject({ agents: 4, decidedBy: null, fits: false });
  expect(few.perAgent).toMatchObject({ connections: 250_000, sourceAddresses: 9, workers: 13 });
  expect(computeNeeds({ connections: 1000 }, { ...machine, memoryBytes: 1e6 }).fits).toBe(false);
});

test("TLS and takeover take memory and bandwidth", () => {
  const plain = computeNeeds({ connections: 1000 }, machine);
  const both = computeNeeds({ connections: 1000, tls: true, compression: "takeover" }, machine);
  expect(both.perAgent.memoryBytes - plain.perAgent.memoryBytes).toBe(1000 * (32 * 1024 + 310_000));
  expect(both.perAgent.sentBitsPerSecond).toBeGreaterThan(plain.perAgent.sentBitsPerSecond);
});

test("a machine that says nothing limits nothing", () => {
  const unknown = { cpus: null, memoryBytes: null, descriptors: null, ports: null };
  const needs = computeNeeds({ connections: 5_000_000 }, unknown);
  expect(needs).toMatchObject({ agents: 1, decidedBy: null, fits: true });
  expect(needs.perAgent).toMatchObject({ workers: 1, sourceAddresses: null });
});

test("the agents are enough for every known limit, and one fewer is not", () => {
  const settings = fc.record({
    connections: fc.integer({ min: 2, max: 20_000_000 }),
    ratePerSecond: fc.integer({ min: 0, max: 2_000_000 }),
    agentAddresses: fc.integer({ min: 1, max: 20 }),
    agentMbit: fc.constantFrom(null, 100, 10_000),
    receivers: fc.nat(5),
  });
  fc.assert(
    fc.property(settings, (given) => {
      const needs = computeNeeds(given, machine);
      expect(computeNeeds({ ...given, agents: needs.agents }, machine).fits).toBe(needs.fits);
      if (needs.fits && needs.agents > 1) {
        expect(computeNeeds({ ...given, agents: needs.agents - 1 }, machine).fits).toBe(false);
      }
    }),
    { numRuns: 200 },
  );
});
