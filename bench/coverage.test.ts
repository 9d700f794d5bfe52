import { expect, test } from "bun:test";
import { createRandom } from "../src/plan/random.ts";
import { smallestResolvableDifference } from "../src/stats/ranking.ts";
import {
  claimsAnything,
  drawNormal,
  findsFirst,
  measureShare,
  playShowdown,
  type Showdown,
} from "./coverage.ts";

/** A/A: equal entrants on a machine that drifts. */
const equal = (noises: readonly number[], rounds = 5): Showdown => ({
  advantages: noises.map(() => 1),
  noises,
  rounds,
  drift: 0.05,
});

test("A/A: equal entrants are told apart in at most 5 % of showdowns, drift or not, noisy or not", () => {
  const random = createRandom(21);
  for (const noises of [
    [0.02, 0.02],
    [0.07, 0.07],
    [0.02, 0.07],
    [0.03, 0.03, 0.03],
    [0.07, 0.02, 0.02, 0.02, 0.02],
  ]) {
    // Two and a half standard errors of 1,500 trials are 1.4 %.
    expect(measureShare(equal(noises), claimsAnything, 1500, random)).toBeLessThan(0.064);
  }
});

test("A/B: a tenth slower is found in nine of ten showdowns over 5 rounds", () => {
  const random = createRandom(22);
  const slowed = (noises: readonly number[]): Showdown => ({
    ...equal(noises),
    advantages: noises.map((_, entrant) => (entrant === noises.length - 1 ? 0.9 : 1)),
  });
  expect(measureShare(slowed([0.03, 0.03]), findsFirst, 1000, random)).toBeGreaterThan(0.9);
  // As calibration enters them: one twice, and once more slowed.
  expect(measureShare(slowed([0.025, 0.025, 0.025]), findsFirst, 1000, random)).toBeGreaterThan(0.9);
});

test("each shown interval holds the true ratio in at least 95 % of showdowns", () => {
  const random = createRandom(23);
  const advantages = [1.3, 1.1, 1.08, 1];
  let intervals = 0;
  let held = 0;
  for (let trial = 0; trial < 500; trial++) {
    const { comparisons } = playShowdown({ ...equal([0.03, 0.03, 0.03, 0.03]), advantages }, random);
    for (const { first, second, verdict } of comparisons) {
      if (verdict.kind !== "faster" && verdict.kind !== "no-clear-difference") continue;
      const advantage = (name: string) => advantages[Number(name.slice("entrant-".length)) - 1] ?? Number.NaN;
      const truth = advantage(first) / advantage(second);
      intervals++;
      if (verdict.low <= truth && truth <= verdict.high) held++;
    }
  }
  expect(intervals).toBe(3000);
  expect(held / intervals).toBeGreaterThan(0.94);
});

test("the smallest resolvable difference is found in nine of ten showdowns, half of it in far fewer", () => {
  const random = createRandom(24);
  const noise = 0.025;
  const values = [0, 1].map(() => Array.from({ length: 400 }, () => Math.exp(noise * drawNormal(random))));
  for (const rounds of [3, 5, 10]) {
    const smallest = smallestResolvableDifference(values, { rounds }) ?? Number.NaN;
    const play = (difference: number) =>
      measureShare(
        { ...equal([noise, noise], rounds), advantages: [1 + difference, 1] },
        findsFirst,
        1000,
        random,
      );
    const found = play(smallest);
    expect(found).toBeGreaterThan(0.85);
    expect(found).toBeLessThan(0.95);
    expect(play(smallest / 2)).toBeLessThan(0.6);
  }
});
