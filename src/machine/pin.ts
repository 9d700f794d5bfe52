import { ptr } from "bun:ffi";
import { existsSync, readdirSync, readFileSync } from "node:fs";
import { formatCpuList, parseCpuList } from "./cpus.ts";
import { linuxLibc } from "./libc.ts";

export type PinResult =
  | { readonly pinned: true; readonly cpus: readonly number[] }
  | { readonly pinned: false; readonly reason: string };

/** A kernel CPU mask: bit n of a little-endian bit field, rounded up to whole 64-bit words. */
function cpuMask(cpus: readonly number[]): Uint8Array {
  const words = Math.floor(Math.max(...cpus) / 64) + 1;
  const mask = new Uint8Array(new ArrayBuffer(words * 8));
  for (const cpu of cpus) mask[cpu >> 3] = (mask[cpu >> 3] ?? 0) | (1 << (cpu & 7));
  return mask;
}

function allowedCpus(task: string): number[] {
  const status = readFileSync(`/proc/self/task/${task}/status`, "utf8");
  return parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "");
}

/**
 * Pins the calling process, all its threads, to these CPUs; threads it starts later inherit that. An affinity
 * belongs to a thread, so pinning only the calling one would leave the garbage collector and the compiler on
 * the server's CPUs.
 */
export function pinProcess(cpus: readonly number[]): PinResult {
  const list = formatCpuList(cpus);
  const bad = cpus.find((cpu) => !Number.isSafeInteger(cpu) || cpu < 0 || cpu > 65_535);
  if (cpus.length === 0 || bad !== undefined) {
    return { pinned: false, reason: `cannot pin to CPUs "${cpus.join(",")}": expected CPU numbers from 0` };
  }
  if (linuxLibc === null) {
    return { pinned: false, reason: `cannot pin to CPUs ${list}: not possible on ${process.platform}` };
  }
  const mask = cpuMask(cpus);
  const maskPointer = ptr(mask);
  const wanted = [...new Set(cpus)].length;
  // Twice: a thread started by one that had not been reached yet in the first pass has the old mask.
  for (let pass = 0; pass < 2; pass++) {
    for (const task of readdirSync("/proc/self/task")) {
      if (linuxLibc.sched_setaffinity(Number(task), mask.byteLength, maskPointer) === 0) continue;
      if (!existsSync(`/proc/self/task/${task}`)) continue; // ended meanwhile
      const allowed = formatCpuList(allowedCpus(`${process.pid}`));
      return {
        pinned: false,
        reason: `cannot pin to CPUs ${list}: refused by the kernel (allowed: ${allowed})`,
      };
    }
  }
  // The kernel takes a mask of which only a part is allowed, and uses that part.
  const got = allowedCpus(`${process.pid}`);
  if (got.length !== wanted) {
    return { pinned: false, reason: `cannot pin to CPUs ${list}: only ${formatCpuList(got)} may be used` };
  }
  return { pinned: true, cpus: got };
}
