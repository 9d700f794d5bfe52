import { expect, test } from "bun:test";
import {
  fixtureEndurance,
  fixturePlan,
  fixtureQuantiles,
  messageCounts,
} from "../../../test/support/fixture-result.ts";
import type { StepReason } from "../../result/reasons.ts";
import { judgeStep, type MeasuredStep } from "./capacity-step.ts";
import type { Measured } from "./message-phase.ts";

const plan = fixturePlan({ capacityStepSeconds: 5, p99LimitMs: 100, pacing: "spin" });
const offered = 10_000;
const { server, generator, ...measurable } = fixtureEndurance(plan, "echo", 1);

interface Observed {
  /** Constant, or growing from 0 to it. */
  readonly latencyMs: number;
  readonly grows?: boolean;
  /** Of what was offered, arrived in the step's own seconds. */
  readonly inTimeShare: number;
  readonly lagMs?: number;
  readonly figures?: Partial<Measured["figures"]>;
  readonly changes?: Partial<Measured>;
}

/** A step of 5 s at 2,000/s as it was seen. */
function judge({
  latencyMs,
  grows = false,
  inTimeShare,
  lagMs = 0,
  figures,
  changes,
}: Observed): MeasuredStep {
  const latencyUs = latencyMs * 1000;
  const flat = { min: latencyUs, mean: latencyUs, p50: latencyUs, p90: latencyUs, p99: latencyUs };
  const middle = latencyUs / 2;
  const growing = { min: 0, mean: middle, p50: middle, p90: latencyUs * 0.9, p99: latencyUs * 0.99 };
  const measured: Measured = {
    ending: { status: "ok", reason: null },
    startedAt: measurable.startedAt,
    durationMs: 5000,
    figures: {
      ...measurable,
      receiversUs: null,
      messages: messageCounts(offered),
      latencyUs: {
        count: offered,
        owed: offered,
        p999: latencyUs,
        max: latencyUs,
        curve: [],
        ...(grows ? growing : flat),
      },
      sendLagUs: { ...fixtureQuantiles(offered, 4), p99: lagMs * 1000 },
      ...figures,
    },
    server,
    generator,
    counters: null,
    deathsBefore: [],
    deliveredInTime: Math.round(offered * inTimeShare),
    spanMs: 5000,
    ...changes,
  };
  return judgeStep(measured, { askedPerSecond: 2000, plannedDeliveries: offered, plan });
}

test("everything in time is sustained, and says what was seen", () => {
  expect(judge({ latencyMs: 4, inTimeShare: 0.9995 }).step).toEqual({
    ratePerSecond: 2000,
    arrivedPerSecond: 1999,
    p99Us: 4000,
    outcome: "sustained",
    reason: null,
  });
});

test.each<[string, Observed, StepReason | null]>([
  // A server that always takes 90 ms has 1.8 % of a step of 5 s under way at its end.
  ["constant", { latencyMs: 90, inTimeShare: 0.982 }, null],
  // One that is asked for 1.5 % more than it can has 1.5 % left over, and a latency of 75 ms at the end.
  ["growing a little", { latencyMs: 75, grows: true, inTimeShare: 0.985 }, null],
  // For 2 % more the p99 is still within the limit, and the backlog tells.
  ["growing", { latencyMs: 100, grows: true, inTimeShare: 0.979 }, { kind: "backlog", arrivedShare: 0.979 }],
  ["overloaded", { latencyMs: 5000, grows: true, inTimeShare: 0.5 }, { kind: "backlog", arrivedShare: 0.5 }],
  [
    "too slow",
    { latencyMs: 101, inTimeShare: 0.98 },
    { kind: "latency", quantile: "p99", latencyUs: 101_000 },
  ],
])("a backlog is told from a latency: %s", (_, observed, reason) => {
  expect(judge(observed).step).toMatchObject({ outcome: reason === null ? "sustained" : "failed", reason });
});

