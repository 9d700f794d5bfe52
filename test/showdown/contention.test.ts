import { expect, setDefaultTimeout, test } from "bun:test";
import type { Plan } from "../../src/plan/plan.ts";
import type { LoadPhase } from "../../src/result/phase.ts";
import { validityLimits } from "../../src/trust/validity.ts";
import { startHog } from "../support/machine-probe.ts";
import { loadPhase, longestMs, roundOf, runResults, showdown, smokeRun } from "./showdown.ts";

setDefaultTimeout(longestMs);

/** More than one, so that the generator gets well under half of what it would use. */
const hogsPerCpu = 3;

async function planCpus(): Promise<Pick<Plan, "workerCpus" | "serverCpus">> {
  const { stdout } = await showdown(...smokeRun, "clean", "--dry-run");
  return (JSON.parse(stdout) as { readonly plan: Plan }).plan;
}

/** A run of the four kinds of phase whose figures hang on processor time, beside the hogs. */
async function runBeside(cpus: readonly number[], ...more: readonly string[]) {
  const hogs = await Promise.all(
    cpus.flatMap((cpu) => Array.from({ length: hogsPerCpu }, () => startHog(cpu))),
  );
  try {
    const run = await runResults(
      ...smokeRun.filter((option) => option !== "--keep-invalid"),
      "clean",
      // Enough work for a burst to take longer than a few of the scheduler's slices, on as many connections as most
      // tests have: of those the generator's ceiling is known, which takes long beside hogs.
      ...["--messages", "6000"],
      ...["--endurance-rate", "30000", "--endurance-seconds", "3", ...more],
    );
    return { run, round: roundOf(run, "clean") };
  } finally {
    for (const hog of hogs) hog.kill();
  }
}

/**
 * That the side which has the hogs beside it is blamed. The other one may be, on a machine that is busy anyway: then the
 * phase's own figures have somebody else on its CPUs too.
 */
function expectBlamed(phase: LoadPhase, side: "generator" | "server", reason: string): void {
  expect(phase).toMatchObject({ status: "invalid", throughput: null });
  expect(isCrowded(phase, side)).toBe(true);
  expect(phase.reason?.kind).toMatch(
    isCrowded(phase, side === "generator" ? "server" : "generator") ? /^(generator|server)-/ : reason,
  );
}

/** Whether somebody else had that side's CPUs for as long as counts as contention. */
function isCrowded(phase: LoadPhase, side: "generator" | "server"): boolean {
  return (phase[side].otherCpuShare ?? 0) >= validityLimits.otherShare[side];
}

const { workerCpus, serverCpus } = await planCpus();
const phases = "connect,burst-echo,burst-broadcast,endurance-echo";

test.skipIf(workerCpus === null)("a generator on busy processors gives no figures", async () => {
  // A generator that may raise its own priority does so while it spins, and would not starve.
  const { run, round } = await runBeside(workerCpus ?? [], "--phases", phases, "--pacing", "timer");
  for (const name of ["burst-echo", "burst-broadcast", "endurance-echo"]) {
    const phase = loadPhase(round, name);
    expectBlamed(phase, "generator", name === "burst-echo" ? "generator-contention" : "generator-");
    expect(phase.messages).toMatchObject({ lost: 0 });
  }
  expect(run.stdout).not.toContain('"deliveriesPerSecond":');
});

test.skipIf(serverCpus === null)(
  "a server on busy processors gives none either, and no capacity",
  async () => {
    const { round } = await runBeside(
      serverCpus ?? [],
      ...["--phases", `${phases},capacity-echo`, "--capacity-start", "120000", "--capacity-seconds", "1"],
    );
    const loads = ["burst-echo", "burst-broadcast", "endurance-echo"].map((name) => loadPhase(round, name));
    for (const load of loads) expectBlamed(load, "server", "server-contention");
    const search = loadPhase(round, "capacity-echo");
    if (search.kind !== "capacity") throw new Error("no capacity phase");
    // What it sustained beside the hogs it sustained; what it did not is not its limit.
    expect(search.status === "invalid" || search.capacity.isLowerBound).toBe(true);
    const isBusy = [...loads, search].some((phase) => isCrowded(phase, "generator"));
    const blamed = search.capacity.steps.map(({ reason }) => reason?.kind ?? "none");
    expect(blamed.join()).toMatch(isBusy ? /(generator|server)-/ : /server-contention/);
  },
);
