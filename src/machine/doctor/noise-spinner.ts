// A process of its own, since pinning belongs to a process: spins on one CPU and prints what it missed.
import { nowUs } from "../clock.ts";
import { pinProcess } from "../pin.ts";
import { createWindows, summarizeWindows } from "./noise-windows.ts";

function spin(forMs: number) {
  const windows = createWindows(forMs);
  const startUs = nowUs();
  const endUs = startUs + forMs * 1000;
  for (let before = startUs; before < endUs; ) {
    const now = nowUs();
    windows.add(now - startUs, now - before);
    before = now;
  }
  return windows;
}

/** @param cpu its number, or `any` */
export function spinOn(cpu: string, durationMs: number): void {
  const pinned = cpu !== "any" && pinProcess([Number(cpu)]) === null;
  // The compiler runs beside the first loops, on the same CPU.
  for (let round = 0; round < 4; round += 1) spin(15);
  Bun.gc(true);
  process.stdout.write(JSON.stringify({ ...summarizeWindows(spin(durationMs)), pinned }));
}
