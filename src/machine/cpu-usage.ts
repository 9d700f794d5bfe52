import { readFileSync } from "node:fs";
import { cpus as listCpus } from "node:os";

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

/** Interrupts are left out: the network's are of whoever sends and receives. */
function readUsedMs(): Map<number, number> {
  const used = new Map<number, number>();
  try {
    // cpu0 user nice system idle iowait irq softirq steal, in hundredths of a second: proc(5)
    const line = /^cpu(\d+) (\d+) (\d+) (\d+) \d+ \d+ \d+ \d+ (\d+)/gm;
    for (const [, id, ...ticks] of readFileSync("/proc/stat", "latin1").matchAll(line)) {
      used.set(
        Number(id),
        ticks.reduce((sum, value) => sum + Number(value) * 10, 0),
      );
    }
  } catch {
    for (const [id, { times }] of listCpus().entries()) used.set(id, times.user + times.nice + times.sys);
  }
  return used;
}
