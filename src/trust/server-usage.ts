import { type CpuUsage, shareOfIdle, shareOfOthers, watchCpuUsage } from "../machine/cpu-usage.ts";
import { type Places, sharesCpus } from "../plan/plan.ts";
import type { ServerFigures } from "../result/phase.ts";

/** What a server's own processes tell of it. */
export type OwnFigures = Omit<ServerFigures, "otherCpuShare" | "idleCpuShare">;

/** Begins to watch the server's CPU cores; what ends it says null where it has none to itself. */
export function watchServerUsage(plan: Places): () => CpuUsage | null {
  return sharesCpus(plan) ? () => null : watchCpuUsage(plan.serverCpus);
}

/** Which shares of its cores other processes used, and nobody. @param handicapShare taken from the server on purpose */
export function serverShares(
  usage: CpuUsage | null,
  cpuMs: number | null,
  handicapShare: number,
): Pick<ServerFigures, "otherCpuShare" | "idleCpuShare"> {
  const others = shareOfOthers(usage, cpuMs);
  return {
    otherCpuShare: others === null ? null : Math.max(0, others - handicapShare),
    idleCpuShare: shareOfIdle(usage),
  };
}

/** The server's figures in a phase. @param usage see `watchServerUsage` */
export function describeServer(
  figures: OwnFigures,
  usage: CpuUsage | null,
  handicapShare: number,
): ServerFigures {
  return { ...figures, ...serverShares(usage, figures.cpuMs, handicapShare) };
}
