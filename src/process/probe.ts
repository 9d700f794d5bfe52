import { readdirSync, statSync } from "node:fs";
import { readProcessCpuUs } from "../machine/clock.ts";
import { libc } from "../machine/libc.ts";
import { listFolder, readText } from "../machine/sources.ts";
import { type ProcessStat, readProcess } from "./processes.ts";

/** Processes and all their descendants at one moment. Null where the platform does not say. */
export interface ProbeSample {
  /** User and system time since each process began, with that of children that have ended. Never falls. */
  readonly cpuMs: number | null;
  /** Resident memory. Pages that processes share are counted in each of them. */
  readonly rssBytes: number | null;
  readonly processes: number | null;
  /** Of the process that holds most, and its own soft limit, since the limit is per process. */
  readonly openDescriptors: number | null;
  readonly descriptorLimit: number | null;
  /** Why a figure is null. */
  readonly reason: string | null;
}

export interface Probe {
  sample(): Promise<ProbeSample>;
}

const sysconfClockTicks = process.platform === "darwin" ? 3 : 2;
const ticksPerSecond = Number(libc?.sysconf(sysconfClockTicks) ?? 100);

/** Children stand with the thread that started them. */
function readChildren(pid: number): number[] {
  return listFolder(`/proc/${pid}/task`).flatMap((thread) => {
    const children = readText(`/proc/${pid}/task/${thread}/children`);
    return children === null ? [] : children.split(" ").map(Number);
  });
}

function readTree(roots: readonly number[]): ProcessStat[] {
  const found: ProcessStat[] = [];
  const open = [...roots];
  for (let pid = open.pop(); pid !== undefined; pid = open.pop()) {
    const stat = readProcess(pid);
    // A zombie has given its memory back, but its time has not reached its parent yet.
    if (stat === null) continue;
    found.push(stat);
    open.push(...readChildren(pid));
  }
  return found;
}

/** `VmRSS` rather than the figure in `stat`, which recent kernels keep only roughly per CPU. */
function readRssBytes(pid: number): number {
  const kilobytes = /^VmRSS:\s*(\d+) kB/m.exec(readText(`/proc/${pid}/status`) ?? "")?.[1];
  return Number(kilobytes ?? 0) * 1024;
}

/** Since Linux 6.2 the size of the folder is the number of entries; before it was 0, and they have to be listed. */
function countDescriptors(pid: number): number | null {
  try {
    const { size } = statSync(`/proc/${pid}/fd`);
    return size > 0 ? size : readdirSync(`/proc/${pid}/fd`).length;
  } catch {
    return null; // ended, or another user's
  }
}

function readDescriptorLimit(pid: number): number | null {
  const soft = /^Max open files\s+(\d+)/m.exec(readText(`/proc/${pid}/limits`) ?? "")?.[1];
  return soft === undefined ? null : Number(soft);
}

function ticksToMs(ticks: number): number {
  return (ticks * 1000) / ticksPerSecond;
}

function readProc(roots: readonly number[]): ProbeSample {
  const tree = readTree(roots);
  let cpuMs = 0;
  let rssBytes = 0;
  let openDescriptors: number | null = null;
  let holder = 0;
  for (const { pid, ownTicks, reapedTicks } of tree) {
    const ownUs = readProcessCpuUs(pid);
    cpuMs += ownUs === null ? ticksToMs(ownTicks) : ownUs / 1000;
    cpuMs += ticksToMs(reapedTicks);
    rssBytes += readRssBytes(pid);
    const descriptors = countDescriptors(pid);
    if (descriptors !== null && descriptors > (openDescriptors ?? -1)) {
      openDescriptors = descriptors;
      holder = pid;
    }
  }
  return {
    cpuMs,
    rssBytes,
    processes: tree.filter(({ state }) => state !== "Z").length,
    openDescriptors,
    descriptorLimit: openDescriptors === null ? null : readDescriptorLimit(holder),
    reason: null,
  };
}

interface PsRow {
  readonly pid: number;
  readonly parent: number;
  readonly rssBytes: number;
  readonly cpuMs: number;
}

