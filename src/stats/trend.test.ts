import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawNormal } from "../../bench/coverage.ts";
import { createRandom, type Random } from "../plan/random.ts";
import { measureTrend, type Point } from "./trend.ts";

const perSecond = (count: number, value: (second: number) => number): Point[] =>
  Array.from({ length: count }, (_, second) => ({ at: second, value: value(second) }));

/** Noise in which each value keeps the share `alike` of the one before. */
function drawSeries(random: Random, count: number, alike: number, slope: number): Point[] {
  let noise = drawNormal(random);
  return perSecond(count, (second) => {
    noise = alike * noise + Math.sqrt(1 - alike ** 2) * drawNormal(random);
    return 100 + slope * second + noise;
  });
}

test("a line is found exactly", () => {
  const slopes = fc.integer({ min: -1000, max: 1000 }).filter((slope) => slope !== 0);
  fc.assert(
    fc.property(slopes, fc.integer({ min: -1000, max: 1000 }), (slope, start) => {
      const trend = measureTrend(perSecond(60, (second) => start + slope * second));
      if (trend.kind === "unknown") throw new Error(trend.reason);
      expect(trend.kind).toBe(slope > 0 ? "rising" : "falling");
      expect(trend.slope).toBeCloseTo(slope, 6);
    }),
  );
});

test("nothing that moves is steady", () => {
  expect(measureTrend(perSecond(60, () => 5))).toEqual({ kind: "steady", slope: 0, low: 0, high: 0 });
});

test("a heap that grows and is collected is no leak; with a leak under it, it is one", () => {
  for (const period of [3, 7, 11]) {
    for (let phase = 0; phase < period; phase++) {
      const heap = (second: number) => 100 + ((second + phase) % period);
      expect(measureTrend(perSecond(60, heap)).kind).toBe("steady");
      expect(measureTrend(perSecond(60, (second) => heap(second) + second / 2)).kind).toBe("rising");
    }
  }
});

test("gaps in time are allowed for", () => {
  const points = perSecond(60, (second) => 3 * second).filter(({ at }) => at < 10 || at > 40);
  expect(measureTrend(points)).toMatchObject({ kind: "rising", slope: expect.closeTo(3, 6) });
});

test("95 % limits hold in about 95 % of series, though points resemble their neighbours", () => {
  const random = createRandom(31);
  for (const alike of [0, 0.3, 0.6]) {
    const trends = Array.from({ length: 1000 }, () => measureTrend(drawSeries(random, 60, alike, 0.02)));
    const held = trends.filter(
      (trend) => trend.kind !== "unknown" && trend.low <= 0.02 && 0.02 <= trend.high,
    );
    expect(held.length).toBeGreaterThan(925);
    expect(held.length).toBeLessThan(975);
  }
});

test("a drift of the size of the noise over a minute is found", () => {
  const random = createRandom(32);
  const trends = Array.from({ length: 200 }, () => measureTrend(drawSeries(random, 60, 0.3, 3 / 60)));
  expect(trends.filter(({ kind }) => kind === "rising").length).toBeGreaterThan(180);
});

test("too little to tell is said, not guessed", () => {
  expect(measureTrend(perSecond(9, (second) => second))).toEqual({
    kind: "unknown",
    reason: "9 points, at least 10 are needed",
  });
  expect(measureTrend(perSecond(20, () => 1).map((point) => ({ ...point, at: 3 })))).toMatchObject({
    kind: "unknown",
    reason: "all points are of the same time",
  });
  expect(measureTrend(perSecond(20, (second) => Math.sin(second / 6)))).toMatchObject({ kind: "unknown" });
});
