import { expect, test } from "bun:test";
import fc from "fast-check";
import { balancedOrder } from "./order.ts";

const entrants = fc.integer({ min: 1, max: 11 }).map((count) => Array.from({ length: count }, (_, i) => i));
const rounds = fc.nat({ max: 45 });
const seed = fc.maxSafeInteger();

/** For every two entrants (or entrant and position), in how many rounds `holds` is true of them. */
function count(
  order: readonly (readonly number[])[],
  entrants: readonly number[],
  holds: (round: readonly number[], one: number, other: number) => boolean,
  same = false,
): number[] {
  return entrants.flatMap((one) =>
    entrants
      .filter((other) => same || one !== other)
      .map((other) => order.filter((round) => holds(round, one, other)).length),
  );
}

const unevenness = (counts: readonly number[]) =>
  counts.length === 0 ? 0 : Math.max(...counts) - Math.min(...counts);

const atPosition = (round: readonly number[], entrant: number, position: number) =>
  round[position] === entrant;
const before = (round: readonly number[], one: number, other: number) =>
  round.indexOf(one) < round.indexOf(other);
const directlyBefore = (round: readonly number[], one: number, other: number) =>
  round.indexOf(one) + 1 === round.indexOf(other);

test("every round runs every entrant once", () => {
  fc.assert(
    fc.property(entrants, rounds, seed, (entrants, rounds, seed) => {
      const order = balancedOrder(entrants, rounds, seed);
      expect(order).toHaveLength(rounds);
      for (const round of order) expect([...round].sort((a, b) => a - b)).toEqual(entrants);
    }),
  );
});

test("each entrant takes each position equally often, within one, after any number of rounds", () => {
  fc.assert(
    fc.property(entrants, rounds, seed, (entrants, rounds, seed) => {
      const counts = count(balancedOrder(entrants, rounds, seed), entrants, atPosition, true);
      expect(unevenness(counts)).toBeLessThanOrEqual(1);
    }),
  );
});

test("each entrant runs before, and directly before, each other equally often, within one (odd: two)", () => {
  fc.assert(
    fc.property(entrants, rounds, seed, (entrants, rounds, seed) => {
      const order = balancedOrder(entrants, rounds, seed);
      const allowed = entrants.length % 2 === 0 ? 1 : 2;
      const befores = count(order, entrants, before);
      expect(unevenness(befores)).toBeLessThanOrEqual(allowed);
      expect(unevenness(count(order, entrants, directlyBefore))).toBeLessThanOrEqual(allowed);
    }),
  );
});

test("after whole designs everything is exactly even", () => {
  fc.assert(
    fc.property(entrants, fc.integer({ min: 1, max: 3 }), seed, (entrants, designs, seed) => {
      const size = entrants.length;
      const order = balancedOrder(entrants, designs * (size % 2 === 0 ? size : 2 * size), seed);
      for (const holds of [before, directlyBefore]) expect(unevenness(count(order, entrants, holds))).toBe(0);
      expect(unevenness(count(order, entrants, atPosition, true))).toBe(0);
    }),
  );
});

test("the seed decides, and nothing else", () => {
  fc.assert(
    fc.property(entrants, rounds, seed, (entrants, rounds, seed) => {
      expect(balancedOrder(entrants, rounds, seed)).toEqual(balancedOrder(entrants, rounds, seed));
    }),
  );
  expect(balancedOrder(["go", "elixir", "bun", "node"], 5, 42)).toEqual([
    ["elixir", "node", "bun", "go"],
    ["go", "bun", "node", "elixir"],
    ["bun", "elixir", "go", "node"],
    ["node", "go", "elixir", "bun"],
    ["node", "go", "elixir", "bun"],
  ]);
  const starts = new Set(
    Array.from({ length: 40 }, (_, seed) => balancedOrder(["a", "b", "c"], 1, seed).join()),
  );
  expect(starts.size).toBe(6);
});

test("nobody to run gives empty rounds; half a round is refused", () => {
  expect(balancedOrder([], 3, 1)).toEqual([[], [], []]);
  expect(() => balancedOrder(["a"], 1.5, 1)).toThrow("rounds 1.5");
});
