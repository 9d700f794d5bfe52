import { readdirSync, readFileSync, statSync } from "node:fs";
import { readProcessCpuUs } from "../machine/clock.ts";
import { libc } from "../machine/libc.ts";
import { type ProcessStat, readProcess } from "./processes.ts";

/** A process and all its descendants at one moment. Null where the platform does not say. */
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

function read(path: string): string | null {
  try {
    return readFileSync(path, "latin1");
  } catch {
    return null; // ended between two reads
  }
}

function list(path: string): string[] {
  try {
    return readdirSync(path);
  } catch {
    return [];
  }
}

/** Children stand with the thread that started them. */
function readChildren(pid: number): number[] {
  return list(`/proc/${pid}/task`).flatMap((thread) => {
    const children = read(`/proc/${pid}/task/${thread}/children`)?.trim();
    return children === undefined || children === "" ? [] : children.split(" ").map(Number);
  });
}

function readTree(root: number): ProcessStat[] {
  const found: ProcessStat[] = [];
  const open = [root];
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
  const kilobytes = /^VmRSS:\s*(\d+) kB/m.exec(read(`/proc/${pid}/status`) ?? "")?.[1];
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
  const soft = /^Max open files\s+(\d+)/m.exec(read(`/proc/${pid}/limits`) ?? "")?.[1];
  return soft === undefined ? null : Number(soft);
}

function ticksToMs(ticks: number): number {
  return (ticks * 1000) / ticksPerSecond;
}

class LinuxProbe implements Probe {
  readonly #root: number;
  #lostMs = 0;
  #lastMs = 0;

  constructor(root: number) {
    this.#root = root;
  }

  async sample(): Promise<ProbeSample> {
    const tree = readTree(this.#root);
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
    // A process that ended without being waited for by a process of the tree takes its time with it.
    if (cpuMs < this.#lastMs) this.#lostMs += this.#lastMs - cpuMs;
    this.#lastMs = cpuMs;
    return {
      cpuMs: cpuMs + this.#lostMs,
      rssBytes,
      processes: tree.filter(({ state }) => state !== "Z").length,
      openDescriptors,
      descriptorLimit: openDescriptors === null ? null : readDescriptorLimit(holder),
      reason: null,
    };
  }
}

/** Reads `[[days-]hours:]minutes:seconds[.fraction]`, as ps writes processor time. */
function parseTimeMs(text: string): number {
  const [rest = "", days = "0"] = text.split("-").reverse();
  const seconds = rest.split(":").reduce((total, part) => total * 60 + Number(part), 0);
  return (Number(days) * 86_400 + seconds) * 1000;
}

function unknown(reason: string): ProbeSample {
  const nothing = {
    cpuMs: null,
    rssBytes: null,
    processes: null,
    openDescriptors: null,
    descriptorLimit: null,
  };
  return { ...nothing, reason };
}

/** Asks `ps`, which costs a process per sample and knows no children that have ended. For macOS. */
class PsProbe implements Probe {
  readonly #root: number;
  #lostMs = 0;
  #lastMs = 0;

  constructor(root: number) {
    this.#root = root;
  }

  async sample(): Promise<ProbeSample> {
    let text: string;
    try {
      const ps = Bun.spawn(["ps", "-A", "-o", "pid=,ppid=,rss=,time="], {
        stdin: "ignore",
        stderr: "ignore",
      });
      text = await new Response(ps.stdout).text();
    } catch (error) {
      return unknown(`no /proc on ${process.platform}, and ps failed: ${(error as Error).message}`);
    }
    const rows = text
      .split("\n")
      .map((line) => line.trim().split(/\s+/))
      .filter((row) => row.length === 4);
    const tree = new Set([this.#root]);
    // Parents may stand below their children, so until nothing is added any more.
    for (let size = 0; size !== tree.size; ) {
      size = tree.size;
      for (const [pid, parent] of rows) if (tree.has(Number(parent))) tree.add(Number(pid));
    }
    const members = rows.filter(([pid]) => tree.has(Number(pid)));
    const cpuMs = members.reduce((sum, row) => sum + parseTimeMs(row[3] ?? ""), 0);
    if (cpuMs < this.#lastMs) this.#lostMs += this.#lastMs - cpuMs;
    this.#lastMs = cpuMs;
    return {
      cpuMs: cpuMs + this.#lostMs,
      rssBytes: members.reduce((sum, row) => sum + Number(row[2]) * 1024, 0),
      processes: members.length,
      openDescriptors: null,
      descriptorLimit: null,
      reason: "ps does not tell open descriptors",
    };
  }
}

/** Where the figures come from: `/proc` on Linux, `ps` where that is all there is. */
export type ProbeSource = "proc" | "ps" | "none";

export function findProbeSource(): ProbeSource {
  if (process.platform === "linux" && read("/proc/self/stat") !== null) return "proc";
  return Bun.which("ps") === null ? "none" : "ps";
}

/**
 * Watches a process and its descendants. A sample of a small tree costs a tenth of a millisecond on Linux
 * (`bench/probe.ts`), so four a second do not disturb what they measure. CPU time of living processes is exact on Linux; that of
 * children that have ended, and everything on macOS, comes in steps of 10 ms.
 */
export function createProbe(pid: number, source: ProbeSource = findProbeSource()): Probe {
  if (source === "proc") return new LinuxProbe(pid);
  if (source === "ps") return new PsProbe(pid);
  return { sample: async () => unknown(`neither /proc nor ps on ${process.platform}`) };
}
