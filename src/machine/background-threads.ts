import { FFIType } from "bun:ffi";
import { readdirSync } from "node:fs";
import { openLibc } from "./libc.ts";

const { i32, ptr } = FFIType;
const calls = openLibc("linux", { sched_setscheduler: { args: [i32, i32, ptr], returns: i32 } });
const schedIdle = 5;
/** struct sched_param { int sched_priority }; 0 is the only one this policy has. */
const parameters = new Int32Array(new ArrayBuffer(4));

/**
 * Lets every thread of this process but the main one, where JavaScript runs, have only what the others leave of a
 * processor (SCHED_IDLE, sched(7)). For a process that spins on one processor: its own compiler and garbage
 * collector would otherwise take turns with it, milliseconds at a time. When JavaScript waits for them they run at
 * once. Threads started later are not included: it can be called again. Does nothing but on Linux.
 */
export function demoteBackgroundThreads(): void {
  if (calls === null) return;
  for (const task of readdirSync("/proc/self/task")) {
    // One that has ended meanwhile, or may not be changed, stays as it is.
    if (Number(task) !== process.pid) calls.sched_setscheduler(Number(task), schedIdle, parameters);
  }
}
