import { expect, setDefaultTimeout, test } from "bun:test";
import { expectBalanced, loadPhase, longestMs, phaseOf, roundOf, runFixtures } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("a phase with more errors than allowed is aborted, and has no throughput", async () => {
  const args = ["--messages", "44", "--phases", "connect,burst-echo,endurance-echo"] as const;
  // Two duplicates in the burst and one in endurance.
  const run = await runFixtures(["duplicates-one"], ...args, "--error-threshold", "1");
  const round = roundOf(run, "duplicates-one");
  expectBalanced(round);
  expect(run.result.status).toBe("finished");
  expect(round).toMatchObject({ status: "aborted" });
  const burst = phaseOf(round, "burst-echo");
  expect(burst).toMatchObject({ status: "aborted", throughput: null });
  expect(burst.reason).toEqual({ kind: "too-many-errors", errors: 2, allowed: 1 });
  const endurance = loadPhase(round, "endurance-echo");
  expect(endurance).toMatchObject({ status: "ok", reason: null });
  expect(endurance.throughput?.deliveriesPerSecond).toBeGreaterThan(0);
});

test("more failed attempts than allowed abort connect, and the phases go on with what is open", async () => {
  const run = await runFixtures(
    ["refuses-after-50"],
    ...["--connections", "70", "--error-threshold", "5", "--phases", "connect,burst-echo"],
  );
  const round = roundOf(run, "refuses-after-50");
  expect(round).toMatchObject({ status: "aborted" });
  const connect = phaseOf(round, "connect");
  expect(connect.status).toBe("aborted");
  expect(connect.reason).toMatchObject({ kind: "too-many-errors", allowed: 5 });
  expect(connect).toMatchObject({ connections: { requested: 70, opened: 50, open: 50, failed: 20 } });
  expect(phaseOf(round, "burst-echo")).toMatchObject({ status: "ok", messages: { delivered: 500 } });
});
