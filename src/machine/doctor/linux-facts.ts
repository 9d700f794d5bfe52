import { readTopology } from "../cpus.ts";
import { pageBytes, readAvailableMemory } from "../kernel-sockets.ts";
import { readText } from "../sources.ts";
import { readCgroup } from "./cgroup.ts";
import type { MachineFacts } from "./facts.ts";

/** What a system says of itself beyond its result's environment. */
export type SystemFacts = Omit<
  MachineFacts,
  "system" | "sysctls" | "descriptorLimit" | "portRange" | "cpuCount" | "governor" | "noise"
>;

function readCount(path: string): number | null {
  const text = readText(path);
  return text === null || !/^\d+/.test(text) ? null : Number.parseInt(text, 10);
}

/** From /proc and /sys: reads of a few milliseconds altogether. What is missing is null. */
export function readLinux({ proc, sys } = { proc: "/proc", sys: "/sys" }): SystemFacts {
  const topology = readTopology({ system: `${sys}/devices`, process: `${proc}/self` });
  const load = readText(`${proc}/loadavg`)?.split(" ")[0];
  return {
    systemDescriptors: readCount(`${proc}/sys/fs/file-nr`),
    trackedConnections: readCount(`${proc}/sys/net/netfilter/nf_conntrack_count`),
    memory: { pageBytes, availableBytes: readAvailableMemory(proc) },
    cgroup: readCgroup(`${proc}/self`),
    topology,
    loadAverage: load === undefined ? null : Number(load),
  };
}
