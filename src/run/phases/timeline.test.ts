import { expect, test } from "bun:test";
import { Histogram, type SparseHistogram } from "../../stats/histogram.ts";
import { mostBuckets, TimelineBuilder } from "./timeline.ts";

function latencies(...valuesUs: readonly number[]): SparseHistogram {
  const histogram = new Histogram();
  for (const value of valuesUs) histogram.record(value);
  return histogram.toSparse();
}

const nothing = {
  sent: 0,
  delivered: 0,
  p50Us: null,
  p99Us: null,
  maxUs: null,
  serverCpuMs: null,
  serverRssBytes: null,
};

test("every second has a bucket, those in which nothing happened too", () => {
  const timeline = new TimelineBuilder();
  timeline.addLoad({ second: 2, sent: 0, delivered: 1, latency: latencies(120) });
  timeline.addLoad({ second: 0, sent: 3, delivered: 2, latency: latencies(100, 127) });
  timeline.addServer(0, 12.4, 5000);
  timeline.addServer(0, 2.1, 4000);
  expect(timeline.build()).toEqual({
    bucketSeconds: 1,
    buckets: [
      { ...nothing, sent: 3, delivered: 2, p50Us: 100, maxUs: 127, serverCpuMs: 15, serverRssBytes: 5000 },
      nothing,
      { ...nothing, delivered: 1, p50Us: 120, maxUs: 120 },
    ],
  });
});

test("seconds in which only the server was watched are not the phase's", () => {
  const timeline = new TimelineBuilder();
  timeline.addServer(3, 1, 1);
  expect(timeline.build().buckets).toEqual([]);
});

test("quantiles are those of the seconds within a hundredth", () => {
  const timeline = new TimelineBuilder();
  const values = Array.from({ length: 2000 }, (_, at) => 50 + at * 997);
  timeline.addLoad({ second: 0, sent: 0, delivered: 2000, latency: latencies(...values) });
  const [bucket] = timeline.build().buckets;
  expect(Math.abs((bucket?.p50Us ?? 0) / (values[999] as number) - 1)).toBeLessThan(0.01);
  expect(Math.abs((bucket?.p99Us ?? 0) / (values[1979] as number) - 1)).toBeLessThan(0.01);
  expect(bucket?.maxUs).toBe(values.at(-1) as number);
});

test("a day has no more buckets than twenty minutes, and loses nothing", () => {
  const timeline = new TimelineBuilder();
  const latency = latencies(100, 90_000);
  let most = 0;
  for (let second = 0; second < 86_400; second += 1) {
    timeline.addLoad({ second, sent: 2, delivered: 2, latency });
    timeline.addServer(second, 1, second);
    most = Math.max(most, timeline.bucketCount);
  }
  expect(most).toBeLessThanOrEqual(mostBuckets);
  const { bucketSeconds, buckets } = timeline.build();
  expect(bucketSeconds).toBe(128);
  expect(buckets).toHaveLength(86_400 / 128);
  expect(buckets[0]).toMatchObject({
    sent: 256,
    delivered: 256,
    p50Us: 100,
    maxUs: 90_000,
    serverCpuMs: 128,
  });
  expect(buckets.reduce((all, { delivered }) => all + delivered, 0)).toBe(2 * 86_400);
  expect(buckets.at(-1)?.serverRssBytes).toBe(86_399);
});

test("parts of several processes come to the timeline of one, also where one was wider", () => {
  const seconds = Array.from({ length: 3 * mostBuckets }, (_, second) => ({
    ...{ second, sent: second % 7, delivered: 2 },
    latency: latencies(100 + second, 90_000 - second),
  }));
  const whole = new TimelineBuilder();
  for (const second of seconds) whole.addLoad(second);
  // The second process ended before it had to widen its buckets.
  const parts = [
    (second: number) => second % 2 === 0 || second >= 1000,
    (second: number) => second % 2 === 1 && second < 1000,
  ].map((isOwn) => {
    const part = new TimelineBuilder();
    for (const one of seconds.filter(({ second }) => isOwn(second))) part.addLoad(one);
    return part.toParts();
  });
  for (const order of [parts, parts.toReversed()]) {
    const merged = new TimelineBuilder();
    for (const part of JSON.parse(JSON.stringify(order))) merged.addParts(part);
    expect(merged.build()).toEqual(whole.build());
  }
});
