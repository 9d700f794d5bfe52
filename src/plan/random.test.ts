import { expect, test } from "bun:test";
import fc from "fast-check";
import { createRandom, drawBelow, drawFraction, fromState, type Random, shuffle } from "./random.ts";

const take = (random: Random, count: number) => Array.from({ length: count }, () => random());
const seed = fc.maxSafeInteger();

test("xoshiro128** gives what the authors' C code gives from the state 1, 2, 3, 4", () => {
  const random = fromState([1, 2, 3, 4]);
  expect(take(random, 6)).toEqual([11520, 0, 5927040, 70819200, 2031721883, 1637235492]);
  for (let skipped = 6; skipped < 1_000_000; skipped++) random();
  expect(random()).toBe(3175353485);
});

test("a seed always gives the same numbers", () => {
  expect(take(createRandom(1), 4)).toEqual([3744230918, 4085411741, 3160389862, 586529176]);
  expect(take(createRandom(-1), 4)).toEqual([1495849676, 2887525343, 1234226540, 1515467980]);
  expect(take(createRandom(2 ** 53 - 1), 4)).toEqual([3917684004, 3606723152, 26689331, 3115131982]);
  fc.assert(
    fc.property(seed, (seed) => expect(take(createRandom(seed), 8)).toEqual(take(createRandom(seed), 8))),
  );
});

test("seeds that differ anywhere give other numbers", () => {
  fc.assert(
    fc.property(seed, fc.nat({ max: 51 }), (seed, bit) => {
      const other = seed + 2 ** bit;
      fc.pre(Number.isSafeInteger(other));
      expect(take(createRandom(seed), 4)).not.toEqual(take(createRandom(other), 4));
    }),
  );
});

test("a seed that is no whole number is refused", () => {
  for (const bad of [1.5, Number.NaN, 2 ** 60])
    expect(() => createRandom(bad)).toThrow(/seed .* whole number/);
});

test("whole numbers are uniform even where a remainder would favour the lower third twofold", () => {
  const limit = 3 * 2 ** 30;
  const random = createRandom(7);
  const thirds = [0, 0, 0];
  for (let draw = 0; draw < 30_000; draw++) {
    const third = Math.floor((3 * drawBelow(random, limit)) / limit);
    thirds[third] = (thirds[third] ?? 0) + 1;
  }
  for (const count of thirds) expect(Math.abs(count - 10_000)).toBeLessThan(330);
});

test("whole numbers and fractions stay within their limits", () => {
  fc.assert(
    fc.property(seed, fc.integer({ min: 1, max: 2 ** 32 }), (seed, limit) => {
      const random = createRandom(seed);
      const drawn = drawBelow(random, limit);
      expect(Number.isInteger(drawn) && drawn >= 0 && drawn < limit).toBe(true);
      const fraction = drawFraction(random);
      expect(fraction >= 0 && fraction < 1).toBe(true);
    }),
  );
  for (const bad of [0, -1, 1.5, 2 ** 32 + 1]) expect(() => drawBelow(createRandom(1), bad)).toThrow(/limit/);
});

test("a shuffle keeps what it shuffles and leaves the original alone", () => {
  fc.assert(
    fc.property(seed, fc.array(fc.integer()), (seed, items) => {
      const original = [...items];
      const shuffled = shuffle(createRandom(seed), items);
      const sort = (values: readonly number[]) => [...values].sort((a, b) => a - b);
      expect(sort(shuffled)).toEqual(sort(items));
      expect(items).toEqual(original);
    }),
  );
});

test("a shuffle gives each of the six orders of three equally often", () => {
  const random = createRandom(3);
  const counts = new Map<string, number>();
  for (let draw = 0; draw < 6000; draw++) {
    const order = shuffle(random, ["a", "b", "c"]).join("");
    counts.set(order, (counts.get(order) ?? 0) + 1);
  }
  expect(counts.size).toBe(6);
  for (const count of counts.values()) expect(Math.abs(count - 1000)).toBeLessThan(120);
});
