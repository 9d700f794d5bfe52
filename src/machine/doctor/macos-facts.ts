import { loadavg } from "node:os";
import { readTopology } from "../cpus.ts";
import type { SystemFacts } from "./linux-facts.ts";

/** What a command prints, or null when it fails, hangs or does not exist. */
async function output(command: readonly string[]): Promise<string | null> {
  try {
    const child = Bun.spawn([...command], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "ignore",
      timeout: 2000,
    });
    const text = await new Response(child.stdout).text();
    return (await child.exited) === 0 ? text : null;
  } catch {
    return null;
  }
}

/** What the commands print that know a Mac; null where one is missing. */
export interface MacOutputs {
  /** `sysctl -n kern.num_files` */
  readonly openFiles: string | null;
  /** `sysctl -n vm.swapusage` */
  readonly swap: string | null;
  /** `vm_stat` */
  readonly memory: string | null;
  /** `netstat -an -p tcp` */
  readonly sockets: string | null;
  /** `pmset -g batt` */
  readonly power: string | null;
  /** `pmset -g therm` */
  readonly heat: string | null;
  readonly loadAverage: number | null;
}

export async function readMacOutputs(): Promise<MacOutputs> {
  const [openFiles, swap, memory, sockets, power, heat] = await Promise.all([
    output(["sysctl", "-n", "kern.num_files"]),
    output(["sysctl", "-n", "vm.swapusage"]),
    output(["vm_stat"]),
    output(["netstat", "-an", "-p", "tcp"]),
    output(["pmset", "-g", "batt"]),
    output(["pmset", "-g", "therm"]),
  ]);
  return { openFiles, swap, memory, sockets, power, heat, loadAverage: loadavg()[0] ?? null };
}

/** Reads those outputs; what is missing or looks otherwise is null. */
export function readMac(outputs: MacOutputs): SystemFacts {
  const { openFiles, swap, memory, sockets, power, heat } = outputs;
  const speed = /CPU_Speed_Limit\s*=\s*(\d+)/.exec(heat ?? "")?.[1];
  return {
    systemDescriptors: openFiles === null || !/^\d+/.test(openFiles) ? null : Number(openFiles),
    timeWaits:
      sockets === null ? null : sockets.split("\n").filter((line) => line.includes("TIME_WAIT")).length,
    tcpSockets: sockets === null ? null : sockets.split("\n").filter((line) => /^tcp/.test(line)).length,
    trackedConnections: null,
    memory: {
      ...readMemory(memory),
      swapTotalBytes: swapBytes(swap, "total"),
      swapUsedBytes: swapBytes(swap, "used"),
    },
    cgroup: { cpu: null, memory: null },
    // No mask of allowed CPUs there, so no topology.
    topology: process.platform === "darwin" ? readTopology() : { cpus: [], canPin: false },
    governors: [],
    turbo: null,
    clockSource: null,
    loadAverage: outputs.loadAverage,
    onBattery: power === null ? null : /drawing from '([^']*)'/.exec(power)?.[1] === "Battery Power",
    throttles: null,
    speedLimitPercent: speed === undefined ? null : Number(speed),
  };
}

/** Free, idle and discardable pages: what a program can get without anything being written to disk. */
function readMemory(text: string | null): {
  readonly pageBytes: number;
  readonly availableBytes: number | null;
} {
  const pageBytes = Number(/page size of (\d+) bytes/.exec(text ?? "")?.[1] ?? 16_384);
  const pages = ["free", "inactive", "speculative", "purgeable"].map((kind) =>
    Number(new RegExp(`^Pages ${kind}:\\s+(\\d+)\\.`, "m").exec(text ?? "")?.[1] ?? 0),
  );
  const sum = pages.reduce((all, one) => all + one, 0);
  return { pageBytes, availableBytes: sum === 0 ? null : sum * pageBytes };
}

/** `total = 2048.00M  used = 512.25M  free = 1535.75M` */
function swapBytes(text: string | null, name: string): number | null {
  const megabytes = new RegExp(`${name} = ([\\d.]+)M`).exec(text ?? "")?.[1];
  return megabytes === undefined ? null : Number(megabytes) * 1024 * 1024;
}
