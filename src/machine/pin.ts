import { ptr } from "bun:ffi";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { formatCpuList, parseCpuList } from "../text/cpu-list.ts";
import { linuxLibc } from "./libc.ts";

/** A kernel CPU mask: bit n of a little-endian bit field, rounded up to whole 64-bit words. */
function cpuMask(cpus: readonly number[]): Uint8Array {
  const words = Math.floor(Math.max(...cpus) / 64) + 1;
  const mask = new Uint8Array(new ArrayBuffer(words * 8));
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return mask;
}

function allowedCpus(): number[] {
  const status = readFileSync("/proc/self/status", "utf8");
  return parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "");
}

/**
 * Pins the calling process, all its threads, to these CPUs; threads it starts later inherit that. An affinity
 * belongs to a thread, so pinning only the calling one would leave the garbage collector and the compiler on
 * the server's CPUs.
 *
 * @returns why it can't be pinned; null when it is
 */
export function pinProcess(cpus: readonly number[]): string | null {
  const failed = (why: string) => `cannot pin to CPUs ${formatCpuList(cpus)}: ${why}`;
  if (cpus.length === 0 || cpus.some((cpu) => !Number.isSafeInteger(cpu) || cpu < 0 || cpu > 65_535)) {
    return `cannot pin to CPUs "${cpus.join(",")}": expected CPU numbers from 0`;
  }
  if (linuxLibc === null) return failed(`not possible on ${process.platform}`);
  const mask = cpuMask(cpus);
  const maskPointer = ptr(mask);
  // Twice: a thread started by one that had not been reached yet in the first pass has the old mask.
  for (let pass = 0; pass < 2; pass++) {
    for (const task of readdirSync("/proc/self/task")) {
      if (linuxLibc.sched_setaffinity(Number(task), mask.byteLength, maskPointer) === 0) continue;
      if (!existsSync(`/proc/self/task/${task}`)) continue; // ended meanwhile
      return failed(`refused by the kernel (allowed: ${formatCpuList(allowedCpus())})`);
    }
  }
  // The kernel takes a mask of which only a part is allowed, and uses that part.
  const got = allowedCpus();
  return got.length === new Set(cpus).size ? null : failed(`only ${formatCpuList(got)} may be used`);
}
