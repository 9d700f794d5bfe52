import { expect, test } from "bun:test";
import fc from "fast-check";
import { splitExactly } from "./split.ts";

const total = fc.nat({ max: 5000 });
const parts = fc.integer({ min: 1, max: 200 });

test("shares sum to the total exactly and differ by at most one", () => {
  fc.assert(
    fc.property(fc.maxSafeInteger().map(Math.abs), parts, (total, parts) => {
      const shares = splitExactly(total, parts);
      expect(shares).toHaveLength(parts);
      expect(shares.reduce((sum, share) => sum + BigInt(share), 0n)).toBe(BigInt(total));
      expect(Math.max(...shares) - Math.min(...shares)).toBeLessThanOrEqual(1);
    }),
  );
});

test("100 over 3 is 34, 33, 33", () => {
  expect(splitExactly(100, 3)).toEqual([34, 33, 33]);
  expect(splitExactly(2, 4)).toEqual([1, 1, 0, 0]);
});

test("dealt out one after another, each worker owns its share", () => {
  fc.assert(
    fc.property(total, parts, (connections, workers) => {
      const owned = new Array<number>(workers).fill(0);
      for (let connection = 0; connection < connections; connection++) {
        const worker = connection % workers;
        owned[worker] = (owned[worker] ?? Number.NaN) + 1;
      }
      expect(owned).toEqual(splitExactly(connections, workers));
    }),
  );
});

test("what can't be split is refused with its value", () => {
  expect(() => splitExactly(-1, 2)).toThrow("total -1: expected a whole number from 0");
  expect(() => splitExactly(10, 0)).toThrow("parts 0: expected a whole number from 1");
  expect(() => splitExactly(1.5, 2)).toThrow("total 1.5");
});
