import { expect, test } from "bun:test";
import { Histogram } from "../../stats/histogram.ts";
import { buildTimeline } from "./timeline.ts";

function latencies(...valuesUs: readonly number[]): Histogram {
  const histogram = new Histogram();
  for (const value of valuesUs) histogram.record(value);
  return histogram;
}

test("every second has a bucket, those in which nothing happened too", () => {
  const load = new Map([
    [0, { sent: 3, delivered: 2, latency: latencies(100, 300) }],
    [2, { sent: 0, delivered: 1, latency: latencies(2000) }],
  ]);
  const server = new Map([[0, { cpuMs: 12.4, rssBytes: 5000 }]]);
  expect(buildTimeline(load, server)).toEqual([
    {
      second: 0,
      sent: 3,
      delivered: 2,
      p50Us: 100,
      p99Us: null,
      maxUs: 300,
      serverCpuMs: 12,
      serverRssBytes: 5000,
    },
    {
      second: 1,
      sent: 0,
      delivered: 0,
      p50Us: null,
      p99Us: null,
      maxUs: null,
      serverCpuMs: null,
      serverRssBytes: null,
    },
    {
      second: 2,
      sent: 0,
      delivered: 1,
      p50Us: 2000,
      p99Us: null,
      maxUs: 2000,
      serverCpuMs: null,
      serverRssBytes: null,
    },
  ]);
});

test("seconds in which only the server was watched are not the phase's", () => {
  expect(buildTimeline(new Map(), new Map([[0, { cpuMs: 1, rssBytes: 1 }]]))).toEqual([]);
});
