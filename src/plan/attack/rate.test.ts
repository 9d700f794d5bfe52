import { expect, test } from "bun:test";
import fc from "fast-check";
import { countOf, createDueTimes, rateSegments } from "./rate.ts";

const timesOf = (due: (message: number) => number, count: number) =>
  Array.from({ length: count }, (_, message) => due(message));

test("at one rate messages are due evenly, and in steps those of each step together", () => {
  const steady = [{ seconds: 1, fromPerSecond: 2500, toPerSecond: 2500 }];
  expect(timesOf(createDueTimes(steady), 6)).toEqual([0, 400, 800, 1200, 1600, 2000]);
  expect(timesOf(createDueTimes(steady, 1000), 6)).toEqual([0, 1000, 1000, 2000, 2000, 2000]);
});

test("the first message after a pause waits for the pause's end", () => {
  const stages = [1, 1, 10, 1].map((seconds, at) => ({ seconds, value: [2, 0, 0, 2][at] ?? 0 }));
  expect(timesOf(createDueTimes(rateSegments(stages)), 3)).toEqual([0, 1e6, 12e6]);
});

test("a step puts a message off by less than a step, never ahead of its time, and changes no order", () => {
  const stage = fc.record({
    seconds: fc.double({ min: 0.01, max: 2, noNaN: true }),
    value: fc.double({ min: 0, max: 5000, noNaN: true }),
  });
  fc.assert(
    fc.property(
      fc.array(stage, { minLength: 1, maxLength: 4 }),
      fc.integer({ min: 1, max: 5000 }),
      (stages, stepUs) => {
        const segments = rateSegments(stages);
        const count = Math.min(3000, countOf(segments));
        const exact = timesOf(createDueTimes(segments), count);
        const stepped = timesOf(createDueTimes(segments, stepUs), count);
        for (const [at, us] of stepped.entries()) {
          expect(us % stepUs).toBe(0);
          const later = us - (exact[at] as number);
          expect(later).toBeGreaterThanOrEqual(-1e-6 * stepUs);
          expect(later).toBeLessThan(stepUs);
          expect(us).toBeGreaterThanOrEqual(stepped[at - 1] ?? 0);
        }
      },
    ),
  );
});
