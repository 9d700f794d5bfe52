import { expect, test } from "bun:test";
import fc from "fast-check";
import { nextPhaseNumber, phaseNumbers } from "./phase-number.ts";
import { countOwn, indexOf, isOwn, placeOf } from "./places.ts";

test("every connection has one worker, and there a place of its own", () => {
  fc.assert(
    fc.property(fc.nat({ max: 300 }), fc.integer({ min: 1, max: 9 }), (connections, workers) => {
      const owned = Array.from({ length: workers }, (_, worker) => {
        const share = { worker, workers };
        return Array.from({ length: countOwn(share, connections) }, (_unused, place) => {
          const index = indexOf(share, place);
          expect([isOwn(share, index), placeOf(share, index)]).toEqual([true, place]);
          return index;
        });
      });
      const all = owned.flat().sort((a, b) => a - b);
      expect(all).toEqual(Array.from({ length: connections }, (_, index) => index));
    }),
  );
});

test("phase numbers are 1 to 255 in turn", () => {
  let phase = 0;
  const seen = Array.from({ length: 2 * phaseNumbers }, () => {
    phase = nextPhaseNumber(phase);
    return phase;
  });
  expect(seen.slice(0, 255)).toEqual(Array.from({ length: 255 }, (_, at) => at + 1));
  expect(seen.slice(255)).toEqual(seen.slice(0, 255));
});
