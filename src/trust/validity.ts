import { type Places, type Plan, sharesCpus } from "../plan/plan.ts";
import type { Ending, GeneratorFigures, Quantiles, ServerFigures } from "../result/phase.ts";
import type { InvalidReason, Reason } from "../result/reasons.ts";
import { coresOf } from "./generator-usage.ts";

/**
 * Past these something else than the server may be what was measured: the generator, or other processes
 * (docs/method.md). A phase that is past one of them is invalid: it has no throughput and is not ranked.
 */
export const validityLimits = {
  /** Send lag p99 as a share of latency p99: the lag is contained in the latency. */
  lagShare: 0.1,
  /** Lags below this decide nothing, however quick the server. */
  leastLagUs: { spin: 1000, timer: 3000 },
  /** A burst is limited by the generator if it used at least this share of its CPU cores … */
  busyShare: 0.95,
  /** … while the server used less than this of its own. */
  idleServerShare: 0.8,
  /**
   * CPU contention is at least this share of the cores' time lost to other processes. A generator's deliveries are
   * late by the scheduler's slices then, whatever the server did; a server is slower by what it lost …
   */
  otherShare: { generator: 0.2, server: 0.1 },
  /** … while they were idle for less than this: it would have used what others took. In a short burst, for less … */
  idleShare: 0.05,
  /** … than the end of a burst may take to be seen, and a step of 10 ms in which idle time is counted. */
  idleMs: 30,
  /** For the same steps fewer than two of them decide nothing. */
  leastOtherMs: 20,
  /** A burst in which the generator's event loop paused for so long at once, and for this share of it, was held up by it. */
  leastPauseMs: 100,
  pauseShare: 0.1,
  /** A burst shorter than this says nothing of shares: a garbage collection is half of it. */
  leastSpanMs: 100,
} as const;

export interface LatenessEvidence {
  readonly plan: Pick<Plan, "pacing" | "validityRule">;
  readonly sendLagP99Us: number | null;
  /** What the lag is contained in. */
  readonly latencyP99Us: number | null;
}

export interface BottleneckEvidence {
  readonly plan: Pick<Plan, "workers" | "validityRule"> & Places;
  readonly generator: Pick<GeneratorFigures, "cpuMs" | "otherCpuShare" | "idleCpuShare" | "eventLoopDelayUs">;
  /** Null where it is unknown, or where how fast the generator was decides nothing. */
  readonly serverCpuMs: number | null;
  /** From the first send to the last delivery. */
  readonly spanMs: number;
}

/** What became of the time of the CPU cores that the server has, or the generator. */
type CpuShares = Pick<ServerFigures, "otherCpuShare" | "idleCpuShare">;

export interface ContentionEvidence {
  readonly plan: Pick<Plan, "validityRule">;
  readonly server: CpuShares;
  /** From the first send to the last delivery. */
  readonly spanMs: number;
}

/** What ended well is invalid where something else than the server may have been measured. */
export function invalidIfAny(ending: Ending, ...doubts: readonly (Reason | null)[]): Ending {
  const doubt = doubts.find((one) => one !== null);
  return ending.status === "ok" && doubt !== undefined ? { status: "invalid", reason: doubt } : ending;
}

/** Of sends that are due at set times: whether the generator was too late; null when it was in time. */
export function findLateness({ plan, sendLagP99Us, latencyP99Us }: LatenessEvidence): InvalidReason | null {
  const allowedUs = Math.max(
    validityLimits.leastLagUs[plan.pacing],
    (latencyP99Us ?? 0) * validityLimits.lagShare,
  );
  if (!plan.validityRule || sendLagP99Us === null || sendLagP99Us <= allowedUs) return null;
  return { kind: "generator-late", sendLagP99Us, allowedUs: Math.round(allowedUs) };
}

