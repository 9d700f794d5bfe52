import { expect, test } from "bun:test";
import fc from "fast-check";
import { bootstrapMedian, measureCoverage, shapes } from "../../bench/coverage.ts";
import { createRandom } from "../plan/random.ts";
import { type Interval, median, medianInterval, roundingMargin } from "./intervals.ts";

const value = fc.double({ min: 0.001, max: 1e9, noNaN: true });
const values = fc.array(value, { minLength: 2, maxLength: 12 });

function present(interval: Interval | null): Interval {
  if (interval === null) throw new Error("expected an interval");
  return interval;
}

function expectClose(actual: Interval | null, expected: Interval | null): void {
  for (const limit of ["middle", "low", "high"] as const) {
    const relative = present(actual)[limit] / present(expected)[limit];
    expect(Math.abs(relative - 1)).toBeLessThan(1e-6);
  }
}

test("the median is the middle value, or the mean of the two in the middle", () => {
  expect(median([3, 1, 2])).toBe(2);
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(() => median([])).toThrow("median of no values");
});

test("a worked example: t(0.95, 4) = 2.776 standard errors around the geometric mean", () => {
  const interval = present(medianInterval([1, 2, 4, 8, 16]));
  const standardError = (Math.LN2 * Math.sqrt(2.5)) / Math.sqrt(5);
  expect(interval.middle).toBe(4);
  expect(interval.low).toBeCloseTo(4 * Math.exp(-2.77645 * standardError), 4);
  expect(interval.high).toBeCloseTo(4 * Math.exp(2.77645 * standardError), 3);
});

test("an interval holds its median and grows with the confidence", () => {
  fc.assert(
    fc.property(values, (values) => {
      const { middle, low, high } = present(medianInterval(values));
      expect(low <= middle && middle <= high).toBe(true);
      const wider = present(medianInterval(values, 0.99));
      expect(wider.low <= low && high <= wider.high).toBe(true);
    }),
  );
});

test("limits reach to a median that is far from the mean", () => {
  const rounds = [...new Array<number>(11).fill(1), ...new Array<number>(9).fill(2)];
  expect(present(medianInterval(rounds))).toMatchObject({ middle: 1, low: 1 });
});

test("the unit does not matter", () => {
  fc.assert(
    fc.property(values, fc.double({ min: 0.001, max: 1000, noNaN: true }), (values, factor) => {
      const { middle, low, high } = present(medianInterval(values));
      const scaled = { middle: middle * factor, low: low * factor, high: high * factor };
      // Values spread over twelve decades have limits beyond what a number holds.
      fc.pre(low > 1e-200 && high < 1e200);
      expectClose(medianInterval(values.map((value) => value * factor)), scaled);
    }),
  );
});

test("values with a zero get limits that don't go below it", () => {
  expect(medianInterval([0, 0, 0])).toEqual({ middle: 0, low: 0, high: 0 });
  const { low, high } = present(medianInterval([0, 3, 5]));
  expect(low).toBe(0);
  expect(high).toBeGreaterThan(5);
  expect(present(medianInterval([-1, 3, 5])).low).toBeLessThan(-1);
});

test("one round has no interval", () => {
  expect(medianInterval([5])).toBeNull();
});

test("a step apart is within the rounding", () => {
  expect(Math.log(29 / 28)).toBeLessThan(roundingMargin(1, 29, 28));
  expect(Math.log(31 / 28)).toBeGreaterThan(roundingMargin(1, 31, 28));
});

test("95 % limits hold in 95 % of experiments, whatever the shape of the noise", () => {
  const random = createRandom(11);
  for (const shape of Object.values(shapes)) {
    for (const rounds of [3, 5, 10]) {
      // Two standard errors of 2,000 trials are 1 %.
      const share = measureCoverage(medianInterval, shape, rounds, 2000, random);
      expect(share).toBeGreaterThan(0.94);
    }
  }
});

test("limits of symmetric noise are no wider than they need to be", () => {
  const share = measureCoverage(medianInterval, shapes.normal, 5, 4000, createRandom(12));
  expect(share).toBeLessThan(0.965);
});

test("the reason not to bootstrap: over 3 rounds its 95 % are 75 %", () => {
  const random = createRandom(13);
  expect(measureCoverage(bootstrapMedian(random), shapes.normal, 3, 200, random)).toBeLessThan(0.85);
});
