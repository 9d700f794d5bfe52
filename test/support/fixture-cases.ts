import { presets } from "../../src/plan/presets.ts";
import type { CapacityPhase, CapacityStep, LoadPhase, Phase, ServerFigures } from "../../src/result/phase.ts";
import type { Limit, Reason } from "../../src/result/reasons.ts";
import type { ContenderFacts, Result, Round } from "../../src/result/schema.ts";
import { chaosCase, fixtureChaos } from "./fixture-chaos.ts";
import {
  bunNative,
  elixirGenserver,
  fixtureBurst,
  fixtureCapacity,
  fixtureConnect,
  fixtureEndurance,
  fixturePlan,
  fixtureQuantiles,
  fixtureResult,
  fixtureRound,
  fixtureRounds,
  goGorilla,
  messageCounts,
  nodeWs,
} from "./fixture-result.ts";
import { slicedCase } from "./fixture-slices.ts";

const oneRound = fixturePlan();
const fiveRounds = fixturePlan({ rounds: 5 });
const tuned = { variant: "tuned", approach: "tuned" } as const;
const goTuned = { ...goGorilla, ...tuned, framing: "single" } as const;

/** One round in which every way to end occurs. */
function everyStatus(): Result {
  const contenders = [bunNative, elixirGenserver, goGorilla, goTuned, nodeWs, rustMissing];
  const limit: Limit = { kind: "server-descriptors", perProcess: 20_000, inUse: 20_000 };
  const limited = fixtureConnect(oneRound, 1, {
    connections: {
      requested: 25_000,
      opened: 19_936,
      open: 19_936,
      failed: 5064,
      failures: [
        { failure: { kind: "not-attempted" }, count: 5000 },
        { failure: { kind: "http", status: 503 }, count: 64 },
      ],
      died: 0,
      deaths: [],
    },
    limit,
    findings: [{ kind: "limit", count: 5064, limit }],
  });
  const fewer = { open: 19_936, died: 0, failures: [] };
  const dropping = fixtureBurst(oneRound, "broadcast", 1.5, {
    messages: messageCounts(375_000, {
      delivered: 258_000,
      lost: 117_000,
      declaredDropped: 117_000,
      frames: 21_000,
    }),
    findings: [{ kind: "dropped", count: 117_000 }],
  });
  const corrupting = fixtureBurst(oneRound, "echo", 1.5, {
    messages: messageCounts(375_000, {
      delivered: 374_963,
      lost: 37,
      duplicated: 3,
      corrupted: 2,
      malformed: 1,
    }),
    findings: [
      { kind: "lost", count: 37 },
      { kind: "duplicated", count: 3 },
      { kind: "corrupted", count: 2 },
    ],
  });
  const errors: Reason = { kind: "too-many-errors", errors: 5001, allowed: 5000 };
  const crash: Reason = {
    kind: "server-exited",
    exit: { code: 2, signal: null },
    connections: 25_000,
  };
  const rounds: Round[] = [
    fixtureRound(bunNative, oneRound),
    fixtureRound(elixirGenserver, oneRound, {
      position: 2,
      phases: [
        limited,
        fixtureBurst(oneRound, "echo", 1, { connections: fewer }),
        broken(fixtureBurst(oneRound, "broadcast", 1, { connections: fewer }), "aborted", errors),
        fixtureEndurance(oneRound, "echo", 1, {
          connections: fewer,
          rate: { offeredPerSecond: 15_000, sustainedPerSecond: 9200, sustainedShare: 0.6133 },
        }),
      ],
      status: "aborted",
      reason: errors,
      reasonPhase: 2,
      output: "[error] too many open files\n[error] acceptor sleeps for 100 ms\n",
    }),
    fixtureRound(goGorilla, oneRound, {
      position: 3,
      phases: [
        fixtureConnect(oneRound, 1.5),
        corrupting,
        dropping,
        broken(fixtureEndurance(oneRound, "echo", 1.5), "failed", crash),
      ],
      status: "failed",
      reason: crash,
      reasonPhase: 3,
      shutdown: null,
      output:
        "fatal error: concurrent map writes\n\ngoroutine 34 [running]:\nmain.(*Hub).run(0xc000106000)\n",
    }),
    fixtureRound(goTuned, oneRound, {
      position: 4,
      status: "failed",
      reason: { kind: "server-not-ready", problem: "no handshake on 127.0.0.1:41873 within 15 s" },
      readyMs: null,
      idleRssBytes: null,
      warmUp: null,
      shutdown: null,
      phases: [],
      output: "listening on :8080\n",
    }),
    fixtureRound(nodeWs, oneRound, {
      position: 5,
      phases: [
        fixtureConnect(oneRound, 1),
        broken(fixtureBurst(oneRound, "echo", 1), "invalid", {
          kind: "generator-bottleneck",
          generatorCpuShare: 0.98,
          serverCpuShare: 0.41,
        }),
        fixtureBurst(oneRound, "broadcast", 1),
        fixtureEndurance(oneRound, "echo", 1),
      ],
      shutdown: { graceful: false, exitMs: 5000 },
    }),
  ];
  return fixtureResult({
    contenders,
    plan: oneRound,
    rounds,
    warnings: [{ kind: "not-pinned", problem: "one CPU only: server and generator share it" }],
  });
}

