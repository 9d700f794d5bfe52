import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawRounds, machines, mean } from "../../bench/coverage-slices.ts";
import { createRandom } from "../plan/random.ts";
import { pauseInterval, sliceRatio } from "./slices.ts";

const steady = (count: number, value: number) => new Array<number>(count).fill(value);
const slices = fc.array(fc.double({ min: 0.01, max: 1e6, noNaN: true }), { minLength: 10, maxLength: 60 });

test("a drift that both share cancels block by block", () => {
  const machine = Array.from({ length: 40 }, (_, block) => 1 + Math.sin(block / 3) / 2);
  const ratio = sliceRatio(
    machine.map((speed) => 300 * speed),
    machine.map((speed) => 200 * speed),
  );
  expect(Math.exp(ratio?.typical ?? 0)).toBeCloseTo(1.5, 9);
  expect(ratio?.standardError).toBeCloseTo(0, 9);
  expect(ratio?.blocks).toBe(40);
});

test("the second against the first is the inverse of the first against the second", () => {
  fc.assert(
    fc.property(slices, slices, (one, other) => {
      const [there, back] = [sliceRatio(one, other), sliceRatio(other, one)];
      if (there === null || back === null) return expect(there).toBe(back);
      expect(there.typical + back.typical).toBeCloseTo(0, 9);
      expect(there.total + back.total).toBeCloseTo(0, 9);
      expect(there.standardError).toBeCloseTo(back.standardError, 9);
    }),
  );
});

test("a tenth of wild slices does not move the typical ratio, and shows in the total", () => {
  const disturbed = [...steady(36, 100), ...steady(4, 0)];
  const ratio = sliceRatio(disturbed, steady(40, 100));
  expect(ratio?.typical).toBe(0);
  expect(Math.exp(ratio?.total ?? 0)).toBeCloseTo(0.9, 9);
});

test("too few blocks, or a contender that stands still for longer, have no ratio", () => {
  expect(sliceRatio(steady(9, 1), steady(9, 1))).toBeNull();
  expect(sliceRatio([...steady(9, 1), null], steady(10, 1))).toBeNull();
  expect(sliceRatio([...steady(35, 1), ...steady(5, 0)], steady(40, 1))).toBeNull();
  expect(sliceRatio([...steady(30, 1), ...steady(10, 0)], [...steady(30, 1), ...steady(10, 0)])?.blocks).toBe(
    30,
  );
});

test("the standard error is that of the rounds, where only slices differ", () => {
  for (const truth of [machines.normal, machines["t, 3 df"], machines.bursts]) {
    const rounds = drawRounds(truth, 400, createRandom(41));
    const deviation = Math.sqrt(mean(rounds.map(({ typical }) => typical ** 2)));
    expect(mean(rounds.map(({ standardError }) => standardError)) / deviation).toBeCloseTo(1, 0.6);
  }
});

test("pauses of one contender show as a difference of total and typical, and nothing else does", () => {
  const random = createRandom(42);
  const truth = machines["pauses in 5 % of the first's slices"];
  const costs = Array.from({ length: 100 }, () => pauseInterval(drawRounds(truth, 8, random)));
  expect(costs.filter((cost) => cost !== null && cost.high < 1).length).toBeGreaterThan(70);
  const equal = Array.from({ length: 200 }, () =>
    pauseInterval(drawRounds({ ...truth, pauses: [0.05, 0.05] }, 5, random)),
  );
  expect(equal.filter((cost) => cost !== null && (cost.high < 1 || cost.low > 1)).length).toBeLessThan(20);
});
