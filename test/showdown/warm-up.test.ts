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

test("a server that gets faster is warmed up until it does no more; one that is not given the time is named", async () => {
  const warmUp = async (limit: string) => {
    const options = ["--phases", "connect,burst-echo", "--warmup-seconds", "0.1", "--warmup-limit", limit];
    const { result } = await runFixtures(["clean", "warms-up"], ...options);
    const [clean, warming] = ["clean", "warms-up"].map(
      (name) => result.rounds.find(({ contender }) => contender === name)?.warmUp,
    );
    const named = result.warnings.flatMap((one) => (one.kind === "not-warmed-up" ? one.contender : []));
    return { clean, warming, isNamed: named.includes("warms-up") };
  };
  const whole = await warmUp("60");
  expect(whole).toMatchObject({ clean: { ended: "steady" }, warming: { ended: "steady" }, isNamed: false });
  // Its first 2,000 deliveries, which halve what is to be gained, take 1.4 s. Among noise the last of it may be missed.
  expect(whole.warming?.durationMs).toBeGreaterThan(900);
  expect(await warmUp("0.5")).toMatchObject({ warming: { ended: "time" }, isNamed: true });
});
