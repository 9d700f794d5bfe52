import { type CpuUsage, shareOfIdle, shareOfOthers, watchCpuUsage } from "../machine/cpu-usage.ts";
import type { Plan } from "../plan/plan.ts";
import type { Phase } from "../result/schema.ts";
import type { RoundContext } from "../run/phases/context.ts";

/** Begins to watch the server's processors; what ends it says null where it has none to itself. */
export function watchServerUsage({ serverCpus }: Pick<Plan, "serverCpus">): () => CpuUsage | null {
  return serverCpus === null ? () => null : watchCpuUsage(serverCpus);
}

/**
 * The server's own figures in a phase, and who else used its processors.
 *
 * @param usage see `watchServerUsage`
 */
export function describeServer(
  { watch, idleRssBytes, handicapShare }: Pick<RoundContext, "watch" | "idleRssBytes" | "handicapShare">,
  { connections, delivered, usage }: { connections: number; delivered: number; usage: CpuUsage | null },
): Phase["server"] {
  const figures = watch.figures(connections, delivered, idleRssBytes);
  const others = shareOfOthers(usage, figures.cpuMs);
  return {
    ...figures,
    othersCpuShare: others === null ? null : Math.max(0, others - handicapShare),
    idleCpuShare: shareOfIdle(usage),
  };
}
