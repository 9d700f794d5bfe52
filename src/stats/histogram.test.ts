import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  Histogram,
  isRefused,
  mergeHistograms,
  percentileCurve,
  quantileShares,
  reaches,
  refuseBelow,
  summarize,
} from "./histogram.ts";

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

test("what never came is infinitely late: each quantile is that of the values with so many endless ones", () => {
  const quantiles = [
    ["p50", 0.5],
    ["p90", 0.9],
    ["p99", 0.99],
    ["max", 1],
  ] as const;
  fc.assert(
    fc.property(values, fc.nat({ max: 400 }), fc.nat({ max: 3 }), (recorded, lost, thousands) => {
      // Enough samples for a p99 in most of the cases.
      const all = recorded.concat(...Array.from({ length: thousands }, () => recorded.concat(recorded)));
      const owed = all.length + lost;
      const summary = summarize(record(all), owed);
      const sorted = [...all, ...new Array<number>(lost).fill(Number.POSITIVE_INFINITY)].sort(
        (a, b) => a - b,
      );
      expect(summary).toMatchObject({ count: all.length, owed });
      for (const [name, quantile] of quantiles) {
        const exact = sorted[Math.max(0, Math.ceil(quantile * owed - 1e-9) - 1)] ?? Number.NaN;
        expect(reaches(summary, quantile)).toBe(Number.isFinite(exact));
        const found = summary[name];
        if (!Number.isFinite(exact)) expect(found).toBeNull();
        else if (found !== null) expect(Math.abs(found - exact)).toBeLessThanOrEqual(exact / 1000);
        else expect(owed * (1 - quantile)).toBeLessThan(10);
      }
    }),
  );
});

test("more loss makes no quantile smaller", () => {
  fc.assert(
    fc.property(values, fc.nat({ max: 50 }), fc.nat({ max: 50 }), (recorded, lost, more) => {
      const late = (quantile: number | null) => quantile ?? Number.POSITIVE_INFINITY;
      const histogram = record(recorded);
      const few = summarize(histogram, recorded.length + lost);
      const many = summarize(histogram, recorded.length + lost + more);
      expect(late(many.p50)).toBeGreaterThanOrEqual(late(few.p50));
      expect(late(many.max)).toBeGreaterThanOrEqual(late(few.max));
    }),
  );
});

test("of half that came there is a median and nothing beyond, and the curve ends there", () => {
  const half = record(Array.from({ length: 5000 }, (_, index) => index));
  const summary = summarize(half, 10_000);
  expect(summary).toMatchObject({ min: 0, mean: null, p90: null, p99: null, p999: null, max: null });
  expect(Math.abs((summary.p50 ?? 0) - 4999)).toBeLessThanOrEqual(5);
  expect(percentileCurve(half, 10_000).at(-1)?.[0]).toBe(0.5);
  expect(summarize(half, 10_001).p50).toBeNull();
});

test("a quantile without enough samples is reached all the same, and nothing owed is no loss", () => {
  const few = summarize(record([1, 2, 3]));
  expect(few.p99).toBeNull();
  expect(reaches(few, 0.99)).toBe(true);
  expect(reaches(summarize(new Histogram()), 0.99)).toBe(true);
  expect(reaches(summarize(new Histogram(), 5), 0.5)).toBe(false);
});

test("of two clocks a value is told from their error on; below it there is none, and what is missing is not refused", () => {
  const summary = summarize(record(Array.from({ length: 100 }, (_, index) => 10 * (index + 1))));
  const refused = refuseBelow(summary, 900);
  expect(summary).toMatchObject({ p50: 500, p90: 900, p99: null, p999: null, max: 1000 });
  expect(refused).toEqual({ ...summary, min: null, mean: null, p50: null });
  const names = Object.keys(quantileShares) as (keyof typeof quantileShares)[];
  expect(names.filter((name) => isRefused(refused, name))).toEqual(["p50"]);
  expect(names.filter((name) => isRefused(summary, name))).toEqual([]);
  const unknown = refuseBelow(summary, Number.POSITIVE_INFINITY);
  expect(names.filter((name) => isRefused(unknown, name))).toEqual(["p50", "p90", "max"]);
  const partly = refuseBelow(summarize(record([1, 2, 3]), 10), 5);
  expect(names.filter((name) => isRefused(partly, name))).toEqual([]);
});
