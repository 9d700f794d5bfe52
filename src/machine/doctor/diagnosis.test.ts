import { expect, test } from "bun:test";
import {
  articlePlan,
  linuxMachine,
  macMachine,
  silentMachine,
  unpinnedPlan,
} from "../../../test/support/fixture-machines.ts";
import type { Plan } from "../../plan/plan.ts";
import type { CheckId, CheckResult, CheckState } from "./check.ts";
import { diagnose } from "./diagnosis.ts";
import type { MachineFacts } from "./facts.ts";

function find(machine: MachineFacts, plan: Plan, id: string): CheckResult {
  const found = diagnose(machine, plan).checks.find(({ check }) => check === id);
  if (found === undefined) throw new Error(`no check ${id}`);
  return found;
}

const withSysctl = (name: string, value: string): MachineFacts => ({
  ...linuxMachine,
  sysctls: { ...linuxMachine.sysctls, [name]: value },
});

const withMemory = (availableBytes: number): MachineFacts => ({
  ...linuxMachine,
  memory: { ...linuxMachine.memory, availableBytes },
});

test("a machine with room for everything is fine in every respect", () => {
  const { checks, fits, capacity } = diagnose(linuxMachine, articlePlan);
  expect(checks.filter(({ state }) => state !== "ok")).toEqual([]);
  expect(fits).toBe(true);
  expect(capacity?.stoppedBy).toBe("conntrack");
});

