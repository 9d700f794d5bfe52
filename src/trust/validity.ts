import type { Plan } from "../plan/plan.ts";
import type { Phase } from "../result/schema.ts";
import { processorsOf } from "./generator-usage.ts";

/**
 * Past these something else than the server may be what was measured: the generator, or who else used the
 * machine (docs/method.md). A phase that is past one of them is void: it has no throughput and is not ranked.
 */
export const voidLimits = {
  /** Send lag p99 as a share of latency p99: the lag is contained in the latency. */
  lagShare: 0.1,
  /** Lags below this are no reproach, however quick the server. */
  leastLagUs: { spin: 1000, timer: 3000 },
  /** A burst is the generator's if it used at least this share of its processors … */
  busyShare: 0.95,
  /** … while the server used less than this of its own. */
  idleServerShare: 0.8,
  /**
   * Who lost at least this share of its processors to others was starved. A generator's deliveries are late by the
   * scheduler's slices then, whatever the server did; a server is slower by what it lost …
   */
  othersShare: { generator: 0.2, server: 0.1 },
  /** … while they were idle for less than this: it would have used what others took. In a short burst, for less … */
  idleShare: 0.05,
  /** … than the end of a burst may take to be seen, and a step of 10 ms in which idle time is told. */
  idleMs: 30,
  /** For the same steps nobody is judged by fewer than two of them. */
  leastOthersMs: 20,
  /** A burst in which the generator's event loop stood still for so long at once, and for this share of it, was held up by it. */
  leastPauseMs: 100,
  pauseShare: 0.1,
  /** A burst shorter than this says nothing of shares: a garbage collection is half of it. */
  leastSpanMs: 100,
} as const;

type GeneratorFigures = NonNullable<Phase["generator"]>;
type Ending = Pick<Phase, "status" | "reason">;

export interface LatenessEvidence {
  readonly plan: Pick<Plan, "pacing" | "validityRule">;
  readonly sendLagP99Us: number | null;
  /** What the lag is contained in. */
  readonly latencyP99Us: number | null;
}

export interface BottleneckEvidence {
  readonly plan: Pick<Plan, "serverCpus" | "workers" | "workerCpus" | "validityRule">;
  readonly generator: Pick<
    GeneratorFigures,
    "cpuMs" | "othersCpuShare" | "idleCpuShare" | "eventLoopDelayUs"
  >;
  /** Null where it is unknown, or where how fast the generator was decides nothing. */
  readonly serverCpuMs: number | null;
  /** From the first send to the last delivery. */
  readonly spanMs: number;
}

/** What became of the time of the processors that the server has, or the generator. */
type ProcessorShares = Pick<Phase["server"], "othersCpuShare" | "idleCpuShare">;

export interface StarvedServerEvidence {
  readonly plan: Pick<Plan, "validityRule">;
  readonly server: ProcessorShares;
  /** From the first send to the last delivery. */
  readonly spanMs: number;
}

/** What ended well is void where something else than the server may have been measured. */
export function voidIfAny(ending: Ending, ...doubts: readonly (string | null)[]): Ending {
  const doubt = doubts.find((one) => one !== null);
  return ending.status === "ok" && doubt !== undefined ? { status: "void", reason: doubt } : ending;
}

/** Of sends that are due at set times: why the generator was too late, and what to change; null when it was in time. */
export function findLateness({ plan, sendLagP99Us: lagUs, latencyP99Us }: LatenessEvidence): string | null {
  const allowedUs = Math.max(voidLimits.leastLagUs[plan.pacing], (latencyP99Us ?? 0) * voidLimits.lagShare);
  if (!plan.validityRule || lagUs === null || lagUs <= allowedUs) return null;
  const shown = (us: number) => `${(us / 1000).toFixed(1)} ms`;
  return `the generator sent up to ${shown(lagUs)} late (p99; at most ${shown(allowedUs)} is allowed): lower --endurance-rate, use fewer connections or a quieter machine with more processors`;
}

/** Of what goes as fast as it can: why the generator may have been the bottleneck, and what to change; null when it is innocent. */
export function findBottleneck({ plan, generator, serverCpuMs, spanMs }: BottleneckEvidence): string | null {
  if (!plan.validityRule) return null;
  const own = shareOf(generator.cpuMs, spanMs, processorsOf(plan));
  const others = generator.othersCpuShare ?? 0;
  const starved = describeStarved("generator", generator, spanMs);
  if (starved !== null) return starved;
  const pauseMs = (generator.eventLoopDelayUs.max ?? 0) / 1000;
  if (pauseMs >= Math.max(voidLimits.leastPauseMs, spanMs * voidLimits.pauseShare)) {
    return `the generator stood still for ${Math.round(pauseMs)} ms of ${Math.round(spanMs)} ms: use fewer connections or a machine with more memory and processors`;
  }
  if (spanMs < voidLimits.leastSpanMs || serverCpuMs === null) return null;
  const server = shareOf(serverCpuMs, spanMs, plan.serverCpus?.length ?? 1);
  if (own + others < voidLimits.busyShare || server >= voidLimits.idleServerShare) return null;
  return `the generator was the bottleneck: it used ${percent(own)} of its processors, the server ${percent(server)} of its own; give it more processors and --workers`;
}

/** Why what was measured may be the neighbours of a server, and not the server; null when it had its processors. */
export function findStarvedServer({ plan, server, spanMs }: StarvedServerEvidence): string | null {
  return plan.validityRule ? describeStarved("server", server, spanMs) : null;
}

function describeStarved(
  who: keyof typeof voidLimits.othersShare,
  { othersCpuShare: others, idleCpuShare: idle }: ProcessorShares,
  spanMs: number,
): string | null {
  if (others === null || idle === null || spanMs <= 0) return null;
  const leastOthers = Math.max(voidLimits.othersShare[who], voidLimits.leastOthersMs / spanMs);
  const mostIdle = Math.max(voidLimits.idleShare, voidLimits.idleMs / spanMs);
  if (others < leastOthers || idle >= mostIdle) return null;
  return `the ${who} was starved: other processes took ${percent(others)} of its processors and left nothing idle; stop what else runs on this machine`;
}

function shareOf(cpuMs: number, spanMs: number, processors: number): number {
  return Math.min(1, cpuMs / (spanMs * processors));
}

function percent(share: number): string {
  return `${Math.round(share * 100)} %`;
}
