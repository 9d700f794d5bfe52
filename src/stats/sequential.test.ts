import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawNormal } from "../../bench/coverage.ts";
import { createRandom } from "../plan/random.ts";
import { crossingProbability, Schedule } from "./sequential.ts";
import { studentQuantile } from "./student.ts";

const everyRound = [3, 4, 5, 6, 7, 8, 9, 10, 11, 12];

/** The share of series of normal noise with a significant one-sided t at any look. */
function simulate(looks: readonly number[], levels: readonly number[], trials: number): number {
  const random = createRandom(31);
  const critical = looks.map((rounds, at) => studentQuantile(1 - 2 * (levels[at] ?? 0), rounds - 1));
  let crossed = 0;
  for (let trial = 0; trial < trials; trial++) {
    let [sum, squares, found] = [0, 0, false];
    for (let rounds = 1; rounds <= (looks.at(-1) ?? 0); rounds++) {
      const value = drawNormal(random);
      sum += value;
      squares += value ** 2;
      const look = looks.indexOf(rounds);
      const variance = (squares - sum ** 2 / rounds) / (rounds - 1);
      if (look >= 0 && sum / rounds / Math.sqrt(variance / rounds) > (critical[look] ?? 0)) found = true;
    }
    if (found) crossed++;
  }
  return crossed / trials;
}

test("the probability of crossing at any look is what a simulation finds", () => {
  for (const [looks, level] of [
    [everyRound, 0.025],
    [[2, 4, 9], 0.05],
    [[5, 20], 0.01],
  ] as const) {
    const levels = looks.map(() => level);
    const exact = crossingProbability(looks, levels);
    const found = simulate(looks, levels, 40_000);
    expect(Math.abs(found - exact)).toBeLessThan(3 * Math.sqrt(exact / 40_000));
  }
});

test("over many rounds it is the normal test's: five looks at Pocock's two-sided 1.58 % make 5 %", () => {
  const looks = [60, 120, 180, 240, 300];
  const probability = crossingProbability(
    looks,
    looks.map(() => 0.0158 / 2),
  );
  expect(probability / 0.025).toBeCloseTo(1, 1.3);
});

test("one look permits the whole error, several permit levels that make it up exactly", () => {
  expect(new Schedule([5]).scaleFor(0.025)).toBe(0.025);
  for (const looks of [everyRound, [3, 5], [5, 10, 20]]) {
    const schedule = new Schedule(looks);
    for (const error of [0.05, 0.025, 0.025 / 6, 0.025 / 66]) {
      const scale = schedule.scaleFor(error);
      const levels = schedule.weights.map((weight) => scale * weight);
      expect(Math.abs(crossingProbability(looks, levels) / error - 1)).toBeLessThan(
        error > 0.001 ? 0.01 : 0.03,
      );
      expect(scale).toBeLessThan(error);
      expect(scale * (looks.length + 1)).toBeGreaterThan(error);
    }
  }
});

test("more error permits higher levels at every look", () => {
  const schedule = new Schedule(everyRound);
  const error = fc.double({ min: 1e-4, max: 0.2, noNaN: true });
  fc.assert(
    fc.property(error, error, (one, other) => {
      if (Math.abs(one / other - 1) < 1e-6) return;
      expect(Math.sign(schedule.scaleFor(one) - schedule.scaleFor(other))).toBe(Math.sign(one - other));
    }),
  );
});

test("looks that don't rise from 2 and errors that are none are refused", () => {
  for (const looks of [[], [1, 2], [3, 3], [4.5]]) expect(() => new Schedule(looks)).toThrow("looks after");
  for (const error of [0, 0.3, Number.NaN]) {
    expect(() => new Schedule([3, 4]).scaleFor(error)).toThrow("one-sided error");
  }
});
