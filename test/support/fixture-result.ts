import type { PhasePlan, Plan, Workload } from "../../src/plan/plan.ts";
import { resolvePlan } from "../../src/plan/resolve.ts";
import type {
  BurstPhase,
  CapacityPhase,
  CapacityStep,
  ConnectPhase,
  EndurancePhase,
  GeneratorFigures,
  LoadPhase,
  MemorySlope,
  Messages,
  Phase,
  Quantiles,
  ServerFigures,
  Timeline,
} from "../../src/result/phase.ts";
import type { ContenderFacts, Result, Round } from "../../src/result/schema.ts";

/** Results as a run would leave them, built from a few numbers, for the tests of everything that reads results. */
export function fixtureResult(changes: Partial<Result> = {}): Result {
  const contenders = changes.contenders ?? [bunNative, elixirGenserver, goGorilla, nodeWs];
  const plan = changes.plan ?? fixturePlan();
  return {
    schema: 2,
    id: "2026-03-01T10-00-00-article",
    startedAt: "2026-03-01T10:00:00.000Z",
    finishedAt: "2026-03-01T10:07:30.000Z",
    status: "finished",
    command: ["showdown", "run", "--preset", "article"],
    environment,
    ceilings: null,
    looks: null,
    warnings: [],
    calibration: null,
    judgements: [],
    ...changes,
    contenders,
    plan,
    rounds: changes.rounds ?? fixtureRounds(contenders, plan),
  };
}

export function fixturePlan(changes: Partial<Plan> = {}): Plan {
  const plan = resolvePlan({
    preset: "article",
    settings: { seed: 42, workers: 2, pacing: "timer" },
    entrants: [],
    serverCpus: [0],
    workerCpus: [1],
    descriptorLimit: null,
    leastMessageBytes: () => 1,
  });
  return { ...plan, ...changes };
}

/** Every contender in every round of the plan, each a little different from the one before. */
export function fixtureRounds(contenders: readonly ContenderFacts[], plan: Plan): Round[] {
  return Array.from({ length: plan.rounds }, (_, at) =>
    contenders
      .filter(({ notRun }) => notRun === null)
      .map((facts, place) => {
        const position = at * contenders.length + place + 1;
        return fixtureRound(facts, plan, { round: at + 1, position });
      }),
  ).flat();
}

export function fixtureRound(facts: ContenderFacts, plan: Plan, changes: Partial<Round> = {}): Round {
  const round = changes.round ?? 1;
  return {
    contender: facts.name,
    variant: facts.variant,
    round,
    position: 1,
    status: "ok",
    reason: null,
    reasonPhase: null,
    readyMs: 180,
    idleRssBytes: 40_000_000,
    warmUp: { durationMs: 640, ended: "steady" },
    shutdown: { graceful: true, exitMs: 12 },
    phases: plan.phases.map((planned) => {
      const phase = fixturePhase(plan, planned, speedOf(facts, round));
      const majorCollections = collections[facts.name];
      return phase.kind !== "endurance" || phase.status === "not-run" || majorCollections === undefined
        ? phase
        : { ...phase, majorCollections };
    }),
    output: null,
    ...changes,
  };
}

/** Some servers tell, and one of them has too few. */
const collections: Readonly<Record<string, number>> = { "go-gorilla": 112, "node-ws": 1 };

/** Relative to the slowest; a per cent or two of noise that differs by round, and is the same in every run of the tests. */
function speedOf({ name }: ContenderFacts, round: number): number {
  const speeds: Record<string, number> = { "bun-native": 2, "go-gorilla": 1.5, "node-ws": 1.02 };
  const noise = ((name.length * 7 + round * 13) % 11) - 5;
  return (speeds[name] ?? 1) * (1 + noise / 250);
}