/** Of what goes as fast as it can: why the generator may have been the bottleneck; null when it can't have been. */
export function findBottleneck({
  plan,
  generator,
  serverCpuMs,
  spanMs,
}: BottleneckEvidence): InvalidReason | null {
  if (!plan.validityRule) return null;
  const contention = findContention("generator", generator, spanMs);
  if (contention !== null) return contention;
  const pauseMs = (generator.eventLoopDelayUs.max ?? 0) / 1000;
  if (pauseMs >= Math.max(validityLimits.leastPauseMs, spanMs * validityLimits.pauseShare)) {
    return { kind: "generator-paused", pauseMs: Math.round(pauseMs), spanMs: Math.round(spanMs) };
  }
  if (spanMs < validityLimits.leastSpanMs || serverCpuMs === null) return null;
  const generatorCpuShare = shareOf(generator.cpuMs, spanMs, coresOf(plan));
  const serverCpuShare = shareOf(serverCpuMs, spanMs, coresLeft(plan, generator.cpuMs / spanMs));
  const busyShare = generatorCpuShare + (generator.otherCpuShare ?? 0);
  if (busyShare < validityLimits.busyShare || serverCpuShare >= validityLimits.idleServerShare) return null;
  return { kind: "generator-bottleneck", generatorCpuShare, serverCpuShare };
}

/** CPU cores that the server could use: of those that it shares with the generator, what that left. */
function coresLeft(plan: BottleneckEvidence["plan"], generatorCores: number): number {
  const cores = plan.serverCpus?.length ?? 1;
  return plan.serverCpus === null || !sharesCpus(plan) ? cores : Math.max(0.01, cores - generatorCores);
}

/** What a load and its figures tell of the generator that made it. */
export interface LoadEvidence {
  readonly plan: LatenessEvidence["plan"] & BottleneckEvidence["plan"];
  readonly generator: BottleneckEvidence["generator"];
  readonly server: Pick<ServerFigures, "cpuMs" | "idleCpuShare">;
  readonly sendLagUs: Pick<Quantiles, "p99">;
  readonly latencyUs: Pick<Quantiles, "p99">;
  /** From the first send to the last delivery. */
  readonly spanMs: number;
}

/** Whether a load's generator was its limit: a burst's by its cores, one at a set rate's by its lateness; null if not. */
export function findGeneratorLimit(kind: "burst" | "steady" | "endurance", load: LoadEvidence) {
  const { plan, generator, server, sendLagUs, latencyUs, spanMs } = load;
  const { idleCpuShare } = server;
  // Of a server that is nobody's child: at most what was used of the cores meant for servers.
  const mostMs = idleCpuShare === null ? null : (1 - idleCpuShare) * spanMs * (plan.serverCpus?.length ?? 1);
  return kind === "burst"
    ? findBottleneck({ plan, generator, serverCpuMs: server.cpuMs ?? mostMs, spanMs })
    : findLateness({ plan, sendLagP99Us: sendLagUs.p99, latencyP99Us: latencyUs.p99 });
}

/** Whether other processes took what a server would have used of its cores; null when they didn't. */
export function findServerContention({ plan, server, spanMs }: ContentionEvidence): InvalidReason | null {
  return plan.validityRule ? findContention("server", server, spanMs) : null;
}

function findContention(
  who: keyof typeof validityLimits.otherShare,
  { otherCpuShare, idleCpuShare }: CpuShares,
  spanMs: number,
): InvalidReason | null {
  if (otherCpuShare === null || idleCpuShare === null || spanMs <= 0) return null;
  const leastOther = Math.max(validityLimits.otherShare[who], validityLimits.leastOtherMs / spanMs);
  const mostIdle = Math.max(validityLimits.idleShare, validityLimits.idleMs / spanMs);
  if (otherCpuShare < leastOther || idleCpuShare >= mostIdle) return null;
  return { kind: `${who}-contention`, otherCpuShare };
}

function shareOf(cpuMs: number, spanMs: number, cores: number): number {
  return Math.round(Math.min(1, cpuMs / (spanMs * cores)) * 1000) / 1000;
}
