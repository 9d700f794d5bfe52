// Invented machines and a plan, for tests.

import type { LogicalCpu } from "../../src/machine/cpus.ts";
import type { MachineFacts } from "../../src/machine/doctor/facts.ts";
import type { Plan } from "../../src/plan/plan.ts";
import { resolvePlan } from "../../src/plan/resolve.ts";

const cpu = (id: number, core = `${id}`): LogicalCpu => ({ id, core, node: 0, capacity: 1024 });

/** A quiet Linux machine with room for the article's plan and nothing to complain about. */
export const linuxMachine: MachineFacts = {
  system: "linux",
  sysctls: {
    "net.core.somaxconn": "4096",
    "net.ipv4.tcp_mem": "287901 383868 575802",
    "net.netfilter.nf_conntrack_max": "262144",
    "fs.file-max": "9223372036854775807",
    "fs.nr_open": "1048576",
  },
  descriptorLimit: { soft: 524_288, hard: 524_288 },
  systemDescriptors: 2000,
  portRange: [32_768, 60_999],
  trackedConnections: 100,
  memory: { pageBytes: 4096, availableBytes: 24e9 },
  cgroup: { cpu: null, memory: null },
  cpuCount: 8,
  topology: { cpus: [0, 1, 2, 3, 4, 5, 6, 7].map((id) => cpu(id)), canPin: true },
  governor: "performance",
  loadAverage: 0.1,
  noise: [
    { role: "server", cpu: 0, durationMs: 1000, p99GapUs: 12, maxGapUs: 80, lostShare: 0.001 },
    { role: "worker", cpu: 4, durationMs: 1000, p99GapUs: 14, maxGapUs: 90, lostShare: 0.001 },
  ],
};

/** A MacBook as it comes, the article's before its author changed it. */
export const macMachine: MachineFacts = {
  ...linuxMachine,
  system: "macos",
  sysctls: {
    "kern.ipc.somaxconn": "128",
    "kern.maxfiles": "122880",
    "kern.maxfilesperproc": "61440",
    "net.inet.tcp.msl": "15000",
    "net.inet.ip.portrange.first": "49152",
    "net.inet.ip.portrange.last": "65535",
  },
  descriptorLimit: { soft: null, hard: null },
  portRange: [49_152, 65_535],
  trackedConnections: null,
  cpuCount: 10,
  memory: { pageBytes: 16_384, availableBytes: 9e9 },
  topology: { cpus: [], canPin: false },
  governor: null,
  noise: null,
};

/** Says nothing at all of itself. */
export const silentMachine: MachineFacts = {
  system: "other",
  sysctls: {},
  descriptorLimit: { soft: null, hard: null },
  systemDescriptors: null,
  portRange: null,
  trackedConnections: null,
  memory: { pageBytes: 4096, availableBytes: null },
  cgroup: { cpu: null, memory: null },
  cpuCount: 1,
  topology: { cpus: [], canPin: false },
  governor: null,
  loadAverage: null,
  noise: null,
};

/** The article's plan for its two sides. */
export const articlePlan: Plan = resolvePlan({
  preset: "article",
  settings: { workers: 4 },
  entrants: [
    { contender: "elixir-genserver", variant: "default" },
    { contender: "go-gorilla", variant: "default" },
  ],
  serverCpus: [0, 1, 2, 3],
  workerCpus: [4, 5, 6, 7],
  descriptorLimit: null,
  leastMessageBytes: () => 1,
});

export const unpinnedPlan: Plan = { ...articlePlan, serverCpus: null, workerCpus: null, pacing: "timer" };
