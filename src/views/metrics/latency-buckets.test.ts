import { expect, test } from "bun:test";
import { Histogram } from "../../stats/histogram.ts";
import { boundariesSeconds, LatencyBuckets } from "./latency-buckets.ts";

test("each latency is in the bucket of the first boundary that it does not exceed", () => {
  const latencies = new LatencyBuckets();
  const byBoundary = () =>
    Object.fromEntries(
      latencies.counts.flatMap((count, at) =>
        count === 0 ? [] : [[boundariesSeconds[at] ?? "more", count]],
      ),
    );
  const first = new Histogram();
  for (const us of [0, 10, 11, 900, 100_000_000]) first.record(us);
  latencies.add(first.toSparse());
  expect(byBoundary()).toEqual({ "0.00001": 2, "0.000015": 1, "0.001": 1, more: 1 });
  const second = new Histogram();
  for (const us of [20, 900]) second.record(us);
  latencies.add(second.toSparse());
  expect(byBoundary()).toEqual({ "0.00001": 2, "0.000015": 1, "0.00002": 1, "0.001": 2, more: 1 });
  expect(latencies.count).toBe(7);
  expect(latencies.sumSeconds).toBeCloseTo(100.001841, 9);
});

test("boundaries rise from 10 µs to a minute", () => {
  expect(boundariesSeconds[0]).toBe(0.00001);
  expect(boundariesSeconds.at(-1)).toBe(60);
  expect(boundariesSeconds).toEqual([...boundariesSeconds].sort((a, b) => a - b));
});