const rustMissing = {
  ...bunNative,
  name: "rust-axum",
  title: "Rust, axum",
  language: "Rust",
  notRun: { kind: "toolchain-missing", tools: [{ tool: "cargo", minimum: "1.80", found: null }] },
} satisfies ContenderFacts;

/** As the phases do it: what was not done as planned has no throughput. */
function broken<P extends LoadPhase>(phase: P, status: "invalid" | "failed" | "aborted", reason: Reason): P {
  return { ...phase, status, reason, throughput: null, ...("rate" in phase ? { rate: null } : {}) };
}

/** Five rounds: one clear winner, a tie, and one contender whose last round crashed. */
function manyRounds(): Result {
  const contenders = [bunNative, elixirGenserver, goGorilla, nodeWs];
  const rounds = fixtureRounds(contenders, fiveRounds).map((round): Round => {
    if (round.contender !== "go-gorilla" || round.round !== 5) return round;
    const reason: Reason = {
      kind: "server-exited",
      exit: { code: null, signal: "SIGSEGV" },
      connections: 25_000,
    };
    return {
      ...round,
      status: "failed",
      reason,
      reasonPhase: 2,
      shutdown: null,
      phases: [
        ...round.phases.slice(0, 2),
        broken(fixtureBurst(fiveRounds, "broadcast", 1.5), "failed", reason),
        {
          kind: "endurance",
          workload: "echo",
          status: "not-run",
          reason: { kind: "earlier-phase", phase: 2 },
        },
      ],
    };
  });
  return fixtureResult({ contenders, plan: fiveRounds, rounds });
}

/** A capacity found, one that only the generator ended, one that was none, and a server that broke in the search. */
function capacities(): Result {
  const plan = fixturePlan({
    phases: [{ kind: "connect" }, { kind: "capacity", workload: "echo" }],
    capacityStartRatePerSecond: 2000,
  });
  const capacity = (facts: ContenderFacts, position: number, phase: Phase, changes: Partial<Round> = {}) =>
    fixtureRound(facts, plan, { position, phases: [fixtureConnect(plan, 1), phase], ...changes });
  const bound = fixtureCapacity(plan, "echo", 2);
  const late: CapacityStep = {
    ratePerSecond: 64_000,
    arrivedPerSecond: 63_100,
    p99Us: 48_000,
    outcome: "unknown",
    reason: { kind: "generator-late", sendLagP99Us: 31_000, allowedUs: 10_000 },
  };
  const slow = (ratePerSecond: number): CapacityStep => ({
    ratePerSecond,
    arrivedPerSecond: 15.6,
    p99Us: null,
    outcome: "failed",
    reason: { kind: "latency", quantile: "max", latencyUs: 140_000 },
  });
  const crash: Reason = {
    kind: "server-exited",
    exit: { code: 2, signal: null },
    connections: 25_000,
  };
  const none: CapacityPhase = fixtureCapacity(plan, "echo", 1, {
    ratePerSecond: null,
    perCpu: null,
    perCpuSecond: null,
    steps: [31, 31, 16, 16].map(slow),
  });
  return fixtureResult({
    contenders: [bunNative, elixirGenserver, goGorilla, goTuned, nodeWs],
    plan,
    rounds: [
      capacity(bunNative, 1, {
        ...bound,
        capacity: {
          ...bound.capacity,
          isLowerBound: true,
          steps: [...bound.capacity.steps.filter(({ outcome }) => outcome === "sustained"), late, late],
        },
      }),
      capacity(elixirGenserver, 2, { ...none, throughput: null, rate: null }),
      capacity(goGorilla, 3, {
        ...fixtureCapacity(plan, "echo", 1.5, { findingRates: { lost: 32_000 } }),
        findings: [{ kind: "lost", count: 37 }],
      }),
      capacity(goTuned, 4, broken(fixtureCapacity(plan, "echo", 1.5), "failed", crash), {
        status: "failed",
        reason: crash,
        reasonPhase: 1,
        shutdown: null,
      }),
      capacity(nodeWs, 5, fixtureCapacity(plan, "echo", 1.02)),
    ],
  });
}

