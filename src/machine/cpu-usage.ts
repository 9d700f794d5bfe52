import { readFileSync } from "node:fs";
import { cpus as listCpus, release } from "node:os";
import { gunzipSync } from "node:zlib";
import { readText } from "./sources.ts";

/** What became of a set of CPUs' time between two moments, by whomever it was used. */
export interface CpuUsage {
  /** By processes, also by a hypervisor's other guests. Interrupts are not in it where they are no process's. */
  readonly usedMs: number;
  readonly idleMs: number;
  readonly elapsedMs: number;
  readonly cpus: number;
}

/**
 * Begins to watch CPUs, all of the machine when null.
 *
 * @returns what ends it; null where the platform does not tell
 */
export function watchCpuUsage(cpus: readonly number[] | null): () => CpuUsage | null {
  const startMs = performance.now();
  const before = readUnused();
  return () => {
    const after = readUnused();
    const elapsedMs = performance.now() - startMs;
    const ids = (cpus ?? [...after.keys()]).filter((id) => before.has(id) && after.has(id));
    if (ids.length === 0) return null;
    const grown = (part: keyof UnusedTime) =>
      ids.reduce((sum, id) => sum + (after.get(id)?.[part] ?? 0) - (before.get(id)?.[part] ?? 0), 0);
    const idleMs = grown("idleMs");
    const usedMs = elapsedMs * ids.length - idleMs - grown("interruptsMs");
    return { usedMs, idleMs, elapsedMs, cpus: ids.length };
  };
}

/** Over several stretches of time; null where one of them is unknown, or there is none. */
export function addCpuUsage(usages: readonly (CpuUsage | null)[]): CpuUsage | null {
  const known = usages.filter((usage) => usage !== null);
  const [first] = known;
  if (first === undefined || known.length < usages.length) return null;
  const sum = (part: "usedMs" | "idleMs" | "elapsedMs") => known.reduce((all, one) => all + one[part], 0);
  return { usedMs: sum("usedMs"), idleMs: sum("idleMs"), elapsedMs: sum("elapsedMs"), cpus: first.cpus };
}

/** The share of some CPUs that other processes took than those whose use is known; null where either is unknown. */
export function shareOfOthers(usage: CpuUsage | null, knownMs: number | null): number | null {
  if (usage === null || usage.elapsedMs <= 0 || knownMs === null) return null;
  return Math.round(Math.max(0, (usage.usedMs - knownMs) / (usage.elapsedMs * usage.cpus)) * 1000) / 1000;
}

/** The share of some CPUs' time in which nobody used them; null where it is unknown. */
export function shareOfIdle(usage: CpuUsage | null): number | null {
  if (usage === null || usage.elapsedMs <= 0) return null;
  return Math.round((usage.idleMs / (usage.elapsedMs * usage.cpus)) * 1000) / 1000;
}

interface UnusedTime {
  readonly idleMs: number;
  /** 0 where they are in the time of processes. */
  readonly interruptsMs: number;
}

/**
 * Since the start of the machine, by CPU.
 *
 * Not what the kernel writes down as used: that it may have sampled, once in a tick of 1 to 10 ms, and a load of 10,000
 * messages a second is in step with the ticks: a server that used 24 % of a CPU was seen using 94 %. Idle time it
 * takes by the clock.
 */
function readUnused(): Map<number, UnusedTime> {
  const unused = new Map<number, UnusedTime>();
  try {
    // cpu0 user nice system idle iowait irq softirq, in hundredths of a second: proc(5)
    const line = /^cpu(\d+) \d+ \d+ \d+ (\d+) (\d+) (\d+) (\d+)/gm;
    for (const [, id, ...hundredths] of readFileSync("/proc/stat", "latin1").matchAll(line)) {
      const [idle = 0, waiting = 0, irq = 0, softirq = 0] = hundredths.map((value) => Number(value) * 10);
      unused.set(Number(id), {
        idleMs: idle + waiting,
        interruptsMs: interruptsAreOfProcesses() ? 0 : irq + softirq,
      });
    }
  } catch {
    for (const [id, { times }] of listCpus().entries())
      unused.set(id, { idleMs: times.idle, interruptsMs: 0 });
  }
  return unused;
}

let areOfProcesses: boolean | null = null;

/**
 * Whether what a CPU spends on interrupts, the network's most of all, is in the time of the process that it was
 * taken from. Elsewhere, and where the kernel's configuration does not tell, it is not counted as used: rather too
 * little is ascribed to others than the network to them.
 */
function interruptsAreOfProcesses(): boolean {
  areOfProcesses ??= readKernelConfig().includes("# CONFIG_IRQ_TIME_ACCOUNTING is not set");
  return areOfProcesses;
}

function readKernelConfig(): string {
  try {
    return gunzipSync(readFileSync("/proc/config.gz")).toString("latin1");
  } catch {
    return readText(`/boot/config-${release()}`) ?? "";
  }
}
