import { loadavg } from "node:os";
import { readTopology } from "../cpus.ts";
import { readOutput } from "../sources.ts";
import type { SystemFacts } from "./linux-facts.ts";

/** What the commands print that know a Mac; null where one is missing. */
interface MacOutputs {
  /** `sysctl -n kern.num_files` */
  readonly openFiles: string | null;
  /** `vm_stat` */
  readonly memory: string | null;
  readonly loadAverage: number | null;
}

export async function readMacOutputs(): Promise<MacOutputs> {
  const [openFiles, memory] = await Promise.all([
    readOutput(["sysctl", "-n", "kern.num_files"]),
    readOutput(["vm_stat"]),
  ]);
  return { openFiles, memory, loadAverage: loadavg()[0] ?? null };
}

/** Reads those outputs; what is missing or looks otherwise is null. */
export function readMac(outputs: MacOutputs): SystemFacts {
  const { openFiles, memory, loadAverage } = outputs;
  return {
    systemDescriptors: openFiles === null || !/^\d+/.test(openFiles) ? null : Number(openFiles),
    trackedConnections: null,
    memory: readMemory(memory),
    cgroup: { cpu: null, memory: null },
    // No mask of allowed CPUs there, so no topology.
    topology: process.platform === "darwin" ? readTopology() : { cpus: [], canPin: false },
    loadAverage,
  };
}

/** Free, idle and discardable pages: what a program can get without anything being written to disk. */
function readMemory(text: string | null): SystemFacts["memory"] {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text ?? "")?.[1] ?? 16_384);
  const pages = ["free", "inactive", "speculative", "purgeable"].map((kind) =>
    Number(new RegExp(`^Pages ${kind}:\\s+(\\d+)\\.`, "m").exec(text ?? "")?.[1] ?? 0),
  );
  const sum = pages.reduce((all, one) => all + one, 0);
  return { pageBytes, availableBytes: sum === 0 ? null : sum * pageBytes };
}
