import { expect, test } from "bun:test";
import { startHog } from "../../test/support/machine-probe.ts";
import { nowUs, readProcessCpuUs } from "./clock.ts";
import { addCpuUsage, shareOfIdle, shareOfOthers, watchCpuUsage } from "./cpu-usage.ts";

const isLinux = process.platform === "linux";

test("what others took is what was used without those who are known", () => {
  const usage = { usedMs: 1500, idleMs: 500, elapsedMs: 1000, cpus: 2 };
  expect(shareOfOthers(usage, 500)).toBe(0.5);
  expect(shareOfOthers(usage, 1500)).toBe(0);
  // By clocks that differ a little.
  expect(shareOfOthers(usage, 1510)).toBe(0);
  expect(shareOfOthers(usage, null)).toBeNull();
  expect(shareOfOthers(null, 500)).toBeNull();
  expect(shareOfIdle(usage)).toBe(0.25);
  expect(shareOfIdle(null)).toBeNull();
});

test("several stretches of time are one, and what is unknown of one is unknown of all", () => {
  const usage = { usedMs: 1500, idleMs: 500, elapsedMs: 1000, cpus: 2 };
  const both = addCpuUsage([usage, { ...usage, usedMs: 500, idleMs: 1500 }]);
  expect(both).toEqual({ usedMs: 2000, idleMs: 2000, elapsedMs: 2000, cpus: 2 });
  expect(shareOfIdle(both)).toBe(0.5);
  expect(addCpuUsage([usage, null])).toBeNull();
  expect(addCpuUsage([])).toBeNull();
});

test("CPUs that don't exist tell nothing", () => {
  expect(watchCpuUsage([99_999])()).toBeNull();
});

test.skipIf(!isLinux)("a load in step with the kernel's ticks is seen as it is", async () => {
  // A tick is a multiple of the millisecond of which it uses a quarter.
  const load = await startHog(0, 250);
  try {
    const ownBefore = readProcessCpuUs(load.pid) ?? 0;
    const end = watchCpuUsage([0]);
    const startUs = nowUs();
    await Bun.sleep(1000);
    const usage = end();
    const own = ((readProcessCpuUs(load.pid) ?? 0) - ownBefore) / (nowUs() - startUs);
    const used = (usage?.usedMs ?? 0) / (usage?.elapsedMs ?? 1);
    // Others may use the CPU too, but no less than all can be used.
    expect(used).toBeGreaterThan(own - 0.05);
    expect(used).toBeLessThan(1.05);
    expect(usage).toMatchObject({ cpus: 1 });
  } finally {
    load.kill();
  }
});

test.skipIf(!isLinux)("a busy CPU has no idle time", async () => {
  const hog = await startHog(0);
  try {
    const end = watchCpuUsage([0]);
    await Bun.sleep(500);
    const usage = end();
    expect((usage?.usedMs ?? 0) / (usage?.elapsedMs ?? 1)).toBeWithin(0.9, 1.1);
  } finally {
    hog.kill();
  }
});
