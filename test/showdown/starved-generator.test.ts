import { expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import type { Plan } from "../../src/plan/plan.ts";
import { longestMs, phaseOf, roundOf, runResults, showdown, smokeRun } from "./showdown.ts";

setDefaultTimeout(longestMs);

/** More than one, so that the generator gets well under half of what it would use. */
const hogsPerCpu = 3;

async function planCpus(): Promise<Plan["workerCpus"]> {
  const { stdout } = await showdown(...smokeRun, "clean", "--dry-run");
  return (JSON.parse(stdout) as { readonly plan: Plan }).plan.workerCpus;
}

/** Processes that keep these CPUs busy until they are killed. */
function startHogs(cpus: readonly number[]) {
  const pin = JSON.stringify(join(import.meta.dir, "..", "..", "src", "machine", "pin.ts"));
  return cpus.flatMap((cpu) =>
    Array.from({ length: hogsPerCpu }, () =>
      Bun.spawn(
        [
          process.execPath,
          "-e",
          `const { pinProcess } = await import(${pin}); pinProcess([${cpu}]); console.log("pinned"); for (;;);`,
        ],
        { stdin: "ignore", stdout: "pipe", stderr: "inherit" },
      ),
    ),
  );
}

const workerCpus = await planCpus();

test.skipIf(workerCpus === null)("a generator on busy processors gives no figures", async () => {
  const hogs = startHogs(workerCpus ?? []);
  try {
    for (const { stdout } of hogs) await stdout.getReader().read();
    const run = await runResults(
      ...smokeRun.filter((option) => option !== "--no-void"),
      "clean",
      // Enough work for a burst to take longer than a few of the scheduler's slices.
      ...["--connections", "500", "--messages", "300"],
      ...["--phases", "connect,burst-echo,burst-broadcast,endurance-echo"],
      // A generator that may raise its own priority does so while it spins, and would not starve.
      ...["--pacing", "timer", "--endurance-rate", "30000", "--endurance-seconds", "3"],
    );
    const round = roundOf(run, "clean");
    for (const name of ["burst-echo", "burst-broadcast", "endurance-echo"]) {
      const phase = phaseOf(round, name);
      expect(`${name}: ${phase.status}, ${phase.reason}`).toMatch(/void, the generator/);
      expect(phase.throughput).toBeNull();
      expect(phase.messages).toMatchObject({ lost: 0 });
    }
    expect(phaseOf(round, "burst-echo").reason).toContain("starved: other processes took");
    expect(run.stdout).not.toContain('"deliveriesPerSecond":');
  } finally {
    for (const hog of hogs) hog.kill();
  }
});
