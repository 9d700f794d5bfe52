import { formatBytes } from "../../../text/format.ts";
import type { Check } from "../finding.ts";
import { noRemedy } from "../remedy.ts";
import { estimateMemory } from "./memory.ts";

/** Memory on disk: a page that has to be fetched stalls its process for milliseconds. */
export const checkSwap: Check = (machine, plan) => {
  const { swapTotalBytes: total, swapUsedBytes: used, availableBytes } = machine.memory;
  if (total === null) return [];
  const { mostBytes } = estimateMemory(plan);
  // Used swap is what nobody has touched for long; it hurts when memory is short.
  const tight = total > 0 && availableBytes !== null && availableBytes < mostBytes;
  return [
    {
      ...noRemedy,
      id: "swap",
      title: "Swap",
      current: total === 0 ? "none" : `${formatBytes(total)}, ${formatBytes(used)} in use`,
      needed: "none in use",
      verdict: tight ? "tight" : "ok",
      explanation: tight
        ? `The heaviest servers need more than the ${formatBytes(availableBytes)} available, so the system will swap, and a page fetched from disk stalls its process for milliseconds. Without swap a server that takes too much is killed instead, which the result says.`
        : "There is memory enough, so nothing has to go to disk.",
      holds: null,
      ...(total > 0
        ? {
            commands: { linux: ["sudo swapoff -a"] },
            survivesReboot: false,
            permanently: { linux: "comment the swap line out in /etc/fstab" },
            needsPassword: machine.privilege === "none",
          }
        : {}),
    },
  ];
};
