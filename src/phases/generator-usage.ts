import type { WorkerUsage } from "../load/worker-protocol.ts";
import type { Plan } from "../plan/plan.ts";
import type { Phase } from "../result/schema.ts";
import { mergeHistograms, summarize } from "../stats/histogram.ts";

/** The generator's own figures, which say whether it could have been the bottleneck. */
export function describeGenerator(
  usages: readonly WorkerUsage[],
  elapsedMs: number,
  plan: Plan,
): NonNullable<Phase["generator"]> {
  const cpuMs = usages.reduce((all, one) => all + one.cpuMs, 0);
  // Workers can't use more processors than they have, nor more than one each (garbage collection apart).
  const processors = Math.min(plan.workers, plan.workerCpus?.length ?? plan.workers);
  return {
    cpuMs: Math.round(cpuMs),
    peakRssBytes: usages.reduce((all, one) => all + one.rssBytes, 0),
    cpuShare: elapsedMs <= 0 ? 0 : Math.round((cpuMs / (elapsedMs * processors)) * 1000) / 1000,
    eventLoopDelayUs: summarize(mergeHistograms(usages.map(({ loopDelay }) => loopDelay))),
  };
}