/** Stopped in the middle of the second contender's turn. */
function stopped(): Result {
  const [first, second] = [fixtureRound(bunNative, oneRound), fixtureRound(nodeWs, oneRound)];
  const reason: Reason = { kind: "stopped-by-user" };
  return fixtureResult({
    contenders: [bunNative, nodeWs, goGorilla],
    plan: oneRound,
    status: "aborted",
    rounds: [
      first,
      {
        ...second,
        position: 2,
        status: "aborted",
        reason,
        reasonPhase: 1,
        phases: [...second.phases.slice(0, 1), broken(fixtureBurst(oneRound, "echo", 1), "aborted", reason)],
      },
    ],
  });
}

/** Everything that may be null is. */
function nothingKnown(): Result {
  const unknown = fixtureQuantiles(0, null);
  const server = unknownServer;
  const load = {
    server,
    throughput: null,
    latencyUs: { ...unknown, curve: [] },
    uncorrectedLatencyUs: unknown,
    sendLagUs: unknown,
    messages: messageCounts(0),
    longestSilenceMs: null,
  };
  const latencies = { tcpUs: unknown, upgradeUs: unknown, joinUs: unknown };
  const phases: Phase[] = [
    fixtureConnect(oneRound, 1, { server, ...latencies }),
    fixtureBurst(oneRound, "echo", 1, load),
    fixtureBurst(oneRound, "broadcast", 1, { ...load, receiversUs: null }),
    fixtureEndurance(oneRound, "echo", 1, {
      ...load,
      rate: null,
      timeline: { bucketSeconds: 1, buckets: [] },
    }),
  ];
  const result = fixtureResult({
    contenders: [nodeWs],
    plan: { ...oneRound, serverCpus: null, workerCpus: null },
    finishedAt: null,
    status: "running",
    rounds: [fixtureRound(nodeWs, oneRound, { readyMs: null, idleRssBytes: null, shutdown: null, phases })],
  });
  return {
    ...result,
    environment: {
      ...result.environment,
      commit: null,
      cpuGovernor: null,
      descriptorLimit: { soft: null, hard: null },
      portRange: null,
      sysctls: {},
    },
  };
}

const unknownServer: ServerFigures = {
  cpuMs: null,
  otherCpuShare: null,
  idleCpuShare: null,
  peakRssBytes: null,
  cpuUserMs: null,
  cpuSystemMs: null,
  contextSwitches: null,
  cpuUsPerDelivery: null,
  kernelSocketBytes: null,
  openDescriptors: null,
  descriptorLimit: null,
  processes: null,
};

/** As many as there may be, over every kind of phase. */
function twelve(): Result {
  const { phases: all, rounds: count, connections, enduranceSeconds } = presets.full;
  const plan = fixturePlan({ preset: "full", phases: all, rounds: count, connections, enduranceSeconds });
  const contenders = Array.from({ length: 12 }, (_, at): ContenderFacts => {
    const facts = [bunNative, elixirGenserver, goGorilla, nodeWs][at % 4] ?? bunNative;
    return at < 4 ? facts : { ...facts, variant: `variant-${at}` };
  });
  const rounds = fixtureRounds(contenders, plan).map((round): Round => {
    const phases = round.phases.map((phase, at) =>
      plan.phases[at]?.kind === "chaos" ? fixtureChaos(plan, []) : phase,
    );
    return { ...round, phases };
  });
  return fixtureResult({ contenders, plan, rounds });
}

