import { expect, test } from "bun:test";
import { changeClarity, changeInterval } from "./welch.ts";

const exp = (values: readonly number[]) => values.map(Math.exp);

test("equal spreads give Student's t with the degrees of freedom of both", () => {
  // Logarithms of deviation 0.1: standard error sqrt(2 / 3) / 10, 4 degrees of freedom, t = 2.7764.
  const interval = changeInterval(exp([0, 0.1, 0.2]), exp([0.5, 0.6, 0.7]));
  expect(interval?.middle).toBeCloseTo(Math.exp(0.5), 10);
  expect(interval?.low).toBeCloseTo(Math.exp(0.5 - 2.77645 * Math.sqrt(0.02 / 3)), 4);
  expect(interval?.high).toBeCloseTo(Math.exp(0.5 + 2.77645 * Math.sqrt(0.02 / 3)), 4);
});

test("of a quiet and a noisy run, the noisy one decides: its degrees of freedom, rounded down", () => {
  const quiet = exp([1, 1.0001, 0.9999]);
  const noisy = exp([1.9, 2, 2.1]);
  const interval = changeInterval(quiet, noisy);
  // 2 degrees of freedom: t = 4.3027.
  expect(Math.log(interval?.high ?? 0)).toBeCloseTo(1 + 4.3027 * Math.sqrt(0.01 / 3), 3);
});

test("a single round on either side has no interval", () => {
  expect(changeInterval([5], [5, 6])).toBeNull();
  expect(changeInterval([5, 6], [5])).toBeNull();
  expect(changeClarity([5], [6])).toBeNull();
});

test("without any spread only the margin is left", () => {
  const interval = changeInterval([100, 100], [102, 102], 0.95, 0.01);
  expect(interval?.low).toBeCloseTo(1.02 * Math.exp(-0.01), 10);
  expect(interval?.high).toBeCloseTo(1.02 * Math.exp(0.01), 10);
  expect(changeClarity([100, 100], [102, 102], 0.01)).toBe(1);
  expect(changeClarity([100, 100], [100, 100])).toBe(0);
});

test("clarity and interval agree on where the doubt ends", () => {
  const before = [100, 104, 97, 101, 99];
  for (const factor of [1, 1.01, 1.03, 1.05, 1.1, 0.95, 0.9]) {
    const after = [103, 99, 100, 96, 102].map((value) => value * factor);
    const interval = changeInterval(before, after);
    const isClear = (interval?.low ?? 0) > 1 || (interval?.high ?? 2) < 1;
    expect((changeClarity(before, after) ?? 0) > 0.95).toBe(isClear);
  }
});
