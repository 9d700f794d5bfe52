import { expect, setDefaultTimeout, test } from "bun:test";
import { findingsOf, longestMs, roundOf, runFixtures } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("rooms are warmed up before a phase with rooms is measured", async () => {
  const findings = async (warmupSeconds: string) => {
    const options = [
      "--phases",
      "connect,burst-rooms",
      "--room-size",
      "8",
      "--warmup-seconds",
      warmupSeconds,
    ];
    return findingsOf(roundOf(await runFixtures(["cold-in-rooms"], ...options), "cold-in-rooms"));
  };
  // What the first deliveries of a room meet is there to be seen without a warm-up, and only then.
  expect(await findings("0")).toEqual([["burst-rooms", "lost", 50]]);
  expect(await findings("0.1")).toEqual([]);
});
