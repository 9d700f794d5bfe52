import { openLibc } from "./libc.ts";

/** prctl(2): the signal that a process gets when its parent dies. */
const setParentDeathSignal = 1;
const sigkill = 9;

/** Lets the kernel end this process with its parent, even one that is stuck in a loop (Linux). */
export function dieWithParent(): void {
  const calls = openLibc("linux", { prctl: { args: ["i32", "u64"], returns: "i32" } });
  calls?.prctl(setParentDeathSignal, sigkill);
}
