import { expect, test } from "bun:test";
import { noises, playPairs, tally, upTo } from "../../bench/coverage-outcomes.ts";
import { createRandom } from "../plan/random.ts";
import { smallestDetectable } from "./detectable.ts";

test("the smallest detectable difference is found in nine of ten runs, half of it in far fewer", () => {
  const random = createRandom(71);
  const deviations = [0.02, 0.02];
  const measured = playPairs({ logs: [0.3, 0], deviations, noise: noises.normal, rounds: 500 }, random);
  for (const looks of [[5], upTo(6), upTo(12)]) {
    const smallest = smallestDetectable(measured, { contenders: 2, looks }) ?? Number.NaN;
    const find = (difference: number) => {
      const truth = { logs: [Math.log1p(difference), 0], deviations, noise: noises.normal };
      return tally({ ...truth, rounds: looks.at(-1) ?? 0 }, { margin: 1e-9, looks }, 2000, random).leads;
    };
    expect(find(smallest)).toBeGreaterThan(0.86);
    expect(find(smallest)).toBeLessThan(0.97);
    expect(find(smallest / 2)).toBeLessThan(0.6);
  }
});

test("more contenders need more, and without two rounds nothing is known", () => {
  const pair = (logRatios: (number | null)[]) => ({ first: "a", second: "b", logRatios });
  const steady = [pair([0.01, 0.02, 0.03])];
  const looks = [5];
  const [two, four] = [2, 4].map((contenders) => smallestDetectable(steady, { contenders, looks }) ?? 0);
  expect(four).toBeGreaterThan(two ?? 0);
  expect(smallestDetectable([pair([0.01, null])], { contenders: 2, looks })).toBeNull();
});
