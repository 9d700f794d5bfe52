import { FFIType } from "bun:ffi";
import { readdirSync } from "node:fs";
import { getPriority } from "node:os";
import { openLibc } from "./libc.ts";

const { i32, ptr } = FFIType;
const calls = openLibc("linux", {
  sched_setscheduler: { args: [i32, i32, ptr], returns: i32 },
  setpriority: { args: [i32, i32, i32], returns: i32 },
});
const schedOther = 0;
const schedIdle = 5;
/** struct sched_param { int sched_priority }; 0 is the only one this policy has. */
const parameters = new Int32Array(new ArrayBuffer(4));
/** Of one thread, by its number: setpriority(2), NOTES. */
const ofThread = 0;
const highestPriority = -20;
const usualPriority = getPriority();

/**
 * For a process that spins on a CPU core of its own: the main thread, where JavaScript runs, comes before all others.
 *
 * The others, the compiler's and the garbage collector's, have what it leaves (SCHED_IDLE, sched(7)). That alone is
 * not enough: what they are owed, 0.3 %, Linux gives them at once, 4 ms every second or so (p99.9 of the send lag was
 * 2.5 to 3.4 ms). So the main thread's own priority is raised too, where that is permitted (root, CAP_SYS_NICE,
 * RLIMIT_NICE): 0.5 ms, and a p99 of 20 µs instead of 30 to 90, on a virtual machine with two CPU cores (showdown run
 * bun-native --phases connect,endurance-echo --endurance-rate 50000 --endurance-seconds 5, several times each).
 *
 * When JavaScript waits for the other threads they run at once, unless another process wants that core: then it
 * may stand still for seconds (which makes a phase invalid, see src/trust/validity.ts). Threads started later are not
 * included: it can be called again. Does nothing but on Linux.
 *
 * @param isPreferred false: all threads as they were
 */
export function preferMainThread(isPreferred: boolean): void {
  if (calls === null) return;
  calls.setpriority(ofThread, process.pid, isPreferred ? highestPriority : usualPriority);
  const policy = isPreferred ? schedIdle : schedOther;
  for (const task of readdirSync("/proc/self/task")) {
    // One that has ended meanwhile, or may not be changed, stays as it is.
    if (Number(task) !== process.pid) calls.sched_setscheduler(Number(task), policy, parameters);
  }
}

/**
 * For a process that has to be heard of while others spin on its CPU cores, as above: all its threads are as high as
 * what spins. Otherwise they have 1 % of what spins, and four that spin held a timer up for 0.5 s.
 *
 * Whatever it starts meanwhile would inherit that. Does nothing but on Linux, nor where it is not permitted.
 *
 * @param isPreferred false: all threads as they were
 */
export function preferAllThreads(isPreferred: boolean): void {
  if (calls === null) return;
  const priority = isPreferred ? highestPriority : usualPriority;
  for (const task of readdirSync("/proc/self/task")) calls.setpriority(ofThread, Number(task), priority);
}
