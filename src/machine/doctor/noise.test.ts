import { expect, test } from "bun:test";
import { readTopology } from "../cpus.ts";
import { measureNoise } from "./noise.ts";
import { createWindows, summarizeWindows } from "./noise-windows.ts";

test("gaps are summed, and each millisecond keeps its longest", () => {
  const windows = createWindows(200);
  for (let us = 0; us < 200_000; us += 100) windows.add(us, 0.05); // what looking costs is no gap
  windows.add(500, 20);
  windows.add(700, 30);
  windows.add(150_500, 4000);
  expect([...windows.longestUs].filter((us) => us > 0)).toEqual([30, 4000]);
  expect(summarizeWindows(windows)).toEqual({
    durationMs: 200,
    // Two of 200 milliseconds are disturbed; 99 of 100 were no worse than the lesser one.
    p99GapUs: 30,
    maxGapUs: 4000,
    lostShare: 4050 / 200_000,
  });
});

test("a gap that ends after the last millisecond is not lost", () => {
  const windows = createWindows(10);
  windows.add(30_000, 25_000);
  expect(summarizeWindows(windows)).toMatchObject({ maxGapUs: 25_000, lostShare: 1 });
});

test("a spinner tells of its CPU; unpinned, of any", async () => {
  const [cpu] = readTopology().cpus;
  const id = cpu?.id ?? 0;
  const pinned = await measureNoise({ serverCpus: [id], workerCpus: [id] }, 30);
  expect(pinned.map(({ role }) => role)).toEqual(["server", "worker"]);
  if (readTopology().canPin) {
    expect(pinned.map((reading) => reading.cpu)).toEqual([id, id]);
    // Two that spin on one CPU take turns: the measurement must see that.
    for (const { lostShare, maxGapUs } of pinned) {
      expect(lostShare).toBeGreaterThan(0.05);
      expect(maxGapUs).toBeGreaterThan(500);
    }
  }
  const [free, ...others] = await measureNoise({ serverCpus: null, workerCpus: null }, 20);
  expect(others).toEqual([]);
  expect(free).toMatchObject({ role: "any", cpu: null, durationMs: 20 });
});
