import type { WorkerUsage } from "../load/worker-protocol.ts";
import type { CpuUsage } from "../machine/cpu-usage.ts";
import type { Plan } from "../plan/plan.ts";
import type { Phase } from "../result/schema.ts";
import { mergeHistograms, summarize } from "../stats/histogram.ts";

/** The generator's own figures, which say whether it could have been the bottleneck. */
export function describeGenerator(
  usages: readonly WorkerUsage[],
  elapsedMs: number,
  plan: Plan,
  others: { readonly usage: CpuUsage | null; readonly serverCpuMs: number | null } | null,
): GeneratorFigures {
  const cpuMs = usages.reduce((all, one) => all + one.cpuMs, 0);
  return {
    cpuMs: Math.round(cpuMs),
    othersCpuShare: others === null ? null : shareOfOthers(cpuMs, plan, others),
    peakRssBytes: usages.reduce((all, one) => all + one.rssBytes, 0),
    ceilingPerSecond: null,
    headroom: null,
    cpuShare: elapsedMs <= 0 ? 0 : Math.round((cpuMs / (elapsedMs * processorsOf(plan))) * 1000) / 1000,
    eventLoopDelayUs: summarize(mergeHistograms(usages.map(({ loopDelay }) => loopDelay))),
  };
}

/** Null where it is unknown what was used. A server that is not pinned may have used it: that is no foreigner. */
function shareOfOthers(
  ownMs: number,
  { workerCpus }: Pick<Plan, "workerCpus">,
  { usage, serverCpuMs }: { readonly usage: CpuUsage | null; readonly serverCpuMs: number | null },
): number | null {
  if (usage === null || usage.elapsedMs <= 0 || (workerCpus === null && serverCpuMs === null)) return null;
  const othersMs = usage.usedMs - ownMs - (workerCpus === null ? (serverCpuMs ?? 0) : 0);
  return Math.round(Math.max(0, othersMs / (usage.elapsedMs * usage.processors)) * 1000) / 1000;
}

/** Workers can't use more processors than they have, nor more than one each (garbage collection apart). */
function processorsOf({ workers, workerCpus }: Pick<Plan, "workers" | "workerCpus">): number {
  return Math.min(workers, workerCpus?.length ?? workers);
}

/**
 * Past these the generator, and not the server, may be what was measured (docs/method.md). A phase that is
 * past one of them is void: it has no throughput and is not ranked.
 */
export const generatorLimits = {
  /** Send lag p99 as a share of latency p99: the lag is contained in the latency. */
  lagShare: 0.1,
  /** Lags below this are no reproach, however quick the server. */
  leastLagUs: { spin: 1000, timer: 3000 },
  /** A burst is the generator's if it used at least this share of its processors … */
  busyShare: 0.95,
  /** … while the server used less than this of its own. */
  idleServerShare: 0.8,
  /**
   * It starved if others took at least this share of its processors, whatever the server did: its deliveries were
   * late by the scheduler's slices …
   */
  othersShare: 0.2,
  /** … and so much was used in all. Not more, since the kernel counts a part of it as interrupts. */
  usedShare: 0.85,
  /** Others' time is counted in steps of 10 ms: two of them, before a short burst is judged by it. */
  leastOthersMs: 20,
  /** A burst in which its event loop stood still for so long at once, and for this share of it, was held up by it. */
  leastPauseMs: 100,
  pauseShare: 0.1,
  /** A burst shorter than this says nothing of shares: a garbage collection is half of it. */
  leastSpanMs: 100,
} as const;

type GeneratorFigures = NonNullable<Phase["generator"]>;
type Ending = Pick<Phase, "status" | "reason">;

export interface LatenessEvidence {
  readonly plan: Pick<Plan, "pacing" | "voidRule">;
  readonly sendLagP99Us: number | null;
  /** What the lag is contained in. */
  readonly latencyP99Us: number | null;
}

export interface BottleneckEvidence {
  readonly plan: Pick<Plan, "serverCpus" | "workers" | "workerCpus" | "voidRule">;
  readonly generator: Pick<GeneratorFigures, "cpuMs" | "othersCpuShare" | "eventLoopDelayUs">;
  /** Null where it is unknown, or where how fast the generator was decides nothing. */
  readonly serverCpuMs: number | null;
  /** From the first send to the last delivery. */
  readonly spanMs: number;
}

/** What ended well is void where the generator may have been the bottleneck. */
export function voidIfGuilty(ending: Ending, guilt: string | null): Ending {
  return ending.status === "ok" && guilt !== null ? { status: "void", reason: guilt } : ending;
}

/** Of sends that are due at set times: why the generator was too late, and what to change; null when it was in time. */
export function findLateness({ plan, sendLagP99Us: lagUs, latencyP99Us }: LatenessEvidence): string | null {
  const allowedUs = Math.max(
    generatorLimits.leastLagUs[plan.pacing],
    (latencyP99Us ?? 0) * generatorLimits.lagShare,
  );
  if (!plan.voidRule || lagUs === null || lagUs <= allowedUs) return null;
  const shown = (us: number) => `${(us / 1000).toFixed(1)} ms`;
  return `the generator sent up to ${shown(lagUs)} late (p99; at most ${shown(allowedUs)} is allowed): lower --endurance-rate, use fewer connections or a quieter machine with more processors`;
}

/** Of what goes as fast as it can: why the generator may have been the bottleneck, and what to change; null when it is innocent. */
export function findBottleneck({ plan, generator, serverCpuMs, spanMs }: BottleneckEvidence): string | null {
  if (!plan.voidRule) return null;
  const share = (cpuMs: number, processors: number) => Math.min(1, cpuMs / (spanMs * processors));
  const own = share(generator.cpuMs, processorsOf(plan));
  const others = generator.othersCpuShare ?? 0;
  const percent = (value: number) => `${Math.round(value * 100)} %`;
  const leastOthers = Math.max(generatorLimits.othersShare, generatorLimits.leastOthersMs / spanMs);
  if (others >= leastOthers && own + others >= generatorLimits.usedShare) {
    return `the generator was starved: other processes took ${percent(others)} of its processors and left it ${percent(own)}; stop what else runs on this machine`;
  }
  const pauseMs = (generator.eventLoopDelayUs.max ?? 0) / 1000;
  if (pauseMs >= Math.max(generatorLimits.leastPauseMs, spanMs * generatorLimits.pauseShare)) {
    return `the generator stood still for ${Math.round(pauseMs)} ms of ${Math.round(spanMs)} ms: use fewer connections or a machine with more memory and processors`;
  }
  if (spanMs < generatorLimits.leastSpanMs || serverCpuMs === null) return null;
  const server = share(serverCpuMs, plan.serverCpus?.length ?? 1);
  if (own + others < generatorLimits.busyShare || server >= generatorLimits.idleServerShare) return null;
  return `the generator was the bottleneck: it used ${percent(own)} of its processors, the server ${percent(server)} of its own; give it more processors and --workers`;
}
