import { expect, test } from "bun:test";
import fc from "fast-check";
import { countOpen, listOpen, noteOpen } from "./liveness.ts";
import { countOwn, indexOf } from "./places.ts";

test("what workers tell of their connections is the indexes of those that are open, in order", () => {
  const scenes = fc.record({
    workers: fc.integer({ min: 1, max: 7 }),
    open: fc.array(fc.boolean(), { maxLength: 200 }),
  });
  fc.assert(
    fc.property(scenes, ({ workers, open }) => {
      const told = Array.from({ length: workers }, (_, worker) => {
        const share = { worker, workers };
        const own = Array.from({ length: countOwn(share, open.length) }, (__, place) => ({
          state: open[indexOf(share, place)] ? "open" : "closed",
        }));
        return noteOpen(own);
      });
      const indexes = open.flatMap((isOpen, index) => (isOpen ? [index] : []));
      expect([...listOpen(told)]).toEqual(indexes);
      expect(told.reduce((all, bits) => all + countOpen(bits), 0)).toBe(indexes.length);
    }),
  );
});
