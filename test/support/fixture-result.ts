import type { Plan, Workload } from "../../src/plan/plan.ts";
import { presets } from "../../src/plan/presets.ts";
import type {
  ContenderFacts,
  Phase,
  Quantiles,
  Result,
  Round,
  TimelineBucket,
} from "../../src/result/schema.ts";
import { emptyPhase } from "../../src/run/phases/context.ts";

/** Results as a run would leave them, built from a few numbers, for the tests of everything that reads results. */
export function fixtureResult(changes: Partial<Result> = {}): Result {
  const contenders = changes.contenders ?? [bunNative, elixirGenserver, goGorilla, nodeWs];
  const plan = changes.plan ?? fixturePlan();
  return {
    schema: 1,
    id: "2026-03-01T10-00-00-article",
    startedAt: "2026-03-01T10:00:00.000Z",
    finishedAt: "2026-03-01T10:07:30.000Z",
    status: "finished",
    command: ["showdown", "run", "--preset", "article"],
    environment,
    ceilings: null,
    warnings: [],
    calibration: null,
    ...changes,
    contenders,
    plan,
    rounds: changes.rounds ?? fixtureRounds(contenders, plan),
  };
}

export function fixturePlan(changes: Partial<Plan> = {}): Plan {
  const { quietMs, ...article } = presets.article;
  return {
    ...article,
    preset: "article",
    seed: 42,
    entrants: [],
    validityRule: true,
    workers: 2,
    pacing: "timer",
    serverCpus: [0],
    workerCpus: [1],
    port: 0,
    timeouts: { readyMs: 15_000, connectMs: 10_000, quietMs },
    ...changes,
  };
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
    readyMs: 180,
    idleRssBytes: 40_000_000,
    shutdown: { graceful: true, exitMs: 12 },
    phases: plan.phases.map(({ kind, workload }) =>
      workload === undefined || kind === "connect" || kind === "chaos"
        ? fixtureConnect(plan, speedOf(facts, round))
        : kind === "capacity"
          ? fixtureCapacity(plan, workload, speedOf(facts, round))
          : fixtureExchange(plan, kind, workload, speedOf(facts, round)),
    ),
    output: null,
    ...changes,
  };
}

/** Relative to the slowest; a per cent or two of noise that differs by round, and is the same in every run of the tests. */
function speedOf({ name }: ContenderFacts, round: number): number {
  const speeds: Record<string, number> = { "bun-native": 2, "go-gorilla": 1.5, "node-ws": 1.02 };
  const noise = ((name.length * 7 + round * 13) % 11) - 5;
  return (speeds[name] ?? 1) * (1 + noise / 250);
}

export function fixtureConnect(plan: Plan, speed: number, changes: Partial<Phase> = {}): Phase {
  const { connections } = plan;
  return {
    ...emptyPhase("connect", null),
    startedAt: "2026-03-01T10:00:05.000Z",
    durationMs: Math.round((connections * 1000) / (4000 * speed)),
    connections: { requested: connections, opened: connections, failed: 0, failedByReason: {}, died: 0 },
    connect: {
      connectionsPerSecond: 4000 * speed,
      tcpUs: fixtureQuantiles(connections, 900 / speed),
      upgradeUs: fixtureQuantiles(connections, 2400 / speed),
      joinUs: fixtureQuantiles(connections, 700 / speed),
    },
    server: serverFigures(connections * 0.05, connections, null, speed),
    generator: generatorFigures(0.41),
    ...changes,
  };
}

export function fixtureExchange(
  plan: Plan,
  kind: "burst" | "endurance",
  workload: Workload,
  speed: number,
  changes: Partial<Phase> = {},
): Phase {
  const { connections, messagesPerConnection, enduranceSeconds, enduranceRatePerSecond } = plan;
  const isBurst = kind === "burst";
  const expected = isBurst ? connections * messagesPerConnection : enduranceRatePerSecond * enduranceSeconds;
  const perSecond = isBurst ? 20_000 * speed : enduranceRatePerSecond;
  const p50Us = (isBurst ? 250_000 : 900) / speed;
  return {
    ...emptyPhase(kind, workload),
    startedAt: "2026-03-01T10:00:20.000Z",
    durationMs: Math.round((expected * 1000) / perSecond),
    connections: { requested: connections, opened: connections, failed: 0, failedByReason: {}, died: 0 },
    messages: messageCounts(expected),
    throughput: {
      deliveriesPerSecond: perSecond,
      sendsPerSecond: perSecond,
      spanMs: (expected * 1000) / perSecond,
      sendSpanMs: (expected * 800) / perSecond,
    },
    rate: isBurst ? null : { offeredPerSecond: perSecond, heldPerSecond: perSecond, heldShare: 1 },
    latencyUs: { ...fixtureQuantiles(expected, p50Us), curve: [] },
    uncorrectedLatencyUs: fixtureQuantiles(expected, p50Us * 0.9),
    sendLagUs: fixtureQuantiles(expected, 4),
    receiversUs:
      isBurst && workload === "broadcast"
        ? {
            first: fixtureQuantiles(messagesPerConnection, p50Us * 0.4),
            median: fixtureQuantiles(messagesPerConnection, p50Us),
            last: fixtureQuantiles(messagesPerConnection, p50Us * 1.7),
          }
        : null,
    longestSilenceMs: 12,
    server: serverFigures((expected * 0.02) / speed, connections, expected, speed),
    generator: generatorFigures(0.62),
    timeline: isBurst ? [] : fixtureTimeline(plan, p50Us),
    ...changes,
  };
}

