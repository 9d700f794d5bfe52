import { expect, test } from "bun:test";
import fc from "fast-check";
import { studentCentralShare, studentQuantile } from "./student.ts";

const share = fc.double({ min: 0.01, max: 0.9999, noNaN: true });
const degrees = fc.integer({ min: 1, max: 200 });

test("quantiles are those of the printed tables", () => {
  const table: [share: number, degrees: number, t: number][] = [
    [0.95, 1, 12.706],
    [0.95, 2, 4.303],
    [0.95, 3, 3.182],
    [0.95, 4, 2.776],
    [0.95, 9, 2.262],
    [0.95, 30, 2.042],
    [0.99, 2, 9.925],
    [0.99, 4, 4.604],
    [0.999, 4, 8.61],
    [0.8, 4, 1.533],
  ];
  for (const [share, degrees, t] of table) expect(studentQuantile(share, degrees)).toBeCloseTo(t, 3);
});

test("a share and its quantile belong together", () => {
  fc.assert(
    fc.property(share, degrees, (share, degrees) => {
      expect(studentCentralShare(studentQuantile(share, degrees), degrees)).toBeCloseTo(share, 9);
    }),
  );
});

test("more confidence reaches further, more rounds less far", () => {
  fc.assert(
    fc.property(share, degrees, (share, degrees) => {
      const t = studentQuantile(share, degrees);
      expect(studentQuantile(share + (1 - share) / 2, degrees)).toBeGreaterThan(t);
      expect(studentQuantile(share, degrees + 1)).toBeLessThan(t);
    }),
  );
});

test("an infinite distance leaves nothing outside", () => {
  expect(studentCentralShare(Number.POSITIVE_INFINITY, 4)).toBe(1);
  expect(studentCentralShare(0, 4)).toBe(0);
});

test("impossible arguments are refused with their value", () => {
  expect(() => studentQuantile(1, 4)).toThrow("share 1");
  expect(() => studentQuantile(0.95, 0)).toThrow("0 degrees of freedom");
  expect(() => studentQuantile(0.95, 1.5)).toThrow("1.5 degrees of freedom");
});
