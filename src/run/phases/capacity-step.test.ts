import { expect, test } from "bun:test";
import {
  fixtureExchange,
  fixturePlan,
  fixtureQuantiles,
  messageCounts,
} from "../../../test/support/fixture-result.ts";
import type { Phase } from "../../result/schema.ts";
import { type CapacityStep, judgeStep } from "./capacity-step.ts";

const plan = fixturePlan({ capacityStepSeconds: 5, p99LimitMs: 100, pacing: "spin" });
const offered = 10_000;

interface Observed {
  /** Constant, or growing from 0 to it. */
  readonly latencyMs: number;
  readonly grows?: boolean;
  /** Of what was offered, arrived in the step's own seconds. */
  readonly inTimeShare: number;
  readonly lagMs?: number;
  readonly changes?: Partial<Phase>;
}

/** A step of 5 s at 2,000/s as it was seen. */
function judge({ latencyMs, grows = false, inTimeShare, lagMs = 0, changes = {} }: Observed): CapacityStep {
  const latencyUs = latencyMs * 1000;
  const flat = { min: latencyUs, mean: latencyUs, p50: latencyUs, p90: latencyUs, p99: latencyUs };
  const middle = latencyUs / 2;
  const growing = { min: 0, mean: middle, p50: middle, p90: latencyUs * 0.9, p99: latencyUs * 0.99 };
  const exchange = fixtureExchange(plan, "endurance", "echo", 1);
  const phase: Phase = {
    ...exchange,
    messages: messageCounts(offered),
    latencyUs: { count: offered, p999: latencyUs, max: latencyUs, curve: [], ...(grows ? growing : flat) },
    sendLagUs: { ...fixtureQuantiles(offered, 4), p99: lagMs * 1000 },
    // All in the first second, and the rest after the load had ended.
    timeline: [0, 5].map((second) => ({
      second,
      sent: 0,
      delivered: Math.round(offered * (second === 0 ? inTimeShare : 1 - inTimeShare)),
      p50Us: null,
      p99Us: null,
      maxUs: null,
      serverCpuMs: null,
      serverRssBytes: null,
    })),
    ...changes,
  };
  return judgeStep(phase, { askedPerSecond: 2000, plannedDeliveries: offered, plan });
}

test("everything in time is held, and says what was seen", () => {
  expect(judge({ latencyMs: 4, inTimeShare: 0.9995 })).toMatchObject({
    verdict: "held",
    shown: { ratePerSecond: 2000, heldPerSecond: 1999, p99Us: 4000, held: true, reason: null },
  });
});

test.each([
  // A server that always takes 90 ms has 1.8 % of a step of 5 s under way at its end.
  ["constant", { latencyMs: 90, inTimeShare: 0.982 }, null],
  // One that is asked for 1.5 % more than it can has 1.5 % left over, and a latency of 75 ms at the end.
  ["growing a little", { latencyMs: 75, grows: true, inTimeShare: 0.985 }, null],
  // For 2 % more the p99 is still within the limit, and the backlog tells.
  ["growing", { latencyMs: 100, grows: true, inTimeShare: 0.979 }, "only 97.9 % arrived in time"],
  ["overloaded", { latencyMs: 5000, grows: true, inTimeShare: 0.5 }, "only 50.0 % arrived in time"],
  ["too slow", { latencyMs: 101, inTimeShare: 0.98 }, "latency p99 101 ms"],
] as const)("a backlog is told from a latency: %s", (_, observed, reason) => {
  expect(judge(observed)).toMatchObject({
    verdict: reason === null ? "held" : "server",
    shown: { reason },
  });
});

test.each([
  [{ messages: messageCounts(offered, { delivered: offered - 1, lost: 1 }) }, "1 of 10,000 deliveries lost"],
  [{ messages: messageCounts(offered, { corrupted: 2 }) }, "2 deliveries corrupted"],
  [{ messages: messageCounts(offered, { unsent: 3 }) }, "3 messages found no way to the server"],
  [
    { connections: { requested: 9, opened: 9, failed: 0, failedByReason: {}, died: 4 } },
    "4 connections were closed",
  ],
  [
    { status: "aborted", reason: "51 errors, more than the 50 allowed" },
    "51 errors, more than the 50 allowed",
  ],
] as const)("%j is the server's own doing, however late the generator was", (changes, reason) => {
  const step = judge({ latencyMs: 400, inTimeShare: 0.9, lagMs: 300, changes });
  expect(step).toMatchObject({ verdict: "server", shown: { reason } });
});

test.each([
  // Up to a tenth of the limit, or of a latency past it, the generator's lateness decides nothing.
  [4, 9, "held"],
  [4, 11, "elsewhere"],
  [400, 39, "server"],
  [400, 41, "elsewhere"],
] as const)("at a latency of %i ms a send lag of %i ms makes it %s", (latencyMs, lagMs, verdict) => {
  const step = judge({ latencyMs, inTimeShare: 0.999, lagMs });
  expect(step.verdict).toBe(verdict);
  if (verdict === "elsewhere") expect(step.shown.reason).toBe(`generator late: send lag p99 ${lagMs} ms`);
});

test.each([
  [400, { othersCpuShare: 0.45, idleCpuShare: 0.01 }, "elsewhere"],
  // Nothing was taken from it that it would have used.
  [400, { othersCpuShare: 0.45, idleCpuShare: 0.2 }, "server"],
  [400, { othersCpuShare: 0.09, idleCpuShare: 0 }, "server"],
  [4, { othersCpuShare: 0.45, idleCpuShare: 0.01 }, "held"],
] as const)("at a latency of %i ms %j at the server's processors make it %s", (latencyMs, use, verdict) => {
  const { server } = fixtureExchange(plan, "endurance", "echo", 1);
  const changes = { server: { ...server, ...use }, throughput: null, durationMs: 5000 };
  const step = judge({ latencyMs, inTimeShare: 0.999, changes });
  expect(step.verdict).toBe(verdict);
  if (verdict === "elsewhere") expect(step.shown.reason).toContain("the server was starved");
});

test("where too few were delivered for a p99, the slowest has to be within the limit", () => {
  const few = (maxMs: number) => ({
    latencyUs: { ...fixtureQuantiles(500, 1000), p99: null, max: maxMs * 1000, curve: [] },
  });
  expect(judge({ latencyMs: 1, inTimeShare: 1, changes: few(99) }).verdict).toBe("held");
  expect(judge({ latencyMs: 1, inTimeShare: 1, changes: few(140) }).shown.reason).toBe("latency max 140 ms");
});
