import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawRounds, machines, tallyRules } from "../../bench/coverage-slices.ts";
import { createRandom } from "../plan/random.ts";
import { type SliceFigure, sliceRatio } from "./slices.ts";

/** Slices of the same work, by how long each took. */
const over = (spans: readonly number[]): SliceFigure[] => spans.map((per) => ({ amount: 1000, per }));
const steady = (count: number, value: number) => new Array<number>(count).fill(value);
const slices = fc
  .array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 1, maxLength: 60 })
  .map(over);

test("a drift that both share cancels block by block", () => {
  const machine = Array.from({ length: 40 }, (_, block) => 1 + Math.sin(block / 3) / 2);
  const log = sliceRatio(
    over(machine.map((speed) => 200 / speed)),
    over(machine.map((speed) => 300 / speed)),
  );
  expect(Math.exp(log ?? 0)).toBeCloseTo(1.5, 9);
});

test("the second against the first is the inverse of the first against the second", () => {
  fc.assert(
    fc.property(slices, slices, (one, other) => {
      const [there, back] = [sliceRatio(one, other), sliceRatio(other, one)];
      if (there === null || back === null) return expect(there).toBe(back);
      expect(there + back).toBeCloseTo(0, 9);
    }),
  );
});

test("a slice in which one stalls counts with all the time it took", () => {
  const log = sliceRatio(over([...steady(9, 100), 600]), over(steady(10, 100)));
  expect(Math.exp(log ?? 0)).toBeCloseTo(1000 / 1500, 9);
});

test("only blocks that both have count, and without any, or without a delivery, there is no ratio", () => {
  const some = over([100, 50, 100]);
  expect(Math.exp(sliceRatio([some[0] ?? null, null, some[2] ?? null], over([200, 1, 200])) ?? 0)).toBe(2);
  expect(sliceRatio(over([100]), [])).toBeNull();
  expect(sliceRatio([null, ...over([100])], over([100]))).toBeNull();
  expect(sliceRatio([{ amount: 0, per: 100 }], over([100]))).toBeNull();
  expect(sliceRatio([{ amount: 0, per: 0 }], over([100]))).toBeNull();
});

test("of equals none leads for pausing in between, or for never pausing", () => {
  const random = createRandom(42);
  const truth = machines["often pauses"];
  const rounds = drawRounds(truth, 2000, random).map(({ total }) => total);
  expect(Math.abs(rounds.reduce((sum, log) => sum + log, 0) / rounds.length)).toBeLessThan(0.005);
  const { total, typical } = tallyRules(truth, [3, 4, 5, 6], 300, random);
  expect(total.leads).toBeLessThan(0.05 + 2.5 * Math.sqrt((0.05 * 0.95) / 300));
  expect(total.swings).toBe(0);
  // What would be wrong to judge by: the middle slices don't contain the pauses.
  expect(typical.leads).toBeGreaterThan(0.1);
}, 60_000);
