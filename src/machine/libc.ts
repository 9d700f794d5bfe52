import { dlopen, FFIType } from "bun:ffi";
import { fstatSync } from "node:fs";

const { i32, u64, ptr, i64 } = FFIType;

/** What is called of the C library. Each is plain POSIX except `sched_setaffinity` (Linux). */
const posix = {
  clock_gettime: { args: [i32, ptr], returns: i32 },
  getrlimit: { args: [i32, ptr], returns: i32 },
  flock: { args: [i32, i32], returns: i32 },
  sysconf: { args: [i32], returns: i64 },
} as const;
const linux = { ...posix, sched_setaffinity: { args: [i32, u64, ptr], returns: i32 } } as const;

const names: Record<string, string[]> = {
  // glibc first, then musl under its name on x64 and arm64.
  linux: ["libc.so.6", "libc.musl-x86_64.so.1", "libc.musl-aarch64.so.1"],
  darwin: ["libSystem.B.dylib"],
};

/** These functions of the C library of `platform`; null on another, or where one of them does not exist. */
export function openLibc<const S extends Parameters<typeof dlopen>[1]>(platform: string, symbols: S) {
  for (const name of process.platform === platform ? (names[platform] ?? []) : []) {
    try {
      return dlopen(name, symbols).symbols;
    } catch {
      // The other libc, then; without any, callers fall back and say so.
    }
  }
  return null;
}

/** The Linux C library, or null elsewhere. */
export const linuxLibc = openLibc("linux", linux);

/** The C library of Linux or macOS, or null elsewhere. */
export const libc = linuxLibc ?? openLibc("darwin", posix);

const lockExclusive = 2;
const lockNonBlocking = 4;

/**
 * Takes the lock of an open file for this process, without waiting. The kernel gives it back when the file is
 * closed or the process dies however it dies, so no lock is ever stale.
 */
export function tryLockFile(descriptor: number): boolean {
  fstatSync(descriptor); // throws EBADF where flock would only return -1
  return libc === null || libc.flock(descriptor, lockExclusive | lockNonBlocking) === 0;
}
