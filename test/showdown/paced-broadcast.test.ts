import { expect, setDefaultTimeout, test } from "bun:test";
import { measureOf } from "../../src/measures/catalogue.ts";
import {
  expectBalanced,
  findingsOf,
  fixtures,
  loadPhase,
  longestMs,
  ranPhase,
  roundOf,
  runFixtures,
  runResults,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

test("a paced broadcast has one message in a segment where the burst has many, and the report tells them apart", async () => {
  const run = await runResults(
    ...["run", "--preset", "smoke", "--contenders", fixtures, "--no-verify", "--keep-invalid", "--details"],
    ...["--phases", "burst-broadcast,steady-broadcast,steady-rooms", "--sliced-seconds", "0.2"],
    ...["--room-size", "10", "writes-together", "writes-singly"],
  );
  expect(run.exitCode).toBe(0);
  const perSegment = (contender: string, phase: string) =>
    measureOf("messages-per-segment").pick(loadPhase(roundOf(run, contender), phase)) ?? Number.NaN;
  for (const contender of ["writes-together", "writes-singly"]) {
    const round = roundOf(run, contender);
    expect(findingsOf(round)).toEqual([]);
    expectBalanced(round);
    for (const name of ["steady-broadcast", "steady-rooms"]) {
      const phase = loadPhase(round, name);
      expect(phase).toMatchObject({ status: "ok", messages: { lost: 0, unsent: 0 } });
      if (phase.kind !== "steady") throw new Error("no steady phase");
      expect(phase.rate?.offeredPerSecond).toBeGreaterThan(0);
      expect(perSegment(contender, name)).toBeLessThan(1.5);
    }
  }
  expect(perSegment("writes-together", "burst-broadcast")).toBeGreaterThan(2);
  const words = run.stdout.replace(/\s+/g, " ");
  expect(words).toContain("Burst broadcast, all at once");
  expect(words).toContain("Steady broadcast, paced");
  expect(words).toMatch(
    /Messages in a TCP segment, all at once and paced: writes-together [\d.]+ and [\d.]+, writes-singly/,
  );
});

test("a server that delivers at most 2,000/s is found to sustain that in a paced broadcast", async () => {
  const run = await runFixtures(
    ["limited-rate"],
    ...["--phases", "capacity-broadcast", "--capacity-start", "1000", "--p99-limit", "200"],
  );
  const phase = ranPhase(roundOf(run, "limited-rate"), "capacity-broadcast");
  if (phase.kind !== "capacity") throw new Error("no capacity phase");
  expect(phase).toMatchObject({ status: "ok", workload: "broadcast", findings: [], messages: { lost: 0 } });
  // A message is 50 deliveries.
  expect(phase.capacity.ratePerSecond).toBeGreaterThan(1750);
  expect(phase.capacity.ratePerSecond).toBeLessThan(2110);
});
