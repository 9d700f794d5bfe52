import { expect, test } from "bun:test";
import {
  articlePlan,
  linuxMachine,
  macMachine,
  silentMachine,
  unpinnedPlan,
} from "../../../test/support/fixture-machines.ts";
import type { Plan } from "../../plan/plan.ts";
import { diagnose } from "./diagnosis.ts";
import type { MachineFacts } from "./facts.ts";
import type { Finding } from "./finding.ts";

function find(machine: MachineFacts, plan: Plan, id: string): Finding {
  const finding = diagnose(machine, plan).findings.find((one) => one.id === id);
  if (finding === undefined) throw new Error(`no finding ${id}`);
  return finding;
}

const withSysctl = (name: string, value: string): MachineFacts => ({
  ...linuxMachine,
  sysctls: { ...linuxMachine.sysctls, [name]: value },
});

test("a machine with room for everything is fine in every respect", () => {
  const { findings, fits, capacity } = diagnose(linuxMachine, articlePlan);
  expect(findings.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
  expect(fits).toBe(true);
  expect(capacity?.stoppedBy).toBe("conntrack");
  const ids = findings.map(({ id }) => id);
  expect(new Set(ids).size).toBe(ids.length);
});

// Each line: what is otherwise than on the good machine, what finds it, its verdict, and what it says.
const cases: [name: string, machine: MachineFacts, plan: Plan, id: string, verdict: string, says: RegExp][] =
  [
    [
      "a server's descriptors",
      { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } },
      articlePlan,
      "server-descriptors",
      "stops",
      /19,936 connections at most/,
    ],
    [
      "just enough descriptors",
      { ...linuxMachine, descriptorLimit: { soft: 25_064, hard: 25_064 } },
      articlePlan,
      "server-descriptors",
      "ok",
      /25,000/,
    ],
    [
      "one descriptor too few",
      { ...linuxMachine, descriptorLimit: { soft: 25_063, hard: 25_063 } },
      articlePlan,
      "server-descriptors",
      "stops",
      /24,999/,
    ],
    [
      "the generator's descriptors",
      { ...linuxMachine, descriptorLimit: { soft: 5000, hard: 5000 } },
      articlePlan,
      "generator-descriptors",
      "stops",
      /--workers/,
    ],
    [
      "no limit but the kernel's",
      { ...linuxMachine, descriptorLimit: { soft: null, hard: null } },
      articlePlan,
      "server-descriptors",
      "ok",
      /1,048,512/,
    ],
    [
      "open files of the machine",
      withSysctl("fs.file-max", "40000"),
      articlePlan,
      "system-descriptors",
      "stops",
      /both ends/,
    ],
    [
      "few ports",
      { ...linuxMachine, portRange: [32_768, 36_767] },
      articlePlan,
      "port-range",
      "stops",
      /source address/,
    ],
    [
      "a slice of memory",
      { ...linuxMachine, memory: { ...linuxMachine.memory, availableBytes: 1e9 } },
      articlePlan,
      "memory",
      "tight",
      /KiB/,
    ],
    [
      "no memory",
      { ...linuxMachine, memory: { ...linuxMachine.memory, availableBytes: 0.5e9 } },
      articlePlan,
      "memory",
      "stops",
      /fewer --connections/,
    ],
    [
      "memory short and swap on",
      { ...linuxMachine, memory: { ...linuxMachine.memory, availableBytes: 1e9 } },
      articlePlan,
      "swap",
      "tight",
      /stalls/,
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
      "stops",
      /kills/,
    ],
    [
      "a container's CPU time",
      { ...linuxMachine, cgroup: { memory: null, cpu: { cpus: 1.5, path: "/sys/fs/cgroup/cpu.max" } } },
      articlePlan,
      "cpu-quota",
      "tight",
      /stand still/,
    ],
    [
      "a quota that is enough",
      { ...linuxMachine, cgroup: { memory: null, cpu: { cpus: 8, path: "/sys/fs/cgroup/cpu.max" } } },
      articlePlan,
      "cpu-quota",
      "ok",
      /cpu\.max/,
    ],
    [
      "a full tracking table",
      { ...linuxMachine, trackedConnections: 250_000 },
      articlePlan,
      "conntrack",
      "stops",
      /drops packets/,
    ],
    [
      "tracking room for one round",
      { ...linuxMachine, trackedConnections: 220_000 },
      articlePlan,
      "conntrack",
      "tight",
      /rounds add up/,
    ],
    [
      "tracking that follows nothing",
      { ...withSysctl("net.netfilter.nf_conntrack_max", "1000"), trackedConnections: 0 },
      articlePlan,
      "conntrack",
      "ok",
      /no limit/,
    ],
    ["a short accept queue", withSysctl("net.core.somaxconn", "64"), articlePlan, "backlog", "tight", /1 s/],
    [
      "a batch larger than the queue",
      linuxMachine,
      { ...articlePlan, connectBatch: 5000 },
      "backlog",
      "tight",
      /SYN/,
    ],
    [
      "few half-open connections",
      withSysctl("net.ipv4.tcp_max_syn_backlog", "32"),
      articlePlan,
      "syn-backlog",
      "tight",
      /cookies/,
    ],
    [
      "small socket buffers",
      withSysctl("net.ipv4.tcp_mem", "9000 12000 18000"),
      articlePlan,
      "tcp-memory",
      "tight",
      /windows/,
    ],
    [
      "a small TIME_WAIT table",
      { ...withSysctl("net.ipv4.tcp_max_tw_buckets", "8192"), timeWaits: 100 },
      articlePlan,
      "time-wait",
      "tight",
      /other source addresses/,
    ],
    [
      "no reuse of TIME_WAIT",
      withSysctl("net.ipv4.tcp_tw_reuse", "0"),
      articlePlan,
      "time-wait",
      "ok",
      /other source addresses/,
    ],
    [
      "a saving governor",
      {
        ...linuxMachine,
        governors: [{ path: "/sys/devices/system/cpu/cpu0/cpufreq/scaling_governor", governor: "powersave" }],
      },
      articlePlan,
      "governor",
      "tight",
      /lowers the clock/,
    ],
    ["battery", { ...linuxMachine, onBattery: true }, articlePlan, "power", "tight", /Plug/],
    ["a hot Mac", { ...macMachine, speedLimitPercent: 80 }, unpinnedPlan, "heat", "tight", /cool/],
    [
      "a slow clock",
      { ...linuxMachine, clockSource: { current: "hpet", available: ["tsc", "hpet"] } },
      articlePlan,
      "clock-source",
      "tight",
      /hpet/,
    ],
    ["a busy machine", { ...linuxMachine, loadAverage: 3.456 }, articlePlan, "load", "tight", /top/],
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
      /share it/,
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
      /Only one core/,
    ],
    ["pinning switched off", linuxMachine, unpinnedPlan, "cores", "tight", /--no-pin/],
    [
      "more workers than CPUs",
      linuxMachine,
      { ...articlePlan, workers: 5 },
      "cores",
      "tight",
      /fewer --workers/,
    ],
    [
      "a noisy neighbour",
      {
        ...linuxMachine,
        noise: [{ role: "server", cpu: 0, durationMs: 1000, p99GapUs: 20, maxGapUs: 9000, lostShare: 0.03 }],
      },
      articlePlan,
      "noise-server",
      "tight",
      /virtual machine/,
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
      /any CPU/,
    ],
    ["a Mac's ports", macMachine, unpinnedPlan, "port-range", "stops", /16,3xx/],
    ["a Mac's accept queue holds a batch", macMachine, unpinnedPlan, "backlog", "ok", /kern\.ipc\.somaxconn/],
    ["a Mac's TIME_WAIT", macMachine, unpinnedPlan, "time-wait", "tight", /one source address/],
    ["a Mac can't pin", macMachine, unpinnedPlan, "cores", "tight", /can't pin/],
    [
      "a Mac's files of a process",
      { ...macMachine, sysctls: { ...macMachine.sysctls, "kern.maxfilesperproc": "10240" } },
      unpinnedPlan,
      "server-descriptors",
      "stops",
      /10,176/,
    ],
  ];

