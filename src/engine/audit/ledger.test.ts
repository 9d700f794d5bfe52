import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Arrival, arrival, Ledger } from "./ledger.ts";

function feed(seqs: readonly number[]): Arrival[] {
  const ledger = new Ledger(1);
  return seqs.map((seq) => ledger.arrive(0, seq));
}

const count = (arrivals: readonly Arrival[], kind: Arrival) => arrivals.filter((one) => one === kind).length;

test.each([
  ["in order", [1, 2, 3], ["inOrder", "inOrder", "inOrder"]],
  ["one lost", [1, 3], ["inOrder", "afterGap"]],
  ["two swapped", [1, 3, 2, 4], ["inOrder", "afterGap", "reordered", "inOrder"]],
  ["a duplicate", [1, 1, 2], ["inOrder", "duplicate", "inOrder"]],
  ["a duplicate of a reordered one", [2, 1, 1], ["afterGap", "reordered", "duplicate"]],
  ["a loss and a duplicate do not cancel", [1, 3, 3], ["inOrder", "afterGap", "duplicate"]],
] as const)("%s", (_, seqs, expected) => {
  expect(feed(seqs)).toEqual(expected.map((name) => arrival[name]));
});

test("streams do not touch each other", () => {
  const ledger = new Ledger(2);
  expect([ledger.arrive(0, 1), ledger.arrive(1, 1), ledger.arrive(0, 2)]).toEqual([0, 0, 0]);
});

test("against a set: distinct arrivals are delivered once each, all others are duplicates, whatever the order", () => {
  fc.assert(
    fc.property(fc.array(fc.integer({ min: 1, max: 40 }), { maxLength: 120 }), (seqs) => {
      const arrivals = feed(seqs);
      const distinct = new Set(seqs).size;
      expect(count(arrivals, arrival.duplicate)).toBe(seqs.length - distinct);
      let highest = 0;
      const seen = new Set<number>();
      for (const [index, seq] of seqs.entries()) {
        if (!seen.has(seq)) {
          expect(arrivals[index] === arrival.reordered).toBe(seq < highest);
          expect(arrivals[index] === arrival.afterGap).toBe(seq > highest + 1);
        }
        seen.add(seq);
        highest = Math.max(highest, seq);
      }
    }),
  );
});
