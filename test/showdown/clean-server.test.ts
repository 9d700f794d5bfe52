import { expect, setDefaultTimeout, test } from "bun:test";
import {
  accountsOf,
  expectBalanced,
  findingsOf,
  longestMs,
  ranPhase,
  roundOf,
  runFixtures,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

const allPhases =
  "connect,burst-echo,burst-broadcast,burst-rooms,endurance-echo,endurance-broadcast,endurance-rooms";

test("a clean server gives no finding in any phase, and every delivery arrives", async () => {
  const run = await runFixtures(["clean"], "--phases", allPhases, "--room-size", "8");
  expect(run.exitCode).toBe(0);
  expect(run.result.status).toBe("finished");
  const round = roundOf(run, "clean");
  expect(round).toMatchObject({ status: "ok", reason: null, output: null, shutdown: { graceful: true } });
  expect(findingsOf(round)).toEqual([]);
  expectBalanced(round);
  expect(ranPhase(round, "connect").connections).toMatchObject({
    requested: 50,
    opened: 50,
    open: 50,
    failed: 0,
    died: 0,
  });
  const deliveries = accountsOf(round).map(({ delivered }) => delivered);
  // 50 connections × 10 messages in bursts; 1,000 per second for one second, in whole messages to whole rooms.
  expect(deliveries.slice(0, 4)).toEqual([500, 500, 500, 1000]);
  for (const phase of round.phases) {
    expect(phase.status).toBe("ok");
    if (phase.kind !== "burst" && phase.kind !== "endurance") continue;
    if (phase.status === "not-run") throw new Error("every phase was run");
    expect(phase.messages).toMatchObject({ lost: 0, declaredDropped: 0, late: 0, unsent: 0 });
    expect(phase.messages.frames).toBe(phase.messages.delivered);
    expect(phase.latencyUs.count).toBe(phase.messages.delivered);
    expect(phase.timeline.buckets.reduce((all, { delivered }) => all + delivered, 0)).toBe(
      phase.messages.delivered,
    );
    expect(phase.timeline.buckets.reduce((all, { sent }) => all + sent, 0)).toBe(phase.messages.sent);
    expect(phase.throughput?.deliveriesPerSecond).toBeGreaterThan(0);
  }
});

test("several workers and a warm-up change nothing of the account", async () => {
  const run = await runFixtures(["clean"], "--workers", "3", "--warmup-seconds", "0.5", "--rounds", "2");
  expect(run.exitCode).toBe(0);
  expect(run.result.rounds.map(({ round, position }) => [round, position])).toEqual([
    [1, 1],
    [2, 2],
  ]);
  for (const round of run.result.rounds) {
    expect(findingsOf(round)).toEqual([]);
    expectBalanced(round);
    expect(accountsOf(round).map(({ delivered }) => delivered)).toEqual([500, 500, 1000]);
  }
});
