import { expect, test } from "bun:test";
import { apartAtOnce, countPairs, equalAtOnce } from "./multiplicity.ts";

/** Every way to place contenders on whole numbers, so that all patterns of equal and neighbouring ones occur. */
function* placeAll(contenders: number, places: number): Generator<number[]> {
  if (contenders === 0) yield [];
  else
    for (const rest of placeAll(contenders - 1, places)) {
      for (let place = 0; place < places; place++) yield [...rest, place];
    }
}

function countDistances(places: readonly number[], holds: (distance: number) => boolean): number {
  return places.flatMap((one, at) => places.slice(at + 1).filter((other) => holds(Math.abs(one - other))))
    .length;
}

test("equal at once: what placing contenders in every way finds", () => {
  for (const contenders of [2, 3, 4, 5]) {
    const possible = new Set(
      [...placeAll(contenders, 5)].map((places) => countDistances(places, (d) => d === 0)),
    );
    const pairs = countPairs(contenders);
    for (let claimed = 0; claimed < pairs; claimed++) {
      const most = Math.max(1, ...[...possible].filter((count) => count <= pairs - claimed));
      expect(equalAtOnce(contenders, pairs, claimed)).toBe(most);
    }
  }
  expect([0, 1, 2].map((claimed) => equalAtOnce(3, 3, claimed))).toEqual([3, 1, 1]);
});

test("apart by just the margin at once: what placing contenders in every way finds", () => {
  for (const contenders of [2, 3, 4, 5, 6]) {
    const most = Math.max(
      ...[...placeAll(contenders, 4)].map((places) => countDistances(places, (d) => d === 1)),
    );
    expect(apartAtOnce(contenders, countPairs(contenders), 0)).toBe(most);
  }
  expect([0, 2, 3, 5].map((claimed) => apartAtOnce(4, 6, claimed))).toEqual([4, 4, 3, 1]);
});

test("of some pairs only, no more than these", () => {
  expect(equalAtOnce(7, 4, 1)).toBe(3);
  expect(apartAtOnce(7, 4, 1)).toBe(3);
});