test.each(cases)("%s", (_, machine, plan, id, verdict, says) => {
  const finding = find(machine, plan, id);
  expect(finding.verdict).toBe(verdict as Finding["verdict"]);
  expect(finding.explanation).toMatch(says);
});

test("what stops first is named, with its number", () => {
  const machine = { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } };
  const { capacity, fits } = diagnose(machine, articlePlan);
  expect(capacity).toEqual({
    connections: 19_936,
    stoppedBy: "server-descriptors",
    text: "This machine can hold 19,936 connections to a single-process server: the server's descriptor limit, 20,000, stops it first.",
  });
  expect(fits).toBe(false);
  expect(diagnose(macMachine, unpinnedPlan).capacity).toMatchObject({
    connections: 16_384,
    stoppedBy: "port-range",
  });
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

test("a machine that says nothing of itself gets words, not guesses", () => {
  const { findings, capacity, fits } = diagnose(silentMachine, unpinnedPlan);
  expect(capacity).toBeNull();
  expect(fits).toBe(true);
  const unknown = findings.filter(({ verdict }) => verdict === "unknown");
  expect(unknown.map(({ id }) => id)).toEqual([
    "server-descriptors",
    "generator-descriptors",
    "port-range",
    "memory",
    "backlog",
  ]);
  for (const finding of unknown) expect(finding.current).toBe("not known");
  for (const { changes } of findings) expect(changes).toEqual([]);
});

test("commands are given for both systems, the article's among them", () => {
  const commands = diagnose(macMachine, unpinnedPlan).findings.flatMap(
    (finding) => finding.commands.macos ?? [],
  );
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
  expect(find(bare, unpinnedPlan, "server-descriptors").commands.macos).toEqual([
    "sudo sysctl -w kern.maxfiles=100000 kern.maxfilesperproc=50000",
    "ulimit -n 100000",
  ]);
  expect(find(linuxMachine, articlePlan, "backlog").commands).toEqual({
    linux: ["sudo sysctl -w net.core.somaxconn=4096"],
    macos: ["sudo sysctl -w kern.ipc.somaxconn=4096"],
  });
  const low = { ...linuxMachine, descriptorLimit: { soft: 20_000, hard: 20_000 } };
  expect(
    find({ ...low, sysctls: { "fs.nr_open": "50000" } }, articlePlan, "server-descriptors").commands.linux,
  ).toEqual([
    "sudo sysctl -w fs.nr_open=100000",
    "sudo prlimit --pid $$ --nofile=100000:100000",
    "ulimit -n 100000",
  ]);
});

test("no command lowers what is roomier than the plan needs", () => {
  const roomy = { ...withSysctl("net.core.somaxconn", "65535") };
  expect(find(roomy, articlePlan, "backlog").changes).toEqual([
    { kind: "sysctl", name: "net.core.somaxconn", value: "65535" },
  ]);
});

test("what --apply would write is what makes the verdict ok", () => {
  const poor: MachineFacts = {
    ...linuxMachine,
    sysctls: {
      ...linuxMachine.sysctls,
      "net.core.somaxconn": "64",
      "net.ipv4.tcp_max_syn_backlog": "32",
      "net.ipv4.tcp_mem": "9000 12000 18000",
      "net.ipv4.tcp_max_tw_buckets": "8192",
      "net.netfilter.nf_conntrack_max": "10000",
      "fs.file-max": "40000",
      "net.ipv4.ip_local_port_range": "32768 36767",
    },
    portRange: [32_768, 36_767],
  };
  const before = diagnose(poor, articlePlan).findings.filter(({ verdict }) => verdict !== "ok");
  expect(before).toHaveLength(7);
  const sysctls = { ...poor.sysctls };
  for (const setting of before.flatMap(({ changes }) => changes)) {
    if (setting.kind === "sysctl") sysctls[setting.name] = setting.value;
  }
  const [first = 0, last = 0] = (sysctls["net.ipv4.ip_local_port_range"] ?? "").split(" ").map(Number);
  const after = diagnose({ ...poor, sysctls, portRange: [first, last] }, articlePlan);
  expect(after.findings.filter(({ verdict }) => verdict !== "ok")).toEqual([]);
});

test("a password is needed where neither root nor sudo makes it unnecessary", () => {
  for (const [privilege, needs] of [
    ["none", true],
    ["sudo", false],
    ["root", false],
  ] as const) {
    expect(find({ ...linuxMachine, privilege }, articlePlan, "backlog").needsPassword).toBe(needs);
  }
});
