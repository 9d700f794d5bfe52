import { expect, test } from "bun:test";
import fc from "fast-check";
import { mergeHistograms } from "../../stats/histogram.ts";
import { bucketFloorUs, bucketsPerSlot, Impact } from "./impact.ts";

/** One second each before, under and after the fault. */
const startUs = 5_000_000;
const order = {
  fault: "resets",
  injectUs: 1e6,
  clearUs: 2e6,
  endUs: 3e6,
  faulty: [],
  garbage: 0,
  reconnectBatch: 1,
} as const;

function createImpact(connections: number): Impact {
  const impact = new Impact(order, connections);
  impact.begin(startUs);
  return impact;
}

function counted(slots: Uint32Array): [slot: number, floorUs: number, count: number][] {
  return [...slots].flatMap((count, at): [number, number, number][] =>
    count === 0 ? [] : [[Math.floor(at / bucketsPerSlot), bucketFloorUs(at % bucketsPerSlot), count]],
  );
}

test("a delivery belongs to the slot in which it was meant, and before the fault only what came before", () => {
  const impact = createImpact(1);
  impact.recordDelivery(0, startUs + 999_000, startUs + 950_000, 0);
  impact.recordDelivery(0, startUs + 2_500_000, startUs + 950_000, 0);
  impact.recordDelivery(0, startUs + 2_500_000, startUs + 1_000_000, 0);
  impact.recordDelivery(0, startUs + 2_500_000, startUs + 2_099_999, 0);
  const { windows, slots } = impact.report([]);
  expect(windows.map((window) => mergeHistograms([window]).max)).toEqual([49_000, 1_550_000, 400_001]);
  expect(counted(slots).map(([slot]) => slot)).toEqual([9, 9, 10, 20]);
});

test("the generator's own lateness is in the latency and not in the slot", () => {
  const impact = createImpact(1);
  impact.recordDelivery(0, startUs + 1_050_000, startUs + 1_000_000, 49_000);
  const { windows, slots } = impact.report([]);
  expect(windows.map((window) => mergeHistograms([window]).max)[1]).toBe(50_000);
  const [[, floorUs] = [0, 0]] = counted(slots);
  expect(floorUs).toBeGreaterThan(950);
  expect(floorUs).toBeLessThanOrEqual(1000);
});

test("a bucket's floor is at most 4.4 % below what is in it", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 2 ** 31 - 1 }), (latencyUs) => {
      const impact = createImpact(1);
      impact.recordDelivery(0, startUs + 1e6 + latencyUs, startUs + 1e6, 0);
      const [[, floorUs] = [0, 0]] = counted(impact.report([]).slots);
      expect(floorUs).toBeLessThanOrEqual(latencyUs * (1 + 1e-9));
      expect(floorUs).toBeGreaterThan(latencyUs / 1.0443);
    }),
  );
});

test("the longest silence is one member's own, and one that lasts to the end counts", () => {
  const impact = createImpact(3);
  const at = (place: number, seconds: number) =>
    impact.recordDelivery(place, startUs + seconds * 1e6, startUs + seconds * 1e6, 0);
  at(0, 0.2);
  at(1, 0.7);
  at(0, 0.9);
  at(1, 1.8);
  at(0, 2.9);
  at(1, 2.9);
  expect(impact.report([0, 1])).toMatchObject({ silenceBeforeUs: 700_000, longestSilenceUs: 2_000_000 });
  // Nobody has told this one anything since the start.
  expect(impact.report([2])).toMatchObject({ longestSilenceUs: 3_000_000 });
});
