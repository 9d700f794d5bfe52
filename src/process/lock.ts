import { closeSync, openSync } from "node:fs";
import { tryLockFile } from "../machine/libc.ts";

const pollMs = 100;

/**
 * Runs `work` while no other process holds the lock of this file. `onWait` is told once when somebody does.
 * The kernel holds the lock, not the file's existence: it ends with its process and is never stale. The file
 * stays, since deleting it could pull it away under somebody who is about to lock it.
 */
export async function withLock<T>(
  path: string,
  work: () => Promise<T>,
  { onWait, signal }: { readonly onWait?: () => void; readonly signal?: AbortSignal | undefined } = {},
): Promise<T> {
  const descriptor = openSync(path, "a");
  try {
    let isFirst = true;
    while (!tryLockFile(descriptor)) {
      if (isFirst) onWait?.();
      isFirst = false;
      await Bun.sleep(pollMs);
      signal?.throwIfAborted();
    }
    return await work();
  } finally {
    closeSync(descriptor);
  }
}
