import { readdirSync, statSync } from "node:fs";
import { readProcessCpuUs } from "../machine/clock.ts";
import { libc } from "../machine/libc.ts";
import { listFolder, readOutput, readText } from "../machine/sources.ts";
import { type ProcessStat, readProcess } from "./processes.ts";

/** Processes and all their descendants at one moment. Null where the platform does not say. */
export interface ProbeSample {
  /** User and system time since each process began, with that of children that have ended. Never falls. */
  readonly cpuMs: number | null;
  /** The two parts of the same time, in steps of 10 ms, as the kernel's clock tick finds the process. Never fall. */
  readonly userMs: number | null;
  readonly systemMs: number | null;
  /** Resident memory. Pages that processes share are counted in each of them. */
  readonly rssBytes: number | null;
  readonly processes: number | null;
  /** Of the process that holds most, and its own soft limit, since the limit is per process. */
  readonly openDescriptors: number | null;
  readonly descriptorLimit: number | null;
}

export interface Probe {
  sample(): Promise<ProbeSample>;
  /** How often each living thread has given up its CPU; null where the platform does not say. A file for each thread. */
  switches(): ThreadSwitches | null;
  /** Reads the resident memory of the processes that live now, and of no later ones: a file for each, 10 µs. */
  followRss(): () => number | null;
}

/** Of a thread since it began: switches because it waited for something, and because others wanted the CPU. */
interface ContextSwitches {
  readonly voluntary: number;
  readonly involuntary: number;
}

/** By thread id. */
export type ThreadSwitches = ReadonlyMap<number, ContextSwitches>;

/** Of all threads that live at the end; those that have ended by then took their counts with them. */
export function countSwitches(before: ThreadSwitches, after: ThreadSwitches): ContextSwitches {
  let [voluntary, involuntary] = [0, 0];
  for (const [thread, counts] of after) {
    voluntary += counts.voluntary - (before.get(thread)?.voluntary ?? 0);
    involuntary += counts.involuntary - (before.get(thread)?.involuntary ?? 0);
  }
  return { voluntary, involuntary };
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

function readSwitches(roots: readonly number[]): ThreadSwitches {
  const threads = readTree(roots).flatMap(({ pid }) =>
    listFolder(`/proc/${pid}/task`).map((thread): [number, ContextSwitches] => {
      const status = readText(`/proc/${pid}/task/${thread}/status`) ?? "";
      const count = (name: string) =>
        Number(new RegExp(`^${name}_ctxt_switches:\\s*(\\d+)`, "m").exec(status)?.[1] ?? 0);
      return [Number(thread), { voluntary: count("voluntary"), involuntary: count("nonvoluntary") }];
    }),
  );
  return new Map(threads);
}

function ticksToMs(ticks: number): number {
  return (ticks * 1000) / ticksPerSecond;
}

function readProc(roots: readonly number[]): ProbeSample {
  const tree = readTree(roots);
  let cpuMs = 0;
  let userTicks = 0;
  let systemTicks = 0;
  let rssBytes = 0;
  let openDescriptors: number | null = null;
  let holder = 0;
  for (const stat of tree) {
    const { pid, ownTicks, reapedTicks } = stat;
    const ownUs = readProcessCpuUs(pid);
    userTicks += stat.userTicks;
    systemTicks += stat.systemTicks;
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
    userMs: ticksToMs(userTicks),
    systemMs: ticksToMs(systemTicks),
    rssBytes,
    processes: tree.filter(({ state }) => state !== "Z").length,
    openDescriptors,
    descriptorLimit: openDescriptors === null ? null : readDescriptorLimit(holder),
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

const nothing: ProbeSample = {
  cpuMs: null,
  userMs: null,
  systemMs: null,
  rssBytes: null,
  processes: null,
  openDescriptors: null,
  descriptorLimit: null,
};

/** Costs a process per sample and knows no children that have ended. For macOS. */
async function readPs(roots: readonly number[]): Promise<ProbeSample> {
  const printed = await readOutput(psCommand);
  if (printed === null) return nothing;
  const members = pickTree(roots, printed);
  const sum = (pick: (row: PsRow) => number) => members.reduce((total, row) => total + pick(row), 0);
  return {
    ...nothing,
    cpuMs: sum(({ cpuMs }) => cpuMs),
    rssBytes: sum(({ rssBytes }) => rssBytes),
    processes: members.length,
  };
}

/** These processes and all their descendants. */
export function listTree(roots: readonly number[], source: ProbeSource = findProbeSource()): number[] {
  if (source === "proc") return readTree(roots).map(({ pid }) => pid);
  if (source === "none") return [...roots];
  const { stdout } = Bun.spawnSync(psCommand, { stdin: "ignore", stderr: "ignore" });
  return pickTree(roots, stdout.toString()).map(({ pid }) => pid);
}

/** Where the figures come from: `/proc` on Linux, `ps` where that is all there is. */
type ProbeSource = "proc" | "ps" | "none";

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
  const read = { proc: readProc, ps: readPs, none: () => nothing };
  const [cpuMs, userMs, systemMs] = [keepGrowing(), keepGrowing(), keepGrowing()];
  return {
    sample: async () => {
      const reading = await read[source](roots);
      return {
        ...reading,
        cpuMs: cpuMs(reading.cpuMs),
        userMs: userMs(reading.userMs),
        systemMs: systemMs(reading.systemMs),
      };
    },
    switches: () => (source === "proc" ? readSwitches(roots) : null),
    followRss: () => {
      if (source !== "proc") return () => null;
      const pids = readTree(roots).map(({ pid }) => pid);
      return () => pids.reduce((sum, pid) => sum + readRssBytes(pid), 0);
    },
  };
}

/** A process that ended without being waited for by a process of the tree takes its time with it. */
function keepGrowing(): (value: number | null) => number | null {
  let lost = 0;
  let last = 0;
  return (value) => {
    if (value === null) return null;
    if (value < last) lost += last - value;
    last = value;
    return value + lost;
  };
}
