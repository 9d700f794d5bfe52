import { closeSync, openSync } from "node:fs";
import { tryLockFile } from "../machine/libc.ts";
import { throwIfAborted } from "./abort.ts";

const pollMs = 100;

/**
 * Runs `work` while no other process holds the lock of this file. `onWait` is told once when somebody does.
 * The kernel holds the lock, not the file's existence: it ends with its process and is never stale. The file
 * stays, since deleting it could pull it away under somebody who is about to lock it. Where it cannot be opened, as on
 * a read-only file system, the work goes on unlocked.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { onWait, signal }: { readonly onWait?: () => void; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const descriptor = open(path);
  if (descriptor === null) return work();
  try {
    let isFirst = true;
    while (!tryLockFile(descriptor)) {
      if (isFirst) onWait?.();
      isFirst = false;
      await Bun.sleep(pollMs);
      throwIfAborted(signal);
    }
    return await work();
  } finally {
    closeSync(descriptor);
  }
}

function open(path: string): number | null {
  try {
    return openSync(path, "a");
  } catch {
    return null;
  }
}
