import { expect, test } from "bun:test";
import { fixturePlan } from "../../../test/support/fixture-result.ts";
import type { ProbeSample } from "../../process/probe.ts";
import { ConnectMemoryWatch } from "./connect-memory.ts";
import { ProgressBoard } from "./progress-board.ts";

/** Opens connections 20 at a time beside a server whose memory is what `rssOf` says. */
function open(connections: number, rssOf: (opened: number) => number | null) {
  const board = new ProgressBoard(1);
  let opened = 0;
  let reads = 0;
  const watch = {
    followRss: () => () => {
      reads += 1;
      return rssOf(opened);
    },
    latest: () => ({ rssBytes: rssOf(0) }) as ProbeSample,
  };
  const memory = new ConnectMemoryWatch({ board, watch, plan: fixturePlan({ connections }) });
  while (opened < connections) {
    opened += 20;
    board.noteConnect(0, { attempted: opened, opened, failed: 0, failedInARow: 0, died: 0 });
  }
  return { ...memory.describe(), reads };
}

test("what each connection adds is the slope, whatever was there before", () => {
  const { baselineRssBytes, rss, reads } = open(1000, (opened) => 50e6 + 6000 * opened);
  expect(baselineRssBytes).toBe(50e6);
  expect(rss).toMatchObject({ kind: "resolved", bytesPerConnection: 6000 });
  expect(reads).toBe(46);
});

test("20,000 connections are looked at as often as a slope can take, and cost the same each", () => {
  const { rss, reads } = open(20_000, (opened) => 50e6 + 6000 * opened);
  expect(rss).toMatchObject({ kind: "resolved", bytesPerConnection: 6000 });
  expect(reads).toBeLessThan(220);
});

test("the first hundred, which take what the warm-up gave back, are left out", () => {
  const { rss } = open(1000, (opened) => 50e6 + 6000 * Math.max(0, opened - 100));
  expect(rss).toMatchObject({ kind: "resolved", bytesPerConnection: 6000 });
});

test("a thousand connections don't resolve a kilobyte each, 20,000 do", () => {
  expect(open(1000, (opened) => 50e6 + 1200 * opened).rss.kind).toBe("unresolved");
  expect(open(20_000, (opened) => 50e6 + 1200 * opened).rss.kind).toBe("resolved");
});

test("a heap that grew once is not what connections cost", () => {
  const { rss } = open(1000, (opened) => 50e6 + (opened > 500 ? 20e6 : 0));
  expect(rss.kind).toBe("unresolved");
});

test("few connections, or a server of which nothing is known, resolve nothing", () => {
  expect(open(100, (opened) => 50e6 + 6000 * opened).rss).toEqual({
    kind: "unresolved",
    reason: "too-few-points",
    low: null,
    high: null,
  });
  expect(open(1000, () => null).rss).toMatchObject({ kind: "unresolved", reason: "unknown" });
});
