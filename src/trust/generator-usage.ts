import type { WorkerUsage } from "../engine/worker-protocol.ts";
import { type CpuUsage, shareOfIdle, shareOfOthers } from "../machine/cpu-usage.ts";
import type { Plan } from "../plan/plan.ts";
import type { Phase } from "../result/schema.ts";
import { mergeHistograms, summarize } from "../stats/histogram.ts";

/** The generator's own figures, which say whether it could have been the bottleneck. */
export function describeGenerator(
  usages: readonly WorkerUsage[],
  elapsedMs: number,
  plan: Plan,
  others: { readonly usage: CpuUsage | null; readonly serverCpuMs: number | null } | null,
): NonNullable<Phase["generator"]> {
  const cpuMs = usages.reduce((all, one) => all + one.cpuMs, 0);
  return {
    cpuMs: Math.round(cpuMs),
    othersCpuShare: others === null ? null : shareOfOthers(others.usage, knownMs(cpuMs, plan, others)),
    idleCpuShare: others === null ? null : shareOfIdle(others.usage),
    peakRssBytes: usages.reduce((all, one) => all + one.rssBytes, 0),
    ceilingPerSecond: null,
    headroom: null,
    cpuShare: elapsedMs <= 0 ? 0 : Math.round((cpuMs / (elapsedMs * processorsOf(plan))) * 1000) / 1000,
    eventLoopDelayUs: summarize(mergeHistograms(usages.map(({ loopDelay }) => loopDelay))),
  };
}

/** A server that is not pinned may have used the workers' processors too: that is no foreigner. */
function knownMs(
  ownMs: number,
  { workerCpus }: Pick<Plan, "workerCpus">,
  { serverCpuMs }: { readonly serverCpuMs: number | null },
): number | null {
  if (workerCpus !== null) return ownMs;
  return serverCpuMs === null ? null : ownMs + serverCpuMs;
}

/** Workers can't use more processors than they have, nor more than one each (garbage collection apart). */
export function processorsOf({ workers, workerCpus }: Pick<Plan, "workers" | "workerCpus">): number {
  return Math.min(workers, workerCpus?.length ?? workers);
}
