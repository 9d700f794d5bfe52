import { ptr } from "bun:ffi";
import { libc } from "./libc.ts";

/**
 * CLOCK_MONOTONIC on Linux; on macOS CLOCK_UPTIME_RAW, the one clock there that nothing ever adjusts.
 * Both have the same origin for every process of the machine. In Bun `performance.now()`,
 * `process.hrtime()` and `Bun.nanoseconds()` all count from the start of their own process, so none of them
 * can be compared between processes; `Date.now()` can jump.
 */
const clockId = process.platform === "darwin" ? 8 : 1;

// struct timespec { time_t sec; long nsec }, both 64 bits and little-endian on every platform Bun runs on.
// The low halves are enough: 32 bits of seconds are 136 years of uptime. Reading them as 32-bit numbers
// avoids a BigInt per call. The explicit ArrayBuffer matters: a small typed array made without one lives in
// the garbage-collected heap and moves, and the kernel would go on writing where it used to be.
const timespec = new Uint32Array(new ArrayBuffer(16));
const timespecPointer = ptr(timespec);

/** CLOCK_REALTIME, everywhere. */
const wallClockId = 0;
/** To read two clocks at one moment, on a machine whose CPUs are busy. */
const mostAttempts = 4;

function createClock(): () => number {
  const clockGettime = libc?.clock_gettime;
  if (clockGettime !== undefined && clockGettime(clockId, timespecPointer) === 0) {
    return () => {
      clockGettime(clockId, timespecPointer);
      return (timespec[0] as number) * 1e6 + (timespec[2] as number) / 1e3;
    };
  }
  // Wall-clock time of this process's start, plus a monotonic clock since then. Good to about a millisecond
  // between processes, as long as nobody sets the clock between their starts.
  return () => (performance.timeOrigin + performance.now()) * 1e3;
}

/**
 * Monotonic time in microseconds (with a fraction; the clock ticks in nanoseconds), comparable between all
 * processes of the machine. 30 to 40 ns a call and no allocation, as `performance.now()` (`bench/clock.ts`).
 * Only differences mean anything.
 */
export const nowUs = createClock();

/**
 * How far the wall clock, in microseconds of the Unix epoch, is ahead of `nowUs`: for times that the system tells by
 * that clock. It changes when somebody sets it. Good to a microsecond, also where this process loses its CPU between
 * two readings; the C library must be there.
 */
export function wallAheadUs(): number {
  for (let attempt = 1; ; attempt += 1) {
    const beforeUs = nowUs();
    libc?.clock_gettime(wallClockId, timespecPointer);
    const wallUs = (timespec[0] as number) * 1e6 + (timespec[2] as number) / 1e3;
    const afterUs = nowUs();
    if (afterUs - beforeUs < 2 || attempt === mostAttempts) return wallUs - (beforeUs + afterUs) / 2;
  }
}

/**
 * User and system time of a process, all its threads that have ended included, in microseconds; null when there
 * is no such process or no such clock. Linux: the clock id of a process is made as the kernel's
 * `MAKE_PROCESS_CPUCLOCK(pid, CPUCLOCK_SCHED)`. Exact to nanoseconds, where /proc counts in ticks of 10 ms: a
 * burst that lasts 20 ms would be two of them.
 */
export function readProcessCpuUs(pid: number): number | null {
  if (process.platform !== "linux" || libc === null) return null;
  const processClock = (~pid << 3) | 2;
  if (libc.clock_gettime(processClock, timespecPointer) !== 0) return null;
  return (timespec[0] as number) * 1e6 + (timespec[2] as number) / 1e3;
}