/** A search that doubled from the plan's start, and found 20,000/s for each unit of speed. */
export function fixtureCapacity(
  plan: Plan,
  workload: Workload,
  speed: number,
  changes: Partial<NonNullable<Phase["capacity"]>> = {},
): Phase {
  const { capacityStepSeconds, capacityStartRatePerSecond, p99LimitMs } = plan;
  const rate = Math.round(20_000 * speed);
  const step = { p99Us: 2400, held: true, reason: null };
  const steps: NonNullable<Phase["capacity"]>["steps"] = [];
  for (let tried = capacityStartRatePerSecond; tried < rate; tried *= 2) {
    steps.push({ ...step, ratePerSecond: tried, heldPerSecond: tried });
  }
  const past = Math.round(rate * 1.04);
  const failed = {
    ratePerSecond: past,
    heldPerSecond: rate,
    p99Us: 212_000,
    held: false,
    reason: "only 96.2 % arrived in time",
  };
  const load = { enduranceSeconds: capacityStepSeconds, enduranceRatePerSecond: rate };
  return {
    ...fixtureExchange({ ...plan, ...load }, "endurance", workload, speed),
    kind: "capacity",
    capacity: {
      ratePerSecond: rate,
      isLowerBound: false,
      p99LimitMs,
      perCore: plan.serverCpus === null ? null : rate / plan.serverCpus.length,
      perCpuSecond: Math.round(50_000 * speed),
      steps: [...steps, { ...step, ratePerSecond: rate, heldPerSecond: rate }, failed, failed],
      ...changes,
    },
  };
}

/** The tail of `summarize`: quantiles with fewer than ten samples beyond are null. */
export function fixtureQuantiles(count: number, p50Us: number): Quantiles {
  const supported = (quantile: number, factor: number) =>
    count * (1 - quantile) >= 10 ? Math.round(p50Us * factor) : null;
  return {
    count,
    min: Math.round(p50Us / 4),
    mean: Math.round(p50Us * 1.1),
    p50: Math.round(p50Us),
    p90: supported(0.9, 1.6),
    p99: supported(0.99, 2.4),
    p999: supported(0.999, 3.1),
    max: Math.round(p50Us * 3.4),
  };
}

export function messageCounts(
  expected: number,
  changes: Partial<NonNullable<Phase["messages"]>> = {},
): NonNullable<Phase["messages"]> {
  return {
    planned: expected,
    sent: expected,
    expected,
    delivered: expected,
    lost: 0,
    duplicated: 0,
    reordered: 0,
    corrupted: 0,
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

function fixtureTimeline(plan: Plan, p50Us: number): TimelineBucket[] {
  return Array.from({ length: plan.enduranceSeconds }, (_, second) => ({
    second,
    sent: plan.enduranceRatePerSecond,
    delivered: plan.enduranceRatePerSecond,
    p50Us: Math.round(p50Us),
    p99Us: Math.round(p50Us * (2.4 + (second % 3) / 20)),
    maxUs: Math.round(p50Us * 3.4),
    serverCpuMs: 300,
    serverRssBytes: 180_000_000 + second * 25_000,
  }));
}

function serverFigures(
  cpuMs: number,
  connections: number,
  delivered: number | null,
  speed: number,
): Phase["server"] {
  const bytesPerConnection = Math.round(6000 * speed);
  return {
    cpuMs: Math.round(cpuMs),
    othersCpuShare: 0.02,
    idleCpuShare: 0.3,
    peakRssBytes: 40_000_000 + connections * bytesPerConnection,
    rssBytesPerConnection: bytesPerConnection,
    cpuUsPerDelivery: delivered === null ? null : (cpuMs * 1000) / delivered,
    kernelSocketBytes: connections * 4096,
    openDescriptors: connections + 12,
    descriptorLimit: 100_000,
    processes: 1,
  };
}

export function generatorFigures(cpuShare: number): NonNullable<Phase["generator"]> {
  return {
    cpuMs: 4200,
    peakRssBytes: 91_000_000,
    cpuShare,
    othersCpuShare: 0.01,
    idleCpuShare: 0.1,
    ceilingPerSecond: null,
    headroom: null,
    eventLoopDelayUs: fixtureQuantiles(2000, 30),
  };
}

const common = {
  variant: "default",
  approach: "idiomatic",
  routing: "parse",
  framing: "single",
  slowConsumer: "drop-connection",
  env: {},
  sourceDigest: "4f6b9469f8944fa7a35aeec357c008da1dc09fb18cb860788ffbe80d90c167f8",
  toolchains: {},
  deployment: null,
  verified: { competes: true, failed: [], reason: null },
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
