import { expect, test } from "bun:test";
import { drawFraction, drawNormal } from "../../bench/coverage.ts";
import { noises } from "../../bench/coverage-outcomes.ts";
import { createRandom } from "../plan/random.ts";
import { type MemoryPoint, type Slope, slopeInterval } from "./slope.ts";

const bytesPerConnection = 5000;

/** Memory with a base of 50 MB, over `count` steps to 1,000 connections. */
const opening = (count: number, noise: (step: number) => number): MemoryPoint[] =>
  Array.from({ length: count }, (_, step) => {
    const connections = ((step + 1) * 1000) / count;
    return { connections, bytes: 50e6 + bytesPerConnection * connections + noise(step) };
  });

function limits(slope: Slope) {
  if (!("low" in slope)) throw new Error(`${slope.kind}: ${slope.reason}`);
  return slope;
}

/** The share of series whose limits hold the true slope. */
function measureHolding(trials: number, draw: () => MemoryPoint[]): number {
  const held = Array.from({ length: trials }, () => limits(slopeInterval(draw()))).filter(
    ({ low, high }) => low <= bytesPerConnection && bytesPerConnection <= high,
  );
  return held.length / trials;
}

test("a line is found exactly, whatever the base", () => {
  const slope = slopeInterval(opening(20, () => 0));
  expect(slope.kind).toBe("resolved");
  for (const limit of ["slope", "low", "high"] as const) {
    expect(limits(slope)[limit]).toBeCloseTo(bytesPerConnection, 3);
  }
});

test("a heap that grows once by 20 MB while two points are taken turns least squares, and not this line", () => {
  const slope = slopeInterval(opening(30, (step) => (step === 27 || step === 28 ? 20e6 : 1000 * (step % 3))));
  expect(slope.kind).toBe("resolved");
  expect(limits(slope).slope / bytesPerConnection).toBeCloseTo(1, 1);
});

test("limits hold in 95 % of series under normal and heavy-tailed noise and under a sawtooth", () => {
  const random = createRandom(51);
  for (const noise of Object.values(noises)) {
    expect(measureHolding(300, () => opening(40, () => 200e3 * noise(random)))).toBeGreaterThan(0.93);
  }
  const sawtooth = () => {
    const [period, phase] = [4 + drawFraction(random) * 8, drawFraction(random)];
    return opening(40, (step) => 500e3 * ((step / period + phase) % 1));
  };
  expect(measureHolding(200, sawtooth)).toBeGreaterThan(0.95);
});

test("limits hold in nine of ten series whose neighbours resemble each other, as far as random walks", () => {
  const random = createRandom(52);
  for (const alike of [0.5, 0.8, 0.9, 1]) {
    const wander = () => {
      let noise = 0;
      return opening(40, () => {
        noise = alike * noise + 120e3 * drawNormal(random);
        return noise;
      });
    };
    expect(measureHolding(300, wander)).toBeGreaterThan(0.88);
  }
});

test("a grain widens the limits by its share per connection, so that few connections resolve nothing small", () => {
  const exact = limits(
    slopeInterval(
      opening(20, () => 0),
      500e3,
    ),
  );
  // From the 50th connection to the 1,000th.
  expect(exact.high - exact.slope).toBeCloseTo(500e3 / 950, 0);
  expect(exact.slope - exact.low).toBeCloseTo(500e3 / 950, 0);
  expect(
    slopeInterval(
      opening(20, () => 0),
      500e3,
    ).kind,
  ).toBe("resolved");
  const small = opening(20, () => 0).map(({ connections, bytes }) => ({
    connections,
    bytes: bytes - 4000 * connections,
  }));
  expect(slopeInterval(small).kind).toBe("resolved");
  expect(slopeInterval(small, 500e3)).toMatchObject({ kind: "unresolved", reason: "wide" });
});

test("what is not resolved says so", () => {
  const random = createRandom(53);
  expect(slopeInterval(opening(9, () => 0))).toEqual({ kind: "unresolved", reason: "too-few-points" });
  const idle = opening(20, () => 0).map(({ bytes }) => ({ connections: 100, bytes }));
  expect(slopeInterval(idle)).toEqual({ kind: "unresolved", reason: "too-few-points" });
  const noisy = slopeInterval(opening(20, () => 8e6 * drawNormal(random)));
  expect(noisy).toMatchObject({ kind: "unresolved", reason: "wide" });
  const bent = slopeInterval(
    opening(60, (step) => (step > 30 ? 300e3 * (step - 30) : 0) + 1000 * drawNormal(random)),
  );
  expect(bent).toMatchObject({ kind: "unresolved", reason: "bent" });
  const shrinking = slopeInterval(opening(20, (step) => -400e3 * step));
  expect(shrinking).toMatchObject({ kind: "unresolved", reason: "wide" });
});
