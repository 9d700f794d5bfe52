import { expect, test } from "bun:test";
import fc from "fast-check";
import { createRandom } from "./random.ts";
import { sliceOrder } from "./slice-order.ts";

const plans = fc.record({
  contenders: fc.integer({ min: 1, max: 12 }),
  blocks: fc.integer({ min: 0, max: 100 }),
  seed: fc.maxSafeInteger(),
});

/** How much more often than seldom the pairs and places that `tally` names occur. */
function unevenness(keys: readonly string[], all: readonly string[]): number {
  const counts = new Map(all.map((key) => [key, 0]));
  for (const key of keys) if (counts.has(key)) counts.set(key, (counts.get(key) ?? 0) + 1);
  return Math.max(...counts.values()) - Math.min(...counts.values());
}

const pairsOf = (size: number, join: (one: number, other: number) => string) =>
  Array.from({ length: size }, (_, one) =>
    Array.from({ length: size }, (_, other) => (one === other ? [] : [join(one, other)])).flat(),
  ).flat();

test("every block has each contender once, and the seed decides", () => {
  fc.assert(
    fc.property(plans, ({ contenders, blocks, seed }) => {
      const order = sliceOrder(contenders, blocks, createRandom(seed));
      expect(order).toHaveLength(blocks);
      for (const block of order) {
        expect([...block].sort((a, b) => a - b)).toEqual(Array.from({ length: contenders }, (_, at) => at));
      }
      expect(sliceOrder(contenders, blocks, createRandom(seed))).toEqual(order);
    }),
  );
});

test("places, predecessors and successors are even, across the borders of blocks too", () => {
  fc.assert(
    fc.property(fc.integer({ min: 2, max: 8 }), fc.maxSafeInteger(), (contenders, seed) => {
      const order = sliceOrder(contenders, 80, createRandom(seed));
      const slices = order.flat();
      const follows = slices.slice(1).map((one, at) => `${slices[at]}>${one}`);
      const places = order.flatMap((block) => block.map((one, place) => `${one}@${place}`));
      const before = order.flatMap((block) =>
        block.flatMap((one, place) => block.slice(place + 1).map((other) => `${one}<${other}`)),
      );
      // By chance these come out at about 15, 17 and 22 for four contenders.
      expect(
        unevenness(
          follows,
          pairsOf(contenders, (one, other) => `${one}>${other}`),
        ),
      ).toBeLessThanOrEqual(8);
      expect(unevenness(places, [...new Set(places)])).toBeLessThanOrEqual(10);
      expect(
        unevenness(
          before,
          pairsOf(contenders, (one, other) => `${one}<${other}`),
        ),
      ).toBeLessThanOrEqual(6);
      if (contenders > 2) expect(slices.some((one, at) => at > 0 && slices[at - 1] === one)).toBe(false);
    }),
  );
});

test("two contenders don't alternate by a fixed pattern", () => {
  const starts = new Set(
    Array.from({ length: 20 }, (_, seed) =>
      sliceOrder(2, 12, createRandom(seed))
        .map(([first]) => first)
        .join(""),
    ),
  );
  expect(starts.size).toBeGreaterThan(4);
});
