import { expect, test } from "bun:test";
import { createRandom } from "../src/plan/random.ts";
import { measureFalseClaims, measurePairCoverage, noises, tally, upTo } from "./coverage-outcomes.ts";

// Bounds are 5 % and two and a half standard errors of the trials.
const bound = (trials: number) => 0.05 + 2.5 * Math.sqrt((0.05 * 0.95) / trials);

test("false leads and false equivalences stay below 5 % for 2 to 12 contenders, at one look and at ten", () => {
  const random = createRandom(61);
  for (const [contenders, trials] of [
    [2, 1000],
    [3, 700],
    [5, 300],
    [12, 100],
  ] as const) {
    for (const looks of [[5], upTo(12)]) {
      const { leads, equivalents } = measureFalseClaims(
        { contenders, looks, noise: noises.normal },
        trials,
        random,
      );
      expect(leads).toBeLessThan(bound(trials));
      expect(equivalents).toBeLessThan(bound(trials));
    }
  }
}, 120_000);

test("neither heavy tails nor outliers nor one noisy contender raise them", () => {
  const random = createRandom(62);
  for (const noise of [noises["t, 3 df"], noises.outliers, noises.normal]) {
    for (const looks of [[3], upTo(6)]) {
      const plan = { contenders: 4, looks, noise, noisy: noise === noises.normal };
      const { leads, equivalents } = measureFalseClaims(plan, 500, random);
      expect(leads).toBeLessThan(bound(500));
      expect(equivalents).toBeLessThan(bound(500));
    }
  }
}, 120_000);

test("limits hold in 95 % of pairs, within 1 %, and under heavy tails in up to 98 %", () => {
  const random = createRandom(63);
  for (const looks of [[3], [5], [12], upTo(6), upTo(12)]) {
    const normal = measurePairCoverage({ looks, noise: noises.normal }, 4000, random);
    expect(Math.abs(normal - 0.95)).toBeLessThan(0.01);
    for (const noise of [noises["t, 3 df"], noises.outliers]) {
      const heavy = measurePairCoverage({ looks, noise }, 2000, random);
      expect(heavy).toBeGreaterThan(0.94);
      expect(heavy).toBeLessThan(0.985);
    }
  }
});

test("at 2 % of noise twelve rounds decide whether a pair differs by a tenth or by nothing that matters", () => {
  const random = createRandom(64);
  const play = (difference: number) =>
    tally(
      { logs: [difference, 0], deviations: [0.014, 0.014], noise: noises.normal, rounds: 12 },
      { margin: 0.05, looks: upTo(12) },
      300,
      random,
    );
  expect(play(0).equivalents + play(0).leads).toBeGreaterThan(0.95);
  expect(play(Math.log(1.1)).leads).toBeGreaterThan(0.99);
  expect(play(Math.log(1.1)).rounds).toBeLessThan(6);
});