/** Reads `[[days-]hours:]minutes:seconds[.fraction]`, as ps writes CPU time. */
function parseTimeMs(text: string): number {
  const [rest = "", days = "0"] = text.split("-").reverse();
  const seconds = rest.split(":").reduce((total, part) => total * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}

/** Rows of `ps -A -o pid=,ppid=,rss=,time=` that belong to these processes and their descendants. */
function pickTree(roots: readonly number[], printed: string): PsRow[] {
  const rows = printed
    .split("\n")
    .map((line) => line.trim().split(/\s+/))
    .filter((row) => row.length === 4)
    .map(([pid, parent, kilobytes, time = ""]) => ({
      pid: Number(pid),
      parent: Number(parent),
      rssBytes: Number(kilobytes) * 1024,
      cpuMs: parseTimeMs(time),
    }));
  const tree = new Set(roots);
  // Parents may stand below their children, so until nothing is added any more.
  for (let size = 0; size !== tree.size; ) {
    size = tree.size;
    for (const { pid, parent } of rows) if (tree.has(parent)) tree.add(pid);
  }
  return rows.filter(({ pid }) => tree.has(pid));
}

const psCommand = ["ps", "-A", "-o", "pid=,ppid=,rss=,time="];

/** Costs a process per sample and knows no children that have ended. For macOS. */
async function readPs(roots: readonly number[]): Promise<ProbeSample> {
  let printed: string;
  try {
    const ps = Bun.spawn(psCommand, { stdin: "ignore", stderr: "ignore" });
    printed = await new Response(ps.stdout).text();
  } catch (error) {
    return unknown(`no /proc on ${process.platform}, and ps failed: ${(error as Error).message}`);
  }
  const members = pickTree(roots, printed);
  const sum = (pick: (row: PsRow) => number) => members.reduce((total, row) => total + pick(row), 0);
  return {
    cpuMs: sum(({ cpuMs }) => cpuMs),
    rssBytes: sum(({ rssBytes }) => rssBytes),
    processes: members.length,
    openDescriptors: null,
    descriptorLimit: null,
    reason: "ps does not tell open descriptors",
  };
}

function unknown(reason: string): ProbeSample {
  const nothing = { cpuMs: null, rssBytes: null, processes: null };
  return { ...nothing, openDescriptors: null, descriptorLimit: null, reason };
}

/** These processes and all their descendants. */
export function listTree(roots: readonly number[], source: ProbeSource = findProbeSource()): number[] {
  if (source === "proc") return readTree(roots).map(({ pid }) => pid);
  if (source === "none") return [...roots];
  const { stdout } = Bun.spawnSync(psCommand, { stdin: "ignore", stderr: "ignore" });
  return pickTree(roots, stdout.toString()).map(({ pid }) => pid);
}

/** Where the figures come from: `/proc` on Linux, `ps` where that is all there is. */
export type ProbeSource = "proc" | "ps" | "none";

export function findProbeSource(): ProbeSource {
  if (process.platform === "linux" && readText("/proc/self/stat") !== null) return "proc";
  return Bun.which("ps") === null ? "none" : "ps";
}

/**
 * Watches processes and their descendants. A sample of a small tree costs a tenth of a millisecond on Linux
 * (`bench/probe.ts`), so four a second do not disturb what they measure. CPU time of living processes is exact on
 * Linux; that of children that have ended, and everything on macOS, comes in steps of 10 ms.
 */
export function createProbe(roots: readonly number[], source: ProbeSource = findProbeSource()): Probe {
  const read = {
    proc: readProc,
    ps: readPs,
    none: async () => unknown(`neither /proc nor ps on ${process.platform}`),
  };
  let lostMs = 0;
  let lastMs = 0;
  return {
    sample: async () => {
      const reading = await read[source](roots);
      if (reading.cpuMs === null) return reading;
      // A process that ended without being waited for by a process of the tree takes its time with it.
      if (reading.cpuMs < lastMs) lostMs += lastMs - reading.cpuMs;
      lastMs = reading.cpuMs;
      return { ...reading, cpuMs: reading.cpuMs + lostMs };
    },
  };
}