// Each line: what is otherwise than on the good machine, what finds it, and its state.
const cases: [name: string, machine: MachineFacts, plan: Plan, id: CheckId, state: CheckState][] = [
  [
    "a server's descriptors",
    { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } },
    articlePlan,
    "server-descriptors",
    "insufficient",
  ],
  [
    "just enough descriptors",
    { ...linuxMachine, descriptorLimit: { soft: 25_064, hard: 25_064 } },
    articlePlan,
    "server-descriptors",
    "ok",
  ],
  [
    "one descriptor too few",
    { ...linuxMachine, descriptorLimit: { soft: 25_063, hard: 25_063 } },
    articlePlan,
    "server-descriptors",
    "insufficient",
  ],
  [
    "the generator's descriptors",
    { ...linuxMachine, descriptorLimit: { soft: 5000, hard: 5000 } },
    articlePlan,
    "generator-descriptors",
    "insufficient",
  ],
  [
    "no limit but the kernel's",
    { ...linuxMachine, descriptorLimit: { soft: null, hard: null } },
    articlePlan,
    "server-descriptors",
    "ok",
  ],
  [
    "open files of the machine",
    withSysctl("fs.file-max", "40000"),
    articlePlan,
    "system-descriptors",
    "insufficient",
  ],
  ["few ports", { ...linuxMachine, portRange: [32_768, 36_767] }, articlePlan, "port-range", "insufficient"],
  [
    "a slice of memory",
    { ...linuxMachine, memory: { ...linuxMachine.memory, availableBytes: 1e9 } },
    articlePlan,
    "memory",
    "tight",
  ],
  // Both at their heaviest take 285 MB and 66 KiB a connection each: 3.95 GB; one alone 2.0 GB.
  ["memory for one", withMemory(3.9e9), articlePlan, "memory", "tight"],
  ["memory for both", withMemory(4.3e9), articlePlan, "memory", "ok"],
  ["memory for one at a time", withMemory(3.9e9), { ...articlePlan, oneAtATime: true }, "memory", "ok"],
  [
    "no memory",
    { ...linuxMachine, memory: { ...linuxMachine.memory, availableBytes: 0.5e9 } },
    articlePlan,
    "memory",
    "insufficient",
  ],
  [
    "a container's memory",
    {
      ...linuxMachine,
      cgroup: {
        cpu: null,
        memory: { limitBytes: 600e6, usedBytes: 200e6, path: "/sys/fs/cgroup/memory.max" },
      },
    },
    articlePlan,
    "memory-limit",
    "insufficient",
  ],
  [
    "a container's CPU time",
    { ...linuxMachine, cgroup: { memory: null, cpu: { cpus: 1.5, path: "/sys/fs/cgroup/cpu.max" } } },
    articlePlan,
    "cpu-quota",
    "tight",
  ],
  [
    "a quota that is enough",
    { ...linuxMachine, cgroup: { memory: null, cpu: { cpus: 8, path: "/sys/fs/cgroup/cpu.max" } } },
    articlePlan,
    "cpu-quota",
    "ok",
  ],
  [
    "a full tracking table",
    { ...linuxMachine, trackedConnections: 250_000 },
    articlePlan,
    "conntrack",
    "insufficient",
  ],
  [
    "tracking room for one round",
    { ...linuxMachine, trackedConnections: 220_000 },
    articlePlan,
    "conntrack",
    "tight",
  ],
  [
    "tracking that follows nothing",
    { ...withSysctl("net.netfilter.nf_conntrack_max", "1000"), trackedConnections: 0 },
    articlePlan,
    "conntrack",
    "ok",
  ],
  ["a short accept queue", withSysctl("net.core.somaxconn", "64"), articlePlan, "backlog", "tight"],
  ["a batch larger than the queue", linuxMachine, { ...articlePlan, connectBatch: 5000 }, "backlog", "tight"],
  [
    "small socket buffers",
    withSysctl("net.ipv4.tcp_mem", "9000 12000 18000"),
    articlePlan,
    "tcp-memory",
    "tight",
  ],
  ["a busy machine", { ...linuxMachine, loadAverage: 3.456 }, articlePlan, "load", "tight"],
  [
    "one core",
    {
      ...linuxMachine,
      cpuCount: 1,
      topology: { cpus: linuxMachine.topology.cpus.slice(0, 1), canPin: true },
    },
    unpinnedPlan,
    "cores",
    "tight",
  ],
  [
    "one core with two threads",
    {
      ...linuxMachine,
      cpuCount: 2,
      topology: {
        cpus: linuxMachine.topology.cpus.slice(0, 2).map((cpu) => ({ ...cpu, core: "0-1" })),
        canPin: true,
      },
    },
    unpinnedPlan,
    "cores",
    "tight",
  ],
  ["pinning switched off", linuxMachine, unpinnedPlan, "cores", "tight"],
  ["more workers than CPUs", linuxMachine, { ...articlePlan, workers: 5 }, "cores", "tight"],
  [
    "a noisy neighbour",
    {
      ...linuxMachine,
      noise: [{ role: "server", cpu: 0, durationMs: 1000, p99GapUs: 20, maxGapUs: 9000, lostShare: 0.03 }],
    },
    articlePlan,
    "noise",
    "tight",
  ],
  [
    "frequent short gaps",
    {
      ...linuxMachine,
      noise: [{ role: "any", cpu: null, durationMs: 400, p99GapUs: 400, maxGapUs: 900, lostShare: 0.005 }],
    },
    articlePlan,
    "noise",
    "tight",
  ],
  ["a Mac's ports", macMachine, unpinnedPlan, "port-range", "insufficient"],
  ["a Mac's accept queue holds a batch", macMachine, unpinnedPlan, "backlog", "ok"],
  ["a Mac's TIME_WAIT", macMachine, unpinnedPlan, "time-wait", "tight"],
  ["a Mac can't pin", macMachine, unpinnedPlan, "cores", "tight"],
  [
    "a Mac's files of a process",
    { ...macMachine, sysctls: { ...macMachine.sysctls, "kern.maxfilesperproc": "10240" } },
    unpinnedPlan,
    "server-descriptors",
    "insufficient",
  ],
];

test.each(cases)("%s", (_, machine, plan, id, state) => {
  expect(find(machine, plan, id).state).toBe(state);
});

test("what stops first is named, with its number", () => {
  const machine = { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } };
  const { capacity, fits } = diagnose(machine, articlePlan);
  expect(capacity).toEqual({ connections: 19_936, stoppedBy: "server-descriptors" });
  expect(fits).toBe(false);
  expect(diagnose(macMachine, unpinnedPlan).capacity).toEqual({
    connections: 16_384,
    stoppedBy: "port-range",
  });
});

test("a load from elsewhere takes neither memory nor descriptors nor ports of the servers' machine", () => {
  const elsewhere = { ...articlePlan, agents: { count: 3, cpuCount: 12, areHere: false } };
  const here = { ...articlePlan, agents: { count: 3, cpuCount: 12, areHere: true } };
  const needed = (plan: Plan, id: CheckId) => find(linuxMachine, plan, id).values;
  expect(needed(here, "memory")).toEqual(needed(articlePlan, "memory"));
  expect(needed(elsewhere, "memory").leastBytes).toBeLessThan(
    Number(needed(here, "memory").leastBytes) - 100e6,
  );
  expect(needed(elsewhere, "system-descriptors").needed).toBe(
    Number(needed(here, "system-descriptors").needed) - articlePlan.connections,
  );
  const ids = diagnose(linuxMachine, elsewhere).checks.map(({ check }) => check);
  expect(ids).not.toContain("generator-descriptors");
  expect(ids).not.toContain("port-range");
});

