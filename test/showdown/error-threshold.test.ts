import { expect, test } from "bun:test";
import { expectBalanced, phaseOf, roundOf, runFixtures } from "./showdown.ts";

test("a phase with more errors than allowed is aborted, and has no throughput", async () => {
  const args = ["--messages", "44", "--phases", "connect,burst-echo,endurance-echo"] as const;
  // Two duplicates in the burst and one in endurance.
  const run = await runFixtures(["duplicates-one"], ...args, "--error-threshold", "1");
  const round = roundOf(run, "duplicates-one");
  expectBalanced(round);
  expect(run.result.status).toBe("finished");
  expect(round).toMatchObject({ status: "aborted" });
  const burst = phaseOf(round, "burst-echo");
  expect(burst).toMatchObject({ status: "aborted", throughput: null, rate: null });
  expect(burst.reason).toBe("2 errors, more than the 1 allowed");
  const endurance = phaseOf(round, "endurance-echo");
  expect(endurance).toMatchObject({ status: "ok", reason: null });
  expect(endurance.throughput?.deliveriesPerSecond).toBeGreaterThan(0);
});
