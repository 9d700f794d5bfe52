import { readFileSync } from "node:fs";
import { cpus as listCpus, release } from "node:os";
import { gunzipSync } from "node:zlib";

/** Processor time used between two moments on a set of CPUs, by whomever. */
export interface CpuUsage {
  /** User and system time, and what a hypervisor gave to other guests instead. In steps of 10 ms on Linux. */
  readonly usedMs: number;
  readonly elapsedMs: number;
  readonly processors: number;
}

/**
 * Begins to watch CPUs, all of the machine when null.
 *
 * @returns what ends it; null where the platform does not tell
 */
export function watchCpuUsage(cpus: readonly number[] | null): () => CpuUsage | null {
  const startMs = performance.now();
  const before = readUsedMs();
  return () => {
    const after = readUsedMs();
    const ids = (cpus ?? [...after.keys()]).filter((id) => before.has(id) && after.has(id));
    if (ids.length === 0) return null;
    const usedMs = ids.reduce((sum, id) => sum + (after.get(id) ?? 0) - (before.get(id) ?? 0), 0);
    return { usedMs, elapsedMs: performance.now() - startMs, processors: ids.length };
  };
}

/** The share of some processors that others took than those whose use is known; null where either is unknown. */
export function shareOfOthers(usage: CpuUsage | null, knownMs: number | null): number | null {
  if (usage === null || usage.elapsedMs <= 0 || knownMs === null) return null;
  return (
    Math.round(Math.max(0, (usage.usedMs - knownMs) / (usage.elapsedMs * usage.processors)) * 1000) / 1000
  );
}

function readUsedMs(): Map<number, number> {
  const used = new Map<number, number>();
  try {
    // cpu0 user nice system idle iowait irq softirq steal, in hundredths of a second: proc(5)
    const line = /^cpu(\d+) (\d+) (\d+) (\d+) \d+ \d+ (\d+) (\d+) (\d+)/gm;
    for (const [, id, ...ticks] of readFileSync("/proc/stat", "latin1").matchAll(line)) {
      const [user = 0, nice = 0, system = 0, irq = 0, softirq = 0, steal = 0] = ticks.map(
        (value) => Number(value) * 10,
      );
      used.set(Number(id), user + nice + system + steal + (interruptsAreOfProcesses() ? irq + softirq : 0));
    }
  } catch {
    for (const [id, { times }] of listCpus().entries()) used.set(id, times.user + times.nice + times.sys);
  }
  return used;
}

let areOfProcesses: boolean | null = null;

/**
 * Whether what a processor spends on interrupts, the network's most of all, is in the time of the process that it was
 * taken from. Then it has to be in what was used too, or others would seem to have taken less. Where the kernel's
 * configuration does not tell it is left out: rather too little is ascribed to others than the network to them.
 */
function interruptsAreOfProcesses(): boolean {
  areOfProcesses ??= readKernelConfig().includes("# CONFIG_IRQ_TIME_ACCOUNTING is not set");
  return areOfProcesses;
}

function readKernelConfig(): string {
  try {
    return gunzipSync(readFileSync("/proc/config.gz")).toString("latin1");
  } catch {
    try {
      return readFileSync(`/boot/config-${release()}`, "latin1");
    } catch {
      return "";
    }
  }
}
