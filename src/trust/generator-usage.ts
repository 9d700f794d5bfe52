import type { WorkerUsage } from "../engine/worker-protocol.ts";
import { type CpuUsage, shareOfIdle, shareOfOthers } from "../machine/cpu-usage.ts";
import { agentsElsewhere, type Places, type Plan, sharesCpus } from "../plan/plan.ts";
import type { GeneratorFigures } from "../result/phase.ts";
import { mergeHistograms, summarize } from "../stats/histogram.ts";

/** The generator's own figures, which say whether it could have been the bottleneck. */
export function describeGenerator(
  usages: readonly WorkerUsage[],
  elapsedMs: number,
  plan: Pick<Plan, "workers"> & Places,
  seen: { readonly usage: CpuUsage | null; readonly serverCpuMs: number | null } | null,
): GeneratorFigures {
  const cpuMs = usages.reduce((all, one) => all + one.cpuMs, 0);
  return {
    cpuMs: Math.round(cpuMs),
    peakRssBytes: usages.reduce((all, one) => all + one.rssBytes, 0),
    cpuShare: elapsedMs <= 0 ? 0 : Math.round((cpuMs / (elapsedMs * coresOf(plan))) * 1000) / 1000,
    otherCpuShare: seen === null ? null : shareOfOthers(seen.usage, knownMs(cpuMs, plan, seen)),
    idleCpuShare: seen === null ? null : shareOfIdle(seen.usage),
    ceilingPerSecond: null,
    headroom: null,
    eventLoopDelayUs: summarize(mergeHistograms(usages.map(({ loopDelay }) => loopDelay))),
  };
}

/** A server that shares the workers' cores used them too: that is no other process. */
function knownMs(
  ownMs: number,
  plan: Places,
  { serverCpuMs }: { readonly serverCpuMs: number | null },
): number | null {
  if (!sharesCpus(plan)) return ownMs;
  return serverCpuMs === null ? null : ownMs + serverCpuMs;
}

/** Workers can't use more CPU cores than they have, nor more than one each (garbage collection apart). */
export function coresOf(plan: Pick<Plan, "workers" | "workerCpus" | "agents">): number {
  const { workers, workerCpus } = plan;
  return Math.min(workers, agentsElsewhere(plan)?.cpuCount ?? workerCpus?.length ?? workers);
}

/** Per worker over several loads: times add up, memory doesn't. @param reports those of a load one after another, by worker */
export function addUsage(
  reports: readonly { readonly usage: WorkerUsage }[],
  workers: number,
): WorkerUsage[] {
  return Array.from({ length: workers }, (_, worker) => {
    const own = reports.filter((__, at) => at % workers === worker).map(({ usage }) => usage);
    return {
      cpuMs: own.reduce((all, { cpuMs }) => all + cpuMs, 0),
      rssBytes: Math.max(0, ...own.map(({ rssBytes }) => rssBytes)),
      loopDelay: mergeHistograms(own.map(({ loopDelay }) => loopDelay)).toSparse(),
    };
  });
}
