import { expect, setDefaultTimeout, test } from "bun:test";
import { expectBalanced, longestMs, phaseOf, roundOf, runFixtures } from "./showdown.ts";

setDefaultTimeout(longestMs);

// A hiccup of the machine is no limit of the server's: what tells here is the queue that grows.
const search = ["--phases", "capacity-echo", "--capacity-start", "700", "--p99-limit", "200"] as const;

test("a server that delivers at most 2,000/s is found to sustain that", async () => {
  const run = await runFixtures(["limited-rate"], ...search);
  expect(run.exitCode).toBe(0);
  const round = roundOf(run, "limited-rate");
  expect(round).toMatchObject({ status: "ok", reason: null });
  expectBalanced(round);
  const phase = phaseOf(round, "capacity-echo");
  const { capacity, messages, findings } = phase;
  if (capacity === null || messages === null) throw new Error("the phase was not run");
  expect(capacity).toMatchObject({ isLowerBound: false, p99LimitMs: 200 });
  expect(capacity.ratePerSecond).toBeGreaterThan(1800);
  // More than it can do passes for held only as long as the queue it leaves is within a hundredth of the step.
  expect(capacity.ratePerSecond).toBeLessThan(2060);
  // Every step ended with its backlog worked off: nothing of one came in another.
  expect(findings).toEqual([]);
  // A step that the machine spoiled is tried again, so it is the rates that tell.
  const rates = [...new Set(capacity.steps.map(({ ratePerSecond }) => ratePerSecond))];
  expect(rates.slice(0, 2)).toEqual([700, 1400]);
  for (const step of capacity.steps) {
    expect(step.heldPerSecond).toBeLessThan(2050);
    expect(step.reason === null).toBe(step.held);
    if (!step.held) expect(step.reason).toMatch(/^only [\d.]+ % arrived in time$|^latency p99 /);
  }
  // The other figures are those of the step that was held.
  expect(messages).toMatchObject({ expected: capacity.ratePerSecond, lost: 0 });
  expect(phase.rate?.offeredPerSecond).toBe(capacity.ratePerSecond ?? 0);
  expect(capacity.perCpuSecond).toBeGreaterThan(capacity.ratePerSecond ?? 0);
});

test("a server that breaks in the search has no capacity, and what it held before is kept", async () => {
  const run = await runFixtures(["crashes-in-burst"], ...search, "--capacity-start", "100");
  const phase = phaseOf(roundOf(run, "crashes-in-burst"), "capacity-echo");
  // The 501st message is in the third step.
  expect(phase).toMatchObject({ status: "failed", throughput: null, rate: null });
  expect(phase.reason).toMatch(
    /^crashed: the server exited with code 3, after \d+ deliveries \(400\/s offered\)$/,
  );
  expect(phase.findings.length).toBeGreaterThan(0);
  for (const { text } of phase.findings) expect(text).toStartWith("at 400/s offered: ");
  expect(phase.capacity?.steps.map(({ ratePerSecond, held }) => [ratePerSecond, held])).toEqual([
    [100, true],
    [200, true],
    [400, false],
  ]);
});
