import { expect, setDefaultTimeout, test } from "bun:test";
import {
  expectBalanced,
  findingsWithStalls,
  loadPhase,
  longestMs,
  roundOf,
  runFixtures,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

test("a stall is found with its length, and nothing else", async () => {
  // The 3,001st delivery is in endurance, where something is always owed.
  const run = await runFixtures(["stalls-500-ms", "freezes-1-s"], "--endurance-seconds", "3");
  expect(run.exitCode).toBe(0);
  for (const [contender, ms] of [
    ["stalls-500-ms", 500],
    ["freezes-1-s", 1000],
  ] as const) {
    const round = roundOf(run, contender);
    expectBalanced(round);
    expect(findingsWithStalls(round)).toEqual([["endurance-echo", "stall", 1]]);
    const endurance = loadPhase(round, "endurance-echo");
    expect(Math.abs((endurance.longestSilenceMs ?? 0) - ms)).toBeLessThanOrEqual(60);
    expect(endurance.messages).toMatchObject({ delivered: 3000, lost: 0 });
    // The first message that had to wait waited all of it, from the moment it was due.
    expect(endurance.latencyUs?.max).toBeGreaterThan(ms * 1000 * 0.95);
  }
});

test("a server that thinks about /stats makes nobody late: all start when all are ready", async () => {
  const run = await runFixtures(["slow-stats"], "--phases", "connect,endurance-echo", "--pacing", "timer");
  const endurance = loadPhase(roundOf(run, "slow-stats"), "endurance-echo");
  expect(endurance.messages).toMatchObject({ delivered: 1000, lost: 0, declaredDropped: 0 });
  // What a start agreed on before the answer would cost, with room for a busy machine.
  expect(endurance.sendLagUs.p50 ?? 0).toBeLessThan(300_000);
});