const tooMany = { kind: "too-many-errors", errors: 51, allowed: 50 } as const;
test.each<[Pick<Observed, "figures" | "changes">, StepReason]>([
  [
    { figures: { messages: messageCounts(offered, { delivered: offered - 1, lost: 1 }) } },
    { kind: "lost", deliveries: 1, expected: offered },
  ],
  [
    { figures: { messages: messageCounts(offered, { delivered: offered - 2, lost: 2, corrupted: 2 }) } },
    { kind: "corrupted", deliveries: 2 },
  ],
  [{ figures: { messages: messageCounts(offered, { unsent: 3 }) } }, { kind: "unsent", messages: 3 }],
  [{ figures: { connections: { open: 9, died: 4, failures: [] } } }, { kind: "closed", connections: 4 }],
  [{ changes: { ending: { status: "aborted", reason: tooMany } } }, tooMany],
])("%j is the server's own doing, however late the generator was", (seen, reason) => {
  const { step } = judge({ latencyMs: 400, inTimeShare: 0.9, lagMs: 300, ...seen });
  expect(step).toMatchObject({ outcome: "failed", reason });
});

test("a worker that ended says nothing of the server", () => {
  const exit = { code: null, signal: "SIGKILL" };
  const reason = { kind: "worker-exited", worker: 0, exit } as const;
  const { step } = judge({
    latencyMs: 4,
    inTimeShare: 1,
    changes: { ending: { status: "invalid", reason } },
  });
  expect(step).toMatchObject({ outcome: "unknown", reason });
});

test.each([
  // Up to a tenth of the limit, or of a latency past it, the generator's lateness decides nothing.
  [4, 9, "sustained"],
  [4, 11, "unknown"],
  [400, 39, "failed"],
  [400, 41, "unknown"],
] as const)("at a latency of %i ms a send lag of %i ms makes it %s", (latencyMs, lagMs, outcome) => {
  const { step } = judge({ latencyMs, inTimeShare: 0.999, lagMs });
  expect(step.outcome).toBe(outcome);
  if (outcome === "unknown")
    expect(step.reason).toMatchObject({ kind: "generator-late", sendLagP99Us: lagMs * 1000 });
});

test.each([
  [400, { otherCpuShare: 0.45, idleCpuShare: 0.01 }, "unknown"],
  // Nothing was taken from it that it would have used.
  [400, { otherCpuShare: 0.45, idleCpuShare: 0.2 }, "failed"],
  [400, { otherCpuShare: 0.09, idleCpuShare: 0 }, "failed"],
  [4, { otherCpuShare: 0.45, idleCpuShare: 0.01 }, "sustained"],
] as const)("at a latency of %i ms %j of the server's CPUs make it %s", (latencyMs, use, outcome) => {
  const changes = { server: { ...server, ...use }, spanMs: 0 };
  const { step } = judge({ latencyMs, inTimeShare: 0.999, changes });
  expect(step.outcome).toBe(outcome);
  if (outcome === "unknown") expect(step.reason).toEqual({ kind: "server-contention", otherCpuShare: 0.45 });
});

test("where too few were delivered for a p99, the slowest has to be within the limit", () => {
  const few = (maxMs: number): Observed => ({
    latencyMs: 1,
    inTimeShare: 1,
    figures: { latencyUs: { ...fixtureQuantiles(500, 1000), p99: null, max: maxMs * 1000, curve: [] } },
  });
  expect(judge(few(99)).step.outcome).toBe("sustained");
  expect(judge(few(140)).step.reason).toEqual({ kind: "latency", quantile: "max", latencyUs: 140_000 });
});

test("one late agent among many makes a step unknown, and is named", () => {
  const { figures: whole } = judge({ latencyMs: 5, inTimeShare: 1 }).measured;
  const agents = [4, 400].map((lagMs, agent) => ({
    ...{ agent, name: `hall/${agent}`, sent: offered / 2, delivered: offered / 2, generator },
    ...{ latencyUs: whole.latencyUs, sendLagUs: { ...whole.sendLagUs, p99: lagMs * 1000 } },
  }));
  const { step } = judge({ latencyMs: 5, inTimeShare: 1, figures: { agents } });
  expect(step).toMatchObject({
    outcome: "unknown",
    reason: { kind: "agent-part", agent: 1, reason: { kind: "generator-late" } },
  });
});