/** Two leagues, in a run whose time was over before everything was decided. */
function leagues(): Result {
  const contenders = [bunNative, goTuned, elixirGenserver, { ...bunNative, ...tuned }, nodeWs];
  const plan = fixturePlan({
    rounds: 3,
    untilPercent: 5,
    phases: [{ kind: "connect" }, { kind: "burst", workload: "echo" }],
  });
  return fixtureResult({
    contenders,
    plan,
    rounds: fixtureRounds(contenders, { ...plan, rounds: 5 }),
    looks: { planned: [3, 4, 5], taken: [3, 4, 5], pairs: 20, decided: 19, ended: "time" },
  });
}

/** Two agents elsewhere made the load; the second was late in one contender's echoes, and lost in the other's broadcasts. */
function fleetCase(): Result {
  const contenders = [bunNative, goGorilla];
  const names = ["hall-1/4711", "hall-2/4712"];
  const agents = { count: 2, cpuCount: 12, areHere: false };
  const plan = fixturePlan({ ...{ agents, oneAtATime: true, workers: 4, workerCpus: [1] } });
  const lost = {
    kind: "agent-lost",
    agent: 1,
    name: "hall-2/4712",
    silentMs: 3600,
    cameBack: false,
  } as const;
  const late = { kind: "generator-late", sendLagP99Us: 9000, allowedUs: 2000 } as const;
  const reasons: Readonly<Record<string, Reason>> = {
    "go-gorilla endurance": { kind: "agent-part", agent: 1, name: "hall-2/4712", reason: late },
    "bun-native broadcast": lost,
  };
  const rounds = fixtureRounds(contenders, plan).map((round) => ({
    ...round,
    phases: round.phases.map((phase): Phase => {
      if (phase.status === "not-run" || !("messages" in phase)) return phase;
      const { messages, latencyUs, sendLagUs, generator, kind, workload } = phase;
      const { curve: _, ...quantiles } = latencyUs;
      const reason = reasons[`${round.contender} ${kind === "endurance" ? kind : workload}`] ?? null;
      return {
        ...phase,
        ...(reason === null ? {} : { status: "invalid", reason }),
        ...(workload === "echo" ? {} : { clockErrorUs: 862 }),
        agents: names.map((name, agent) => ({
          ...{ agent, name, sent: messages.sent / 2, delivered: messages.delivered / 2 },
          ...{ latencyUs: quantiles, sendLagUs, generator },
        })),
      };
    }),
  }));
  return fixtureResult({
    ...{ contenders, plan, rounds, status: "aborted" },
    warnings: [{ kind: "fleet-lost", reason: lost }],
    fleet: {
      ...{ bus: "nats://10.0.0.1:4222", serverAddress: "10.0.0.1" },
      agents: names.map((name, agent) => ({
        ...{ agent, id: `${agent}`, name, cpuCount: 6 },
        clock: { offsetUs: 4e9, errorUs: 431, roundTripUs: 862 },
      })),
    },
  });
}

/** Results by the name of their golden files. */
export const fixtureCases: Readonly<Record<string, Result>> = {
  "one-round": fixtureResult(),
  "many-rounds": manyRounds(),
  "every-status": everyStatus(),
  capacities: capacities(),
  chaos: chaosCase(),
  stopped: stopped(),
  leagues: leagues(),
  slices: slicedCase(),
  fleet: fleetCase(),
  "two-contenders": fixtureResult({ contenders: [bunNative, nodeWs], plan: fiveRounds }),
  "twelve-contenders": twelve(),
  "one-contender": fixtureResult({ contenders: [bunNative] }),
  "nothing-known": nothingKnown(),
  "nothing-run": fixtureResult({ contenders: [rustMissing], rounds: [] }),
  "no-phases": fixtureResult({ plan: fixturePlan({ phases: [] }) }),
};
