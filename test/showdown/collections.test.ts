import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { loadPhase, longestMs, roundOf, runResults, smokeRun, writeContenders } from "./showdown.ts";

setDefaultTimeout(longestMs);

const contenders = writeContenders({
  often: { FAULT: "collect", FAULT_EVERY: "100" },
  rarely: { FAULT: "collect", FAULT_EVERY: "600" },
  silent: { FAULT: "none" },
});
afterAll(() => rmSync(contenders, { recursive: true }));

test("major collections are counted by endurance, and memory is not judged where there were too few", async () => {
  const run = await runResults(
    ...smokeRun.filter((option) => option !== "--json"),
    ...["--contenders", contenders, "--phases", "connect,burst-echo,endurance-echo", "--details"],
    ...["often", "rarely", "silent"],
  );
  const phases = ["often", "rarely", "silent"].map((name) => loadPhase(roundOf(run, name), "endurance-echo"));
  // 501 messages before, of the readiness check and the burst, and 1,000 in it.
  expect(phases).toMatchObject([{ majorCollections: 10 }, { majorCollections: 2 }, {}]);
  expect(phases[2]).not.toHaveProperty("majorCollections");
  expect(loadPhase(roundOf(run, "often"), "burst-echo")).not.toHaveProperty("majorCollections");
  const [often, , silent] = phases.map(({ server }) => server);
  // Ten times the whole heap for a thousand small messages: far more than they cost themselves.
  expect(often?.collectorCpuShare).toBeGreaterThan(0.05);
  expect(silent).not.toHaveProperty("collectorCpuShare");
  const words = run.stdout.replace(/\s+/g, " ");
  expect(words).toContain(
    "rarely: 2 major collections in the phase, too few to tell a leak from a heap that waits for its collector.",
  );
  expect(words).toContain("Major collections unknown: silent.");
  expect(words).not.toContain("often: 10 major collections");
});
