import { expect, test } from "bun:test";
import { drawNormal } from "../../bench/coverage.ts";
import { createRandom } from "../plan/random.ts";
import { SteadinessWatch } from "./steadiness.ts";

const windowSeconds = 0.06;
const mostSeconds = 10;

/** Seconds until steady, of a server whose rate is a function of time; null where the time is over before. */
function watch(rateAt: (seconds: number) => number, noise = 0, seed = 1): number | null {
  const random = createRandom(seed);
  const steadiness = new SteadinessWatch();
  for (let seconds = windowSeconds; seconds < mostSeconds; seconds += windowSeconds) {
    steadiness.note([rateAt(seconds) * Math.exp(noise * drawNormal(random))]);
    if (steadiness.isSteady()) return seconds;
  }
  return null;
}

const seeds = Array.from({ length: 100 }, (_, seed) => seed + 1);
const rising = (tau: number, from: number) => (seconds: number) =>
  1e5 * (1 - (1 - from) * Math.exp(-seconds / tau));
const shareOf = (values: readonly boolean[]) => values.filter(Boolean).length / values.length;

test("a rate that is steady from the beginning is known to be after eight windows", () => {
  expect(watch(() => 1e5)).toBeCloseTo(8 * windowSeconds);
});

test("a server that slows down is not waited for", () => {
  expect(watch((seconds) => 1e5 / (1 + seconds))).toBeCloseTo(8 * windowSeconds);
});

test.each([
  [0.2, 0.4],
  [1, 0.3],
])(
  "one that gets faster with a time constant of %f s is waited for until nothing that matters is missing",
  (tau, from) => {
    const rateAt = rising(tau, from);
    const seconds = watch(rateAt);
    expect(rateAt(seconds ?? 0)).toBeGreaterThan(0.97e5);
  },
);

test("one that never ends to get faster is never steady", () => {
  expect(watch((seconds) => 1e5 * (1 + seconds))).toBeNull();
});

test.each([0.1, 0.2, 0.4])(
  "noise of %f keeps a steady server going for a while, and not for ever",
  (noise) => {
    const times = seeds.map((seed) => watch(() => 1e5, noise, seed));
    expect(shareOf(times.map((seconds) => seconds !== null))).toBeGreaterThanOrEqual(0.97);
    expect(shareOf(times.map((seconds) => seconds !== null && seconds < 3))).toBeGreaterThan(0.8);
  },
);

test.each([
  [0.1, 0.6],
  // Such noise ends some too early: else it would keep those waiting that are steady.
  [0.2, 0.15],
])("through noise of %f those that get faster are still seen, a share of %f to the end", (noise, share) => {
  const rateAt = rising(1, 0.3);
  const ends = seeds.map((seed) => rateAt(watch(rateAt, noise, seed) ?? mostSeconds));
  expect(shareOf(ends.map((rate) => rate > 0.95e5))).toBeGreaterThan(share);
});

test.each([0.2, 0.5, 1])("a sawtooth of %f s, as of a collector, ends", (period) => {
  expect(watch((seconds) => 1e5 * (1 - 0.4 * ((seconds / period) % 1)))).not.toBeNull();
});

test("of several things that are watched, each has to be steady", () => {
  const steadiness = new SteadinessWatch();
  let windows = 0;
  for (; windows < 100 && !steadiness.isSteady(); windows += 1) steadiness.note([1e5, 1e5 + windows * 1e4]);
  expect(windows).toBe(100);
});
