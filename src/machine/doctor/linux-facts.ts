import { readdirSync, readFileSync } from "node:fs";
import { parseCpuList, readTopology } from "../cpus.ts";
import { pageBytes, readKernelSockets } from "../kernel-sockets.ts";
import { readCgroup } from "./cgroup.ts";
import type { MachineFacts } from "./facts.ts";

/** What a system says of itself beyond its result's environment. */
export type SystemFacts = Omit<
  MachineFacts,
  "system" | "sysctls" | "privilege" | "descriptorLimit" | "portRange" | "cpuCount" | "noise"
>;

function read(path: string): string | null {
  try {
    return readFileSync(path, "utf8").trim() || null; // an empty file says nothing
  } catch {
    return null;
  }
}

function readCount(path: string): number | null {
  const text = read(path);
  return text === null || !/^\d+/.test(text) ? null : Number.parseInt(text, 10);
}

/** From /proc and /sys: reads of a few milliseconds altogether. What is missing is null. */
export function readLinux({ proc, sys } = { proc: "/proc", sys: "/sys" }): SystemFacts {
  const topology = readTopology({ system: `${sys}/devices`, process: `${proc}/self` });
  const meminfo = read(`${proc}/meminfo`) ?? "";
  const bytes = (name: string) => {
    const kib = new RegExp(`^${name}:\\s+(\\d+) kB$`, "m").exec(meminfo)?.[1];
    return kib === undefined ? null : Number(kib) * 1024;
  };
  const swapTotalBytes = bytes("SwapTotal");
  const swapFreeBytes = bytes("SwapFree");
  const load = read(`${proc}/loadavg`)?.split(" ")[0];
  const inUse = /^TCP: inuse (\d+)/m.exec(read(`${proc}/net/sockstat`) ?? "")?.[1];
  return {
    systemDescriptors: readCount(`${proc}/sys/fs/file-nr`),
    timeWaits: readKernelSockets(`${proc}/net`).timeWaits,
    tcpSockets: inUse === undefined ? null : Number(inUse),
    trackedConnections: readCount(`${proc}/sys/net/netfilter/nf_conntrack_count`),
    memory: {
      pageBytes,
      availableBytes: bytes("MemAvailable"),
      swapTotalBytes,
      swapUsedBytes:
        swapTotalBytes === null || swapFreeBytes === null ? null : swapTotalBytes - swapFreeBytes,
    },
    cgroup: readCgroup(`${proc}/self`),
    topology,
    governors: readGovernors(`${sys}/devices/system/cpu`),
    turbo: readTurbo(`${sys}/devices/system/cpu`),
    clockSource: readClockSource(`${sys}/devices/system/clocksource/clocksource0`),
    loadAverage: load === undefined ? null : Number(load),
    onBattery: readBattery(`${sys}/class/power_supply`),
    throttles: readThrottles(`${sys}/devices/system/cpu`),
    speedLimitPercent: null,
  };
}

function list(folder: string): string[] {
  try {
    return readdirSync(folder).sort();
  } catch {
    return [];
  }
}

function readGovernors(cpus: string): MachineFacts["governors"] {
  return parseCpuList(read(`${cpus}/online`) ?? "").flatMap((cpu) => {
    const path = `${cpus}/cpu${cpu}/cpufreq/scaling_governor`;
    const governor = read(path);
    return governor === null ? [] : [{ path, governor }];
  });
}

/** Intel's own driver says "no turbo", the others say "boost". */
function readTurbo(cpus: string): MachineFacts["turbo"] {
  const noTurbo = read(`${cpus}/intel_pstate/no_turbo`);
  if (noTurbo !== null) {
    return { on: noTurbo === "0", off: { path: `${cpus}/intel_pstate/no_turbo`, value: "1" } };
  }
  const boost = read(`${cpus}/cpufreq/boost`);
  return boost === null ? null : { on: boost === "1", off: { path: `${cpus}/cpufreq/boost`, value: "0" } };
}

function readClockSource(folder: string): MachineFacts["clockSource"] {
  const current = read(`${folder}/current_clocksource`);
  if (current === null) return null;
  return { current, available: (read(`${folder}/available_clocksource`) ?? current).split(/\s+/) };
}

/** A laptop on mains can charge, hold or even discharge a little, so the mains decide where they are told. */
function readBattery(folder: string): boolean | null {
  const supplies = list(folder).map((name) => ({
    type: read(`${folder}/${name}/type`),
    scope: read(`${folder}/${name}/scope`),
    online: read(`${folder}/${name}/online`),
    status: read(`${folder}/${name}/status`),
  }));
  // A battery of scope "Device" is a mouse's.
  const batteries = supplies.filter(({ type, scope }) => type === "Battery" && scope !== "Device");
  if (batteries.length === 0) return null;
  const mains = supplies.filter(({ type }) => type === "Mains" || type === "USB");
  if (mains.some(({ online }) => online === "1")) return false;
  return mains.length > 0 || batteries.some(({ status }) => status === "Discharging");
}

function readThrottles(cpus: string): number | null {
  const counts = list(cpus)
    .filter((name) => /^cpu\d+$/.test(name))
    .map((name) => readCount(`${cpus}/${name}/thermal_throttle/core_throttle_count`))
    .filter((count) => count !== null);
  return counts.length === 0 ? null : Math.max(...counts);
}
