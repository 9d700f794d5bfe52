import { expect, test } from "bun:test";
import fc from "fast-check";
import { type Interval, intersect, longestSilence } from "./silence.ts";

/** Sorted, without overlaps; intervals may touch, as two silences with one arrival between them do. */
const list = fc
  .array(fc.record({ gap: fc.nat({ max: 4 }), length: fc.integer({ min: 1, max: 6 }) }))
  .map((steps) => {
    let at = 0;
    return steps.map(({ gap, length }): Interval => {
      const from = at + gap;
      at = from + length;
      return [from, at];
    });
  });

const covers = (intervals: readonly Interval[], moment: number) =>
  intervals.some(([from, to]) => from <= moment && moment < to);

test("a moment is silent for all exactly when it is silent for each", () => {
  fc.assert(
    fc.property(fc.array(list, { minLength: 1, maxLength: 4 }), (lists) => {
      const common = intersect(lists);
      const end = Math.max(0, ...lists.flat().map(([, to]) => to));
      for (let moment = 0; moment <= end; moment += 1) {
        expect(covers(common, moment)).toBe(lists.every((one) => covers(one, moment)));
      }
    }),
  );
});

test("one worker that goes on receiving means that nobody was silent", () => {
  expect(intersect([[[0, 500]], []])).toEqual([]);
});

test("one worker's silences are its own, and none at all give none", () => {
  const own: Interval[] = [
    [0, 5],
    [7, 9],
  ];
  expect(intersect([own])).toEqual(own);
  expect(intersect([])).toEqual([]);
});

test("a stall is seen beside a worker to which nothing came at all", () => {
  const stalled = { delivered: 10, silences: [[0, 900_000] as const] };
  expect(longestSilence([stalled, { delivered: 0, silences: [] }])).toBe(900_000);
  expect(longestSilence([stalled, { delivered: 1, silences: [] }])).toBe(0);
  expect(longestSilence([])).toBe(0);
});
