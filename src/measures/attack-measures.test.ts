import { expect, test } from "bun:test";
import { holds, parseAttackLimits } from "./attack-measures.ts";

test("limits are read with their units", () => {
  const read = (text: string) => {
    const [limit] = parseAttackLimits("--threshold", [text]);
    return [limit?.measure.name, limit?.operator, limit?.value];
  };
  expect(read("latency.p99 < 1.5ms")).toEqual(["latency.p99", "<", 1500]);
  expect(read("lost.share<=0.5%")).toEqual(["lost.share", "<=", 0.005]);
  expect(read("answered.rate >= 1,000/s")).toEqual(["answered.rate", ">=", 1000]);
  expect(read("duplicated = 0")).toEqual(["duplicated", "=", 0]);
});

test("what a scenario names has its unit by what is asked of it", () => {
  const read = (text: string) => {
    const [limit] = parseAttackLimits("--abort-on", [text], true);
    return [limit?.measure.name, limit?.operator, limit?.value];
  };
  expect(read("measure.round trip.p99 > 2ms")).toEqual(["measure.round trip.p99", ">", 2000]);
  expect(read("measure.a.b.count > 5")).toEqual(["measure.a.b.count", ">", 5]);
  expect(read("checks.it's in.failed.share > 1%")).toEqual(["checks.it's in.failed.share", ">", 0.01]);
  expect(() => read("measure.a.p98 > 2ms")).toThrow(/no measure "measure\.a\.p98"/);
  expect(() => read("checks.a.failed > 2ms")).toThrow(/expected a number without a unit/);
});

test("all problems are told at once", () => {
  expect(() => parseAttackLimits("--threshold", ["latncy.p99 < 5ms", "lost < 5ms"])).toThrow(
    /"latncy\.p99 < 5ms": no measure "latncy\.p99", did you mean "latency\.p99"\?\n.*"lost < 5ms": value "5ms": expected a number without a unit/,
  );
});

test.each([
  ["<", 1, 2, true],
  ["<", 2, 2, false],
  ["<=", 2, 2, true],
  [">", 3, 2, true],
  [">", 2, 2, false],
  [">=", 2, 2, true],
  ["=", 2, 2, true],
  ["=", 1, 2, false],
] as const)("%s: %d against %d is %p", (operator, figure, value, expected) => {
  expect(holds({ operator, value }, figure)).toBe(expected);
});