/** Chaos has its own builders (fixture-chaos.ts). */
function fixturePhase(plan: Plan, { kind, workload = "echo" }: PhasePlan, speed: number): Phase {
  switch (kind) {
    case "burst":
      return fixtureBurst(plan, workload, speed);
    case "steady": {
      const { receiversUs: _, ...burst } = fixtureBurst(plan, workload, speed);
      return { ...burst, kind: "steady", rate: fixtureEndurance(plan, workload, speed).rate };
    }
    case "endurance":
      return fixtureEndurance(plan, workload, speed);
    case "capacity":
      return fixtureCapacity(plan, workload, speed);
    case "connect":
    case "chaos":
      return fixtureConnect(plan, speed);
  }
}

export function fixtureConnect(plan: Plan, speed: number, changes: Partial<ConnectPhase> = {}): ConnectPhase {
  const { connections } = plan;
  return {
    kind: "connect",
    workload: null,
    status: "ok",
    reason: null,
    startedAt: "2026-03-01T10:00:05.000Z",
    durationMs: Math.round((connections * 1000) / (4000 * speed)),
    findings: [],
    connections: {
      requested: connections,
      opened: connections,
      open: connections,
      failed: 0,
      failures: [],
      died: 0,
      deaths: [],
    },
    limit: null,
    connectionsPerSecond: 4000 * speed,
    tcpUs: fixtureQuantiles(connections, 900 / speed),
    memory: {
      baselineRssBytes: 40_000_000,
      rss: fixtureSlope(6000 * speed),
      kernel: fixtureSlope(8000),
    },
    upgradeUs: fixtureQuantiles(connections, 2400 / speed),
    joinUs: fixtureQuantiles(connections, 700 / speed),
    server: serverFigures(connections * 0.05, connections, null, speed),
    generator: generatorFigures(0.41),
    ...changes,
  };
}

export function fixtureBurst(
  plan: Plan,
  workload: Workload,
  speed: number,
  changes: Partial<BurstPhase> = {},
): BurstPhase {
  const expected = plan.connections * plan.messagesPerConnection;
  const p50Us = 250_000 / speed;
  return {
    kind: "burst",
    workload,
    ...loadFigures(plan, { expected, perSecond: 20_000 * speed, p50Us, speed }),
    timeline: { bucketSeconds: 1, buckets: [] },
    receiversUs:
      workload === "broadcast"
        ? {
            first: fixtureQuantiles(plan.messagesPerConnection, p50Us * 0.4),
            median: fixtureQuantiles(plan.messagesPerConnection, p50Us),
            last: fixtureQuantiles(plan.messagesPerConnection, p50Us * 1.7),
          }
        : null,
    ...changes,
  };
}

/** Sustains all that the plan offers. */
export function fixtureEndurance(
  plan: Plan,
  workload: Workload,
  speed: number,
  changes: Partial<EndurancePhase> = {},
): EndurancePhase {
  const { enduranceSeconds, enduranceRatePerSecond: perSecond } = plan;
  const p50Us = 900 / speed;
  return {
    kind: "endurance",
    workload,
    ...loadFigures(plan, { expected: perSecond * enduranceSeconds, perSecond, p50Us, speed }),
    timeline: fixtureTimeline(plan, p50Us),
    rate: { offeredPerSecond: perSecond, sustainedPerSecond: perSecond, sustainedShare: 1 },
    ...changes,
  };
}

/** A search that doubled from the plan's start, and found 20,000/s for each unit of speed. */
export function fixtureCapacity(
  plan: Plan,
  workload: Workload,
  speed: number,
  changes: Partial<CapacityPhase["capacity"]> = {},
): CapacityPhase {
  const { capacityStepSeconds, capacityStartRatePerSecond, p99LimitMs } = plan;
  const rate = Math.round(20_000 * speed);
  const sustained = (ratePerSecond: number): CapacityStep => ({
    ratePerSecond,
    arrivedPerSecond: ratePerSecond,
    p99Us: 2400,
    outcome: "sustained",
    reason: null,
  });
  const steps: CapacityStep[] = [];
  for (let tried = capacityStartRatePerSecond; tried < rate; tried *= 2) steps.push(sustained(tried));
  const failed: CapacityStep = {
    ratePerSecond: Math.round(rate * 1.04),
    arrivedPerSecond: rate,
    p99Us: 212_000,
    outcome: "failed",
    reason: { kind: "backlog", arrivedShare: 0.962 },
  };
  const load = { enduranceSeconds: capacityStepSeconds, enduranceRatePerSecond: rate };
  return {
    ...fixtureEndurance({ ...plan, ...load }, workload, speed),
    kind: "capacity",
    capacity: {
      ratePerSecond: rate,
      isLowerBound: false,
      p99LimitMs,
      perCpu: plan.serverCpus === null ? null : rate / plan.serverCpus.length,
      perCpuSecond: Math.round(50_000 * speed),
      steps: [...steps, sustained(rate), failed, failed],
      findingRates: {},
      ...changes,
    },
  };
}

