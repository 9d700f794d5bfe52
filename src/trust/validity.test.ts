import { expect, test } from "bun:test";
import type { InvalidReason } from "../result/reasons.ts";
import { Histogram, summarize } from "../stats/histogram.ts";
import {
  type BottleneckEvidence,
  findBottleneck,
  findGeneratorLimit,
  findLateness,
  findServerContention,
  invalidIfAny,
  type LatenessEvidence,
} from "./validity.ts";

interface Evidence extends LatenessEvidence, Pick<BottleneckEvidence, "serverCpuMs" | "spanMs"> {
  readonly pattern: "connect" | "burst" | "steady";
  readonly plan: LatenessEvidence["plan"] & BottleneckEvidence["plan"];
  readonly generatorCpuMs: number;
  readonly otherCpuShare: number | null;
  readonly idleCpuShare: number | null;
  readonly pauseMs: number;
}

/** As the phases ask: one whose sends are due for lateness, a connect without a server's share. */
function judge({
  pattern,
  generatorCpuMs,
  otherCpuShare,
  idleCpuShare,
  pauseMs,
  ...evidence
}: Evidence): InvalidReason | null {
  if (pattern === "steady") return findLateness(evidence);
  const delays = new Histogram();
  delays.record(pauseMs * 1000);
  const generator = {
    cpuMs: generatorCpuMs,
    otherCpuShare,
    idleCpuShare,
    eventLoopDelayUs: summarize(delays),
  };
  const serverCpuMs = pattern === "connect" ? null : evidence.serverCpuMs;
  return findBottleneck({ ...evidence, generator, serverCpuMs });
}

const plan = { pacing: "spin", serverCpus: [0], workerCpus: [1], workers: 1, validityRule: true } as const;
const steady: Evidence = {
  pattern: "steady",
  plan,
  sendLagP99Us: 900,
  latencyP99Us: 2000,
  generatorCpuMs: 1000,
  otherCpuShare: 0,
  idleCpuShare: 0,
  pauseMs: 20,
  serverCpuMs: 200,
  spanMs: 1000,
};
const burst: Evidence = { ...steady, pattern: "burst", sendLagP99Us: null };
const contended = { generatorCpuMs: 500, otherCpuShare: 0.5, serverCpuMs: 850 };

test.each([
  ["a small lag", steady, null],
  ["a lag past a millisecond", { ...steady, sendLagP99Us: 1001 }, "generator-late"],
  [
    "the same lag with timers",
    { ...steady, sendLagP99Us: 1001, plan: { ...plan, pacing: "timer" as const } },
    null,
  ],
  ["a lag that is little beside the latency", { ...steady, sendLagP99Us: 4000, latencyP99Us: 50_000 }, null],
  ["a lag too few messages tell", { ...steady, sendLagP99Us: null }, null],
  ["a burst with an idle server", burst, "generator-bottleneck"],
  ["a burst with a busy server", { ...burst, serverCpuMs: 900 }, null],
  ["a burst with an idle generator", { ...burst, generatorCpuMs: 700 }, null],
  ["a burst with a server nobody could watch", { ...burst, serverCpuMs: null }, null],
  ["a burst on processors that others use too", { ...burst, ...contended }, "generator-contention"],
  [
    "the same with a server that had no time to spare",
    { ...burst, ...contended, serverCpuMs: 1000 },
    "generator-contention",
  ],
  [
    "others who took what was left",
    { ...burst, generatorCpuMs: 300, otherCpuShare: 0.5, idleCpuShare: 0.2 },
    null,
  ],
  [
    "a short burst beside others",
    { ...burst, spanMs: 50, generatorCpuMs: 20, otherCpuShare: 0.6 },
    "generator-contention",
  ],
  ["a short burst beside a tick of others", { ...burst, spanMs: 25, otherCpuShare: 0.4 }, null],
  [
    "others of whom nothing is known",
    { ...burst, ...contended, otherCpuShare: null, idleCpuShare: null },
    null,
  ],
  ["connecting as fast as it can", { ...burst, pattern: "connect" as const }, null],
  [
    "connecting on processors that others use too",
    { ...burst, ...contended, pattern: "connect" as const },
    "generator-contention",
  ],
  ["a burst that it interrupted", { ...burst, generatorCpuMs: 700, pauseMs: 120 }, "generator-paused"],
  ["a long burst with the same pause", { ...burst, spanMs: 3000, pauseMs: 120 }, null],
  ["a burst too short to tell", { ...burst, spanMs: 99, generatorCpuMs: 99, serverCpuMs: 20 }, null],
  [
    "a burst on shared processors of which the server had what the generator left",
    { ...burst, plan: { ...plan, serverCpus: [0, 1], workerCpus: [0, 1] }, serverCpuMs: 950 },
    null,
  ],
  [
    "a burst on shared processors whose server was idle",
    { ...burst, plan: { ...plan, serverCpus: [0, 1], workerCpus: [0, 1] }, serverCpuMs: 600 },
    "generator-bottleneck",
  ],
  [
    "a busy worker where two processors were given to two",
    { ...burst, plan: { ...plan, workers: 2, workerCpus: [1, 2] } },
    null,
  ],
] as const)("%s", (_, evidence, kind) => {
  expect(judge(evidence)?.kind ?? null).toBe(kind);
});