test("what can be held does not depend on how much is asked for, and a plan of that size fits", () => {
  for (const machine of [
    linuxMachine,
    macMachine,
    { ...linuxMachine, portRange: [32_768, 36_767] as const },
  ]) {
    const plan = machine.system === "macos" ? unpinnedPlan : articlePlan;
    const { capacity } = diagnose(machine, plan);
    if (capacity === null) throw new Error("nothing limits it");
    const one = { ...plan, rounds: 1, entrants: plan.entrants.slice(0, 1) };
    expect(diagnose(machine, { ...one, connections: capacity.connections, workers: 40 }).fits).toBe(true);
  }
});

test("of a machine that says nothing nothing is guessed", () => {
  const { checks, capacity, fits } = diagnose(silentMachine, unpinnedPlan);
  expect(capacity).toBeNull();
  expect(fits).toBe(true);
  const unknown = checks.filter(({ state }) => state === "unknown");
  expect(unknown.map(({ check }) => check)).toEqual([
    "server-descriptors",
    "generator-descriptors",
    "port-range",
    "memory",
    "backlog",
  ]);
});

test("commands are those of the machine's system, the article's among them", () => {
  const commands = diagnose(macMachine, unpinnedPlan).checks.flatMap((one) => one.commands);
  for (const setting of [
    "ulimit -n 100000",
    "kern.ipc.somaxconn=4096",
    "net.inet.tcp.msl=1000",
    "kern.maxfilesperproc=61440",
    "kern.maxfiles=122880",
  ]) {
    expect(commands.join("\n")).toContain(setting);
  }
  const bare = { ...macMachine, sysctls: { "kern.maxfiles": "49152", "kern.maxfilesperproc": "24576" } };
  expect(find(bare, unpinnedPlan, "server-descriptors").commands).toEqual([
    "sudo sysctl -w kern.maxfiles=100000 kern.maxfilesperproc=50000",
    "ulimit -n 100000",
  ]);
  expect(find(linuxMachine, articlePlan, "backlog").commands).toEqual([
    "sudo sysctl -w net.core.somaxconn=4096",
  ]);
  const low = { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } };
  const { commands: raise } = find(
    { ...low, sysctls: { "fs.nr_open": "50000" } },
    articlePlan,
    "server-descriptors",
  );
  expect(raise).toEqual([
    "sudo sysctl -w fs.nr_open=100000",
    "sudo prlimit --pid $$ --nofile=100000:100000",
    "ulimit -n 100000",
  ]);
});

test("no command lowers what is roomier than the plan needs", () => {
  const roomy = { ...withSysctl("net.core.somaxconn", "65535") };
  expect(find(roomy, articlePlan, "backlog").commands).toEqual(["sudo sysctl -w net.core.somaxconn=65535"]);
});

test("what the commands set is what makes a check ok", () => {
  const poor: MachineFacts = {
    ...linuxMachine,
    sysctls: {
      ...linuxMachine.sysctls,
      "net.core.somaxconn": "64",
      "net.ipv4.tcp_mem": "9000 12000 18000",
      "net.netfilter.nf_conntrack_max": "10000",
      "fs.file-max": "40000",
      "net.ipv4.ip_local_port_range": "32768 36767",
    },
    portRange: [32_768, 36_767],
  };
  const before = diagnose(poor, articlePlan).checks.filter(({ state }) => state !== "ok");
  expect(before).toHaveLength(5);
  const sysctls = { ...poor.sysctls };
  for (const command of before.flatMap(({ commands }) => commands)) {
    for (const [, name = "", quoted, bare] of command.matchAll(/([\w.-]+)=(?:"([^"]*)"|(\S+))/g))
      sysctls[name] = quoted ?? bare ?? "";
  }
  const [first = 0, last = 0] = (sysctls["net.ipv4.ip_local_port_range"] ?? "").split(" ").map(Number);
  const after = diagnose({ ...poor, sysctls, portRange: [first, last] }, articlePlan);
  expect(after.checks.filter(({ state }) => state !== "ok")).toEqual([]);
});
