import type { Plan } from "../../../plan/plan.ts";
import { formatBytes } from "../../../text/format.ts";
import type { Check, Finding, Verdict } from "../finding.ts";
import { noRemedy } from "../remedy.ts";

/** Both sockets of a loopback connection, in the kernel: 7.7 KiB of slab measured on Linux 6.18; no RSS shows it. */
const kernelBytes = 8 * 1024;
/** The generator's share, at most (bench/generator.ts). */
const generatorBytes = 2 * 1024;
/** The server's: what lean ones need, and what go-gorilla's default reserves, the heaviest here (its README). */
const leanServerBytes = 2 * 1024;
const heavyServerBytes = 56 * 1024;
/** A server and a worker without connections. */
const serverBaseBytes = 150e6;
const workerBaseBytes = 60e6;

export interface MemoryNeed {
  /** Whatever the server does with it. */
  readonly leastBytes: number;
  /** With the heaviest of the known servers. */
  readonly mostBytes: number;
}

/** An estimate of the whole run's memory, kernel included. */
export function estimateMemory({ connections, workers }: Pick<Plan, "connections" | "workers">): MemoryNeed {
  const base = serverBaseBytes + workers * workerBaseBytes;
  return {
    leastBytes: base + connections * (kernelBytes + generatorBytes + leanServerBytes),
    mostBytes: base + connections * (kernelBytes + generatorBytes + heavyServerBytes),
  };
}

/** Connections that fit into so much memory, if the server is lean. */
function connectionsIn(bytes: number, workers: number): number {
  const left = bytes - serverBaseBytes - workers * workerBaseBytes;
  return Math.max(0, Math.floor(left / (kernelBytes + generatorBytes + leanServerBytes)));
}

/** Memory of the machine, and of the group this process is in. */
export const checkMemory: Check = (machine, plan) => {
  const need = estimateMemory(plan);
  const needed = `${formatBytes(need.leastBytes)} to ${formatBytes(need.mostBytes)}`;
  const judge = (bytes: number): Verdict =>
    bytes < need.leastBytes ? "stops" : bytes < need.mostBytes ? "tight" : "ok";
  const estimate =
    "A connection takes about 8 KiB of kernel memory for its two ends, up to 2 KiB in the generator and 2 to 56 KiB in the servers known here; what waits in a server's queues comes on top.";
  const findings: Finding[] = [];

  const available = machine.memory.availableBytes;
  findings.push({
    ...noRemedy,
    id: "memory",
    title: "Memory",
    current: available === null ? "not known" : `${formatBytes(available)} available`,
    needed,
    verdict: available === null ? "unknown" : judge(available),
    explanation: `${estimate} End other programs, or ask for fewer --connections.`,
    holds:
      available === null
        ? null
        : {
            connections: connectionsIn(available, plan.workers),
            limit: `the machine's memory, ${formatBytes(available)} available,`,
          },
  });

  const group = machine.cgroup.memory;
  if (group !== null) {
    const free = Math.max(0, group.limitBytes - group.usedBytes);
    findings.push({
      ...noRemedy,
      id: "memory-limit",
      title: "Group's memory limit",
      current: `${formatBytes(free)} of ${formatBytes(group.limitBytes)} left`,
      needed,
      verdict: judge(free),
      explanation: `A container or service limits memory (${group.path}), and past it the kernel kills a process of the group. ${estimate}`,
      commands: { linux: [`echo ${Math.ceil(need.mostBytes + group.usedBytes)} | sudo tee ${group.path}`] },
      survivesReboot: false,
      permanently: { linux: "--memory of the container, MemoryMax= of the systemd unit" },
      needsPassword: machine.privilege === "none",
      holds: {
        connections: connectionsIn(free, plan.workers),
        limit: `the group's memory limit, ${formatBytes(group.limitBytes)},`,
      },
    });
  }
  return findings;
};
