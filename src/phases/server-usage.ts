import { type CpuUsage, shareOfIdle, shareOfOthers } from "../machine/cpu-usage.ts";
import type { Phase } from "../result/schema.ts";
import type { RoundContext } from "./context.ts";

/**
 * The server's own figures in a phase, and who else used its processors.
 *
 * @param usage of the server's processors; null where it has none to itself
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
