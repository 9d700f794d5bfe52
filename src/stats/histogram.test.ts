import { expect, test } from "bun:test";
import fc from "fast-check";
import { Histogram, mergeHistograms, percentileCurve, summarize } from "./histogram.ts";

const values = fc.array(fc.integer({ min: 0, max: 2_000_000_000 }), { minLength: 1, maxLength: 400 });

function record(recorded: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of recorded) histogram.record(value);
  return histogram;
}

test("every quantile lies within 0.1 % of the exact one", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0, max: 1, noNaN: true }), (recorded, quantile) => {
      const sorted = [...recorded].sort((a, b) => a - b);
      const exact = sorted[Math.max(0, Math.ceil(quantile * sorted.length - 1e-9) - 1)] ?? Number.NaN;
      const found = record(recorded).valueAt(quantile) ?? Number.NaN;
      expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact / 1000);
    }),
  );
});

test("merging parts equals recording everything in one", () => {
  fc.assert(
    fc.property(fc.array(values, { minLength: 1, maxLength: 5 }), (parts) => {
      const merged = mergeHistograms(parts.map((part) => record(part).toSparse()));
      expect(merged).toEqual(record(parts.flat()));
    }),
  );
});

test("min, max, mean and count are exact, beyond the last bucket too", () => {
  const histogram = record([3, 5, 3_000_000_000]);
  expect(summarize(histogram)).toMatchObject({ count: 3, min: 3, max: 3_000_000_000, mean: 715_827_885 });
});

test("a negative latency counts as 0", () => {
  expect(summarize(record([-2]))).toMatchObject({ min: 0, p50: 0, max: 0 });
});

test("a quantile is told only where ten samples lie beyond it", () => {
  const many = Array.from({ length: 1000 }, (_, index) => index);
  expect(summarize(record(many))).toMatchObject({ p90: 899, p99: 989, p999: null });
  expect(summarize(record(many.slice(0, 99)))).toMatchObject({ p50: 49, p90: null });
});

test("the curve rises and ends where the samples do", () => {
  const curve = percentileCurve(record(Array.from({ length: 10_000 }, (_, index) => index)));
  expect(curve[0]).toEqual([0, 0]);
  const median = curve.find(([quantile]) => quantile === 0.5)?.[1] ?? Number.NaN;
  expect(Math.abs(median - 4999)).toBeLessThanOrEqual(5);
  expect(curve.at(-1)?.[0]).toBeLessThanOrEqual(0.999);
  expect(curve.every(([, value], at) => at === 0 || value >= (curve[at - 1]?.[1] ?? 0))).toBe(true);
});
