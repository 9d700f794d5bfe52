import { expect, setDefaultTimeout, test } from "bun:test";
import type { CapacityPhase } from "../../src/result/phase.ts";
import { type EndedRun, expectBalanced, longestMs, ranPhase, roundOf, runFixtures } from "./showdown.ts";

setDefaultTimeout(longestMs);

// A hiccup of the machine is no limit of the server's: what tells here is the queue that grows.
const search = ["--phases", "capacity-echo", "--capacity-start", "700", "--p99-limit", "200"] as const;

function capacityOf(run: EndedRun, contender: string): CapacityPhase {
  const phase = ranPhase(roundOf(run, contender), "capacity-echo");
  if (phase.kind !== "capacity") throw new Error("no capacity phase");
  return phase;
}

test("a server that delivers at most 2,000/s is found to sustain that", async () => {
  const run = await runFixtures(["limited-rate"], ...search);
  expect(run.exitCode).toBe(0);
  const round = roundOf(run, "limited-rate");
  expect(round).toMatchObject({ status: "ok", reason: null });
  expectBalanced(round);
  const phase = capacityOf(run, "limited-rate");
  const { capacity, messages, findings } = phase;
  expect(capacity).toMatchObject({ isLowerBound: false, p99LimitMs: 200 });
  expect(capacity.ratePerSecond).toBeGreaterThan(1800);
  // More than it can do passes for sustained only as long as the queue it leaves is within a hundredth of the step.
  expect(capacity.ratePerSecond).toBeLessThan(2060);
  // Every step ended with its backlog worked off: nothing of one came in another.
  expect(findings).toEqual([]);
  // A step that the machine spoiled is tried again, so it is the rates that tell.
  const rates = [...new Set(capacity.steps.map(({ ratePerSecond }) => ratePerSecond))];
  expect(rates.slice(0, 2)).toEqual([700, 1400]);
  for (const step of capacity.steps) {
    expect(step.arrivedPerSecond).toBeLessThan(2050);
    expect(step.reason === null).toBe(step.outcome === "sustained");
    if (step.outcome === "failed") expect(["backlog", "latency"]).toContain(step.reason?.kind ?? "");
  }
  // The other figures are those of the step that was sustained.
  expect(messages).toMatchObject({ expected: capacity.ratePerSecond ?? 0, lost: 0 });
  expect(phase.rate?.offeredPerSecond).toBe(capacity.ratePerSecond ?? 0);
  expect(capacity.perCpuSecond).toBeGreaterThan(capacity.ratePerSecond ?? 0);
});

test("a server that breaks in the search has no capacity, and what it sustained before is kept", async () => {
  const run = await runFixtures(["crashes-in-burst"], ...search, "--capacity-start", "100");
  const { status, reason, throughput, rate, findings, capacity } = capacityOf(run, "crashes-in-burst");
  // The 501st message is in the third step.
  expect({ status, throughput, rate }).toEqual({ status: "failed", throughput: null, rate: null });
  expect(reason).toEqual({ kind: "server-exited", exit: { code: 3, signal: null }, connections: null });
  expect(findings.length).toBeGreaterThan(0);
  for (const { kind } of findings) expect(capacity.findingRates[kind]).toBe(400);
  expect(capacity.steps.map(({ ratePerSecond, outcome }) => [ratePerSecond, outcome])).toEqual([
    [100, "sustained"],
    [200, "sustained"],
    [400, "failed"],
  ]);
});
