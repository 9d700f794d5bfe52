import { type CpuUsage, shareOfIdle, shareOfOthers, watchCpuUsage } from "../machine/cpu-usage.ts";
import type { Plan } from "../plan/plan.ts";
import type { ServerFigures } from "../result/phase.ts";

/** What a server's own processes tell of it. */
export type OwnFigures = Omit<ServerFigures, "otherCpuShare" | "idleCpuShare">;

/** Begins to watch the server's CPU cores; what ends it says null where it has none to itself. */
export function watchServerUsage({ serverCpus }: Pick<Plan, "serverCpus">): () => CpuUsage | null {
  return serverCpus === null ? () => null : watchCpuUsage(serverCpus);
}

/**
 * The server's own figures in a phase, and which share of its cores other processes used.
 *
 * @param usage see `watchServerUsage`
 * @param handicapShare taken from the server on purpose
 */
export function describeServer(
  figures: OwnFigures,
  usage: CpuUsage | null,
  handicapShare: number,
): ServerFigures {
  const others = shareOfOthers(usage, figures.cpuMs);
  return {
    ...figures,
    otherCpuShare: others === null ? null : Math.max(0, others - handicapShare),
    idleCpuShare: shareOfIdle(usage),
  };
}