function loadFigures(
  plan: Plan,
  of: {
    readonly expected: number;
    readonly perSecond: number;
    readonly p50Us: number;
    readonly speed: number;
  },
): Omit<LoadPhase, "kind" | "workload" | "timeline" | "rate" | "receiversUs" | "capacity"> {
  const { expected, perSecond, p50Us, speed } = of;
  return {
    status: "ok",
    reason: null,
    startedAt: "2026-03-01T10:00:20.000Z",
    durationMs: Math.round((expected * 1000) / perSecond),
    findings: [],
    connections: { open: plan.connections, died: 0, failures: [] },
    messages: messageCounts(expected),
    throughput: {
      deliveriesPerSecond: perSecond,
      sendsPerSecond: perSecond,
      spanMs: (expected * 1000) / perSecond,
      sendSpanMs: (expected * 800) / perSecond,
    },
    latencyUs: { ...fixtureQuantiles(expected, p50Us), curve: [] },
    uncorrectedLatencyUs: fixtureQuantiles(expected, p50Us * 0.9),
    sendLagUs: fixtureQuantiles(expected, 4),
    segments: { connections: 64, segments: 6400, deliveries: 6400 },
    longestSilenceMs: 12,
    server: serverFigures((expected * 0.02) / speed, plan.connections, expected, speed),
    generator: generatorFigures(0.62),
  };
}

/** The tail of `summarize`: quantiles with fewer than ten samples beyond are null. */
export function fixtureQuantiles(count: number, p50Us: number | null): Quantiles {
  if (p50Us === null) {
    return {
      count,
      owed: count,
      min: null,
      mean: null,
      p50: null,
      p90: null,
      p99: null,
      p999: null,
      max: null,
    };
  }
  const supported = (quantile: number, factor: number) =>
    count * (1 - quantile) >= 10 ? Math.round(p50Us * factor) : null;
  return {
    count,
    owed: count,
    min: Math.round(p50Us / 4),
    mean: Math.round(p50Us * 1.1),
    p50: Math.round(p50Us),
    p90: supported(0.9, 1.6),
    p99: supported(0.99, 2.4),
    p999: supported(0.999, 3.1),
    max: Math.round(p50Us * 3.4),
  };
}

export function fixtureSlope(bytesPerConnection: number): MemorySlope {
  const limit = (share: number) => Math.round(bytesPerConnection * share);
  return { kind: "resolved", bytesPerConnection: limit(1), low: limit(0.95), high: limit(1.05) };
}

export function messageCounts(expected: number, changes: Partial<Messages> = {}): Messages {
  return {
    planned: expected,
    sent: expected,
    expected,
    delivered: expected,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
    binary: 0,
    malformed: 0,
    misrouted: 0,
    late: 0,
    lostOnClosed: 0,
    declaredDropped: 0,
    frames: expected,
    unsent: 0,
    ...changes,
  };
}

function fixtureTimeline(plan: Plan, p50Us: number): Timeline {
  const buckets = Array.from({ length: plan.enduranceSeconds }, (_, second) => ({
    sent: plan.enduranceRatePerSecond,
    delivered: plan.enduranceRatePerSecond,
    p50Us: Math.round(p50Us),
    p99Us: Math.round(p50Us * (2.4 + (second % 3) / 20)),
    maxUs: Math.round(p50Us * 3.4),
    serverCpuMs: 300,
    serverRssBytes: 180_000_000 + second * 25_000,
  }));
  return { bucketSeconds: 1, buckets };
}

