import { uniformFloat64 } from "pure-rand/distribution/uniformFloat64";
import { createRandom, drawBelow, type Random } from "../src/plan/random.ts";
import { type Interval, median, medianInterval } from "../src/stats/intervals.ts";

/** The rounds of one entrant; the true median is 1. */
export type Shape = (random: Random, rounds: number) => number[];

/** What rounds look like: symmetric noise, a long tail, and steady but for one round that something disturbed. */
export const shapes = {
  normal: (random, rounds) => draw(rounds, () => 1 + 0.05 * drawNormal(random)),
  "log-normal": (random, rounds) => draw(rounds, () => Math.exp(0.5 * drawNormal(random))),
  "one outlier": (random, rounds) =>
    draw(rounds, (round) => (1 + 0.03 * drawNormal(random)) * (round === 0 ? 1.5 : 1)),
} satisfies Record<string, Shape>;

/** In how many of `trials` experiments the interval holds the true median, 1, as a share. */
export function measureCoverage(
  layInterval: (values: readonly number[]) => Interval | null,
  shape: Shape,
  rounds: number,
  trials: number,
  random: Random,
): number {
  const held = draw(trials, () => layInterval(shape(random, rounds))).filter(
    (interval) => interval !== null && interval.low <= 1 && 1 <= interval.high,
  );
  return held.length / trials;
}

/** The usual bootstrap, which lost: the middle 95 % of the medians of 2,000 resamples. */
export function bootstrapMedian(random: Random): (values: readonly number[]) => Interval {
  return (values) => {
    const resampled = draw(2000, () =>
      median(values.map(() => values[drawBelow(random, values.length)] ?? 0)),
    );
    const sorted = resampled.sort((a, b) => a - b);
    return { middle: median(values), low: sorted[49] ?? Number.NaN, high: sorted[1950] ?? Number.NaN };
  };
}

/** A number in [0, 1), each multiple of 2^-53 equally likely. */
export const drawFraction: (random: Random) => number = uniformFloat64;

/** From the standard normal distribution (Box and Muller, Annals of Mathematical Statistics 29, 1958). */
export function drawNormal(random: Random): number {
  const radius = Math.sqrt(-2 * Math.log(1 - drawFraction(random)));
  return radius * Math.cos(2 * Math.PI * drawFraction(random));
}

function draw<T>(count: number, one: (index: number) => T): T[] {
  return Array.from({ length: count }, (_, index) => one(index));
}

function printTable(): void {
  const random = createRandom(1);
  const percent = (share: number) => (100 * share).toFixed(1);
  const row = (cells: readonly (string | number)[]) => console.log(`| ${cells.join(" | ")} |`);
  const titles = ["rounds", ...Object.keys(shapes).flatMap((shape) => [`${shape}: t on logs`, "bootstrap"])];
  row(titles);
  row(titles.map(() => "---"));
  for (const rounds of [3, 5, 10]) {
    const cells = Object.values(shapes).flatMap((shape) => [
      percent(measureCoverage(medianInterval, shape, rounds, 20_000, random)),
      percent(measureCoverage(bootstrapMedian(random), shape, rounds, 2000, random)),
    ]);
    row([rounds, ...cells]);
  }
}

if (import.meta.main) printTable();
