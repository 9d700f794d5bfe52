import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawFraction } from "../../bench/coverage.ts";
import { createRandom, drawBelow, type Random, shuffle } from "./random.ts";

const take = (random: Random, count: number) => Array.from({ length: count }, () => random.next() >>> 0);
const seed = fc.maxSafeInteger();

test("the numbers are those of the authors' C code of the Mersenne Twister", () => {
  // mt19937ar.c, init_genrand(5489): the 10,000th number, which C++ asks of every std::mt19937.
  const random = createRandom(5489);
  take(random, 9999);
  expect(take(random, 1)).toEqual([4123659995]);
});

test("a seed always gives the same numbers", () => {
  expect(take(createRandom(1), 3)).toEqual([1791095845, 4282876139, 3093770124]);
  expect(shuffle(createRandom(1), [0, 1, 2, 3, 4, 5, 6, 7, 8, 9])).toEqual([2, 7, 0, 5, 6, 8, 1, 4, 9, 3]);
  fc.assert(
    fc.property(seed, (seed) => expect(take(createRandom(seed), 8)).toEqual(take(createRandom(seed), 8))),
  );
});

test("a negative seed is not its complement, nor the seed without its upper bits", () => {
  const seeds = [0, -1, 2 ** 32, 2 ** 32 - 1, 2 ** 53 - 1, -(2 ** 53 - 1)];
  expect(new Set(seeds.map((seed) => take(createRandom(seed), 4).join())).size).toBe(seeds.length);
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

test("a million items are shuffled by one draw for each: the work grows as they do", () => {
  const draws = (count: number) => {
    const random = createRandom(5);
    let drawn = 0;
    const counting: Random = {
      clone: () => random.clone(),
      getState: () => random.getState(),
      next: () => {
        drawn += 1;
        return random.next();
      },
    };
    // A copy that were searched or cut for each item would take hours here.
    const shuffled = shuffle(
      counting,
      Array.from({ length: count }, (_, item) => item),
    );
    const times = new Uint8Array(count);
    for (const item of shuffled) times[item] = (times[item] ?? 0) + 1;
    expect(times.every((one) => one === 1)).toBe(true);
    return drawn;
  };
  for (const count of [1000, 1_000_000]) {
    expect(draws(count)).toBeGreaterThanOrEqual(count - 1);
    expect(draws(count)).toBeLessThan(1.01 * count);
  }
});
