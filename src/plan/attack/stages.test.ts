import { expect, test } from "bun:test";
import fc from "fast-check";
import { countOf, createDueTimes, rateSegments, sumUpTo } from "./rate.ts";
import { readSeconds, stages } from "./stages.ts";

test.each([
  ["10s", 10],
  ["90", 90],
  ["1m30s", 90],
  ["2h", 7200],
  ["500ms", 0.5],
  ["1min", 60],
  ["0s", null],
  ["-1s", null],
  ["1d", null],
  ["s", null],
  ["", null],
])("%j is %p seconds", (text, seconds) => {
  expect(readSeconds(text)).toBe(seconds);
});

test("stages are read and written, each from where the last one ended", () => {
  const type = stages(10_000);
  const read = type.read("1m:1000,5m:1000,30s:0");
  if (!("value" in read)) throw new Error(read.expected);
  expect(type.write(read.value)).toBe("1m:1000,5m:1000,30s:0");
  expect(rateSegments(read.value)).toEqual([
    { seconds: 60, fromPerSecond: 0, toPerSecond: 1000 },
    { seconds: 300, fromPerSecond: 1000, toPerSecond: 1000 },
    { seconds: 30, fromPerSecond: 1000, toPerSecond: 0 },
  ]);
  expect(countOf(rateSegments(read.value))).toBe(30_000 + 300_000 + 15_000);
});

test.each(["", "1m", "1m:", ":5", "1m:x", "1m:1e3", "1m:99999", "1m:5;2m:6", "1s:0,1s:0"])(
  "%j is no list of stages",
  (text) => {
    expect(stages(10_000).read(text)).toHaveProperty("expected");
  },
);

test("at one rate messages are due at equal distances, from the start", () => {
  const due = createDueTimes([{ seconds: 2, fromPerSecond: 4, toPerSecond: 4 }]);
  expect(Array.from({ length: 8 }, (_, message) => due(message))).toEqual(
    Array.from({ length: 8 }, (_, message) => message * 250_000),
  );
});

test("in any ramps the messages due by a moment are the sum of the rate up to it", () => {
  const stage = fc.record({
    seconds: fc.integer({ min: 1, max: 20 }),
    value: fc.integer({ min: 0, max: 500 }),
  });
  fc.assert(
    fc.property(fc.array(stage, { minLength: 1, maxLength: 5 }), (given) => {
      const segments = rateSegments(given);
      const due = createDueTimes(segments);
      const count = countOf(segments);
      let before = 0;
      for (let message = 0; message < count; message += 1) {
        const us = due(message);
        expect(us).toBeGreaterThanOrEqual(before);
        before = us;
        expect(Math.abs(sumUpTo(segments, us / 1e6) - message)).toBeLessThan(1e-3);
      }
    }),
    { numRuns: 50 },
  );
});