export function serverFigures(
  cpuMs: number,
  connections: number,
  delivered: number | null,
  speed: number,
): ServerFigures {
  const bytesPerConnection = Math.round(6000 * speed);
  return {
    cpuMs: Math.round(cpuMs),
    cpuUserMs: Math.round(cpuMs * 0.4),
    cpuSystemMs: Math.round(cpuMs * 0.6),
    contextSwitches: { voluntary: Math.round(cpuMs), involuntary: Math.round(cpuMs / 10) },
    otherCpuShare: 0.02,
    idleCpuShare: 0.3,
    peakRssBytes: 40_000_000 + connections * bytesPerConnection,
    cpuUsPerDelivery: delivered === null ? null : (cpuMs * 1000) / delivered,
    kernelSocketBytes: connections * 4096,
    openDescriptors: connections + 12,
    descriptorLimit: 100_000,
    processes: 1,
  };
}

export function generatorFigures(cpuShare: number): GeneratorFigures {
  return {
    cpuMs: 4200,
    peakRssBytes: 91_000_000,
    cpuShare,
    otherCpuShare: 0.01,
    idleCpuShare: 0.1,
    ceilingPerSecond: null,
    headroom: null,
    eventLoopDelayUs: fixtureQuantiles(2000, 30),
  };
}

const common = {
  variant: "default",
  approach: "idiomatic",
  protocol: "chaos-chat",
  routing: "parse",
  framing: "single",
  slowConsumer: "drop-connection",
  env: {},
  sourceDigest: "4f6b9469f8944fa7a35aeec357c008da1dc09fb18cb860788ffbe80d90c167f8",
  toolchains: {},
  deployment: null,
  verified: { competes: true, failed: [], problem: null },
  notRun: null,
} satisfies Partial<ContenderFacts>;

export const bunNative: ContenderFacts = {
  ...common,
  name: "bun-native",
  title: "Bun.serve",
  language: "TypeScript",
  library: "Bun.serve",
  start: ["bun", "server.ts"],
  deployment: { singleBinary: true, note: "bun build --compile" },
};

export const elixirGenserver: ContenderFacts = {
  ...common,
  name: "elixir-genserver",
  title: "Elixir on OTP",
  language: "Elixir",
  library: "none",
  approach: "raw",
  routing: "prefix",
  start: ["bin/chaos_chat", "start"],
  env: { MIX_ENV: "prod" },
  toolchains: { mix: "1.14.0" },
  deployment: { singleBinary: false },
};

export const goGorilla: ContenderFacts = {
  ...common,
  name: "go-gorilla",
  title: "Go, gorilla/websocket, the article's hub",
  language: "Go",
  library: "github.com/gorilla/websocket v1.5.3",
  routing: "prefix",
  framing: "newline",
  slowConsumer: "drop-message",
  start: ["bin/server"],
  env: { CGO_ENABLED: "0" },
  toolchains: { go: "go version go1.26.0 linux/amd64" },
};

export const nodeWs: ContenderFacts = {
  ...common,
  name: "node-ws",
  title: "Node ws",
  language: "TypeScript",
  library: "ws 8.23.0",
  start: ["node", "dist/server.js"],
  toolchains: { node: "v20.20.0" },
};

const environment: Result["environment"] = {
  tool: "ws-showdown 0.1.0",
  commit: "0123456789abcdef0123456789abcdef01234567",
  bun: "1.4.5",
  os: "Debian GNU/Linux 12 (bookworm)",
  kernel: "Linux 6.1.0-18-amd64",
  arch: "x64",
  cpuModel: "AMD EPYC 7763 64-Core Processor",
  cpuCount: 2,
  cpuGovernor: "performance",
  memoryBytes: 8_216_000_000,
  descriptorLimit: { soft: 20_000, hard: 20_000 },
  portRange: [32_768, 60_999],
  sysctls: { "net.core.somaxconn": "4096", "net.ipv4.ip_local_port_range": "32768 60999" },
};