test("a reason has its numbers", () => {
  expect(judge({ ...steady, sendLagP99Us: 4000, latencyP99Us: 20_000 })).toEqual({
    kind: "generator-late",
    sendLagP99Us: 4000,
    allowedUs: 2000,
  });
  expect(judge(burst)).toEqual({
    kind: "generator-bottleneck",
    generatorCpuShare: 1,
    serverCpuShare: 0.2,
  });
  expect(judge({ ...burst, generatorCpuMs: 700, pauseMs: 120 })).toEqual({
    kind: "generator-paused",
    pauseMs: 120,
    spanMs: 1000,
  });
});

const beside = { plan, server: { otherCpuShare: 0.45, idleCpuShare: 0 }, spanMs: 1000 };

test.each([
  ["a server beside others that took what it wanted", beside, true],
  ["one that wanted no more", { ...beside, server: { otherCpuShare: 0.45, idleCpuShare: 0.3 } }, false],
  ["one that was hardly disturbed", { ...beside, server: { otherCpuShare: 0.09, idleCpuShare: 0 } }, false],
  [
    "one whose end was seen late",
    { ...beside, spanMs: 100, server: { otherCpuShare: 0.45, idleCpuShare: 0.2 } },
    true,
  ],
  ["one for a moment beside a step of others", { ...beside, spanMs: 30 }, false],
  ["one that nobody could watch", { ...beside, server: { otherCpuShare: null, idleCpuShare: null } }, false],
  ["one without the rule", { ...beside, plan: { ...plan, validityRule: false } }, false],
] as const)("contention: %s", (_, evidence, isDisturbed) => {
  expect(findServerContention(evidence)).toEqual(
    isDisturbed ? { kind: "server-contention", otherCpuShare: 0.45 } : null,
  );
});

test("without the rule nothing is doubted", () => {
  const lenient = { ...plan, validityRule: false };
  expect(judge({ ...steady, sendLagP99Us: 1001, plan: lenient })).toBeNull();
  expect(judge({ ...burst, ...contended, plan: lenient })).toBeNull();
});

test("only what ended well is made invalid", () => {
  const late = { kind: "generator-late", sendLagP99Us: 9, allowedUs: 1 } as const;
  const failed = { status: "failed", reason: { kind: "all-connections-closed" } } as const;
  const ok = { status: "ok", reason: null } as const;
  expect(invalidIfAny(failed, late)).toBe(failed);
  expect(invalidIfAny(ok, null)).toEqual(ok);
  expect(invalidIfAny(ok, null, late)).toEqual({ status: "invalid", reason: late });
});

test("where a server's CPU time is unknown, what was used of the cores meant for servers stands for it", () => {
  const burst = (idleCpuShare: number | null) =>
    findGeneratorLimit("burst", {
      plan,
      generator: {
        cpuMs: 1000,
        otherCpuShare: 0,
        idleCpuShare: 0,
        eventLoopDelayUs: summarize(new Histogram()),
      },
      server: { cpuMs: null, idleCpuShare },
      sendLagUs: { p99: null },
      latencyUs: { p99: null },
      spanMs: 1000,
    });
  expect(burst(0.9)).toMatchObject({ kind: "generator-bottleneck", serverCpuShare: 0.1 });
  expect(burst(0.1)).toBeNull();
  expect(burst(null)).toBeNull();
});
