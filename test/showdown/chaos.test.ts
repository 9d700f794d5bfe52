import { beforeAll, expect, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import type { ChaosPhase, FaultReport } from "../../src/result/phase.ts";
import { isRunning } from "../support/contender-folder.ts";
import {
  type EndedRun,
  longestMs,
  ranPhase,
  readResult,
  roundOf,
  runFixtures,
  smokeRun,
  temporaryFolder,
} from "./showdown.ts";

// Started anew by a machine that is busy with the others.
const patient = ["--ready-seconds", "15"];
const chaos = ["--phases", "connect,chaos-rooms", "--no-pin", "--pacing", "timer", ...patient];
const megabyte = 1_000_000;

let known: EndedRun;
let silent: EndedRun;
let everything: EndedRun;
let hung: EndedRun;
beforeAll(async () => {
  // Side by side, since what they wait for is the clock.
  [known, silent, everything, hung] = await Promise.all([
    runFixtures(
      ["dies-on-crash", "leaks-on-reset", "hurts-only-its-own"],
      ...chaos,
      "--faults",
      "resets,crash",
    ),
    runFixtures(["recovers-in-2-s"], ...chaos, "--faults", "resets,crash", "--chaos-seconds", "1/1/4"),
    runFixtures(["hurts-only-its-own"], ...chaos),
    // It hangs on its 501st message, a quarter of a second into the first fault.
    runFixtures(
      ["hangs-in-burst"],
      ...chaos,
      ...["--faults", "storm,kill", "--connect-seconds", "1", "--endurance-rate", "20000"],
    ),
  ]);
}, longestMs);

function chaosOf(run: EndedRun, contender: string): ChaosPhase {
  const phase = ranPhase(roundOf(run, contender), "chaos-rooms");
  if (phase.kind !== "chaos") throw new Error("no chaos phase");
  return phase;
}

function faultOf(run: EndedRun, contender: string, name: FaultReport["fault"]): FaultReport {
  const fault = chaosOf(run, contender).faults.find((one) => one.fault === name);
  if (fault === undefined) throw new Error(`${contender} was not hit by ${name}; it said: ${run.stderr}`);
  return fault;
}

/** Faulty clients apart, nobody lost anything, and everyone was back. */
function expectUnharmed(fault: FaultReport): void {
  expect(fault).toMatchObject({
    lostConnections: 0,
    lost: 0,
    unsent: 0,
    reconnect: { unserved: 0 },
    server: { exit: null, restarted: false },
  });
  expect(fault.reconnect.opened).toBe(fault.reconnect.wanted);
}

test("a server that dies of a crash message: everyone is lost, it is started again, and everyone is back", () => {
  expectUnharmed(faultOf(known, "dies-on-crash", "resets"));
  const crash = faultOf(known, "dies-on-crash", "crash");
  expect(crash).toMatchObject({
    faultyClients: 3,
    unaffectedClients: 47,
    lostConnections: 47,
    faulty: { lost: 3 },
    reconnect: { wanted: 50, opened: 50, unserved: 0 },
    server: { exit: { code: 7, signal: null }, restarted: true },
  });
  expect(crash.failures.reduce((all, { count }) => all + count, 0)).toBe(47);
  expect(crash.lost).toBeGreaterThan(0);
  expect(crash.lost).toBeLessThan(crash.planned);
  expect(crash.server.output).toContain("fatal: died of a crash message, as told");
  expect(crash.server.downMs).toBeGreaterThan(0);
  // The story is told, and the round goes on: it is no failure of the phase.
  expect(roundOf(known, "dies-on-crash")).toMatchObject({ status: "ok", reason: null });
});

test("a server that leaks on a reset: 16 MiB for each of the three, and they are not given back", () => {
  const resets = faultOf(known, "leaks-on-reset", "resets");
  expectUnharmed(resets);
  expect(resets).toMatchObject({ faultyClients: 3, reconnect: { wanted: 3, opened: 3 } });
  const growth = (resets.rssAfterBytes ?? 0) - (resets.rssBeforeBytes ?? 0);
  // What else the server has may shrink a little meanwhile, or grow: a fraction of one leak.
  expect(growth).toBeGreaterThan(3 * 16.7 * megabyte - 2 * megabyte);
  expect(growth).toBeLessThan(3 * 16.8 * megabyte + 15 * megabyte);
});

test("a server that recovers in exactly 2 s", () => {
  const faults = (["resets", "crash"] as const).map((name) => faultOf(silent, "recovers-in-2-s", name));
  for (const fault of faults) {
    expectUnharmed(fault);
    // Later than the noise before is late: what was meant in the last of the 2 s may be in time.
    expect(fault.recoveredMs ?? Number.POSITIVE_INFINITY).toBeGreaterThan(1900 - fault.lateUs / 1000);
    expect(fault.longestSilenceMs).toBeGreaterThan(1990);
    expect(fault.under.max).toBeGreaterThan(1_900_000);
  }
  // Upwards a busy machine may add anything, but hardly a second twice.
  const least = (pick: (fault: FaultReport) => number | null) =>
    Math.min(...faults.map((fault) => pick(fault) ?? 1e9));
  expect(least(({ recoveredMs }) => recoveredMs)).toBeLessThan(3000);
  expect(least(({ longestSilenceMs }) => longestSilenceMs)).toBeLessThan(3000);
  expect(least(({ silenceBeforeMs }) => silenceBeforeMs)).toBeLessThan(500);
  expect(least((fault) => fault.under.max)).toBeLessThan(3_000_000);
  // Of 5 s from the fault on.
  expect(least(({ late, planned }) => late / planned)).toBeWithin(0.25, 0.55);
});

test("a server that hurts only its own", () => {
  for (const run of [known, everything]) {
    const crash = faultOf(run, "hurts-only-its-own", "crash");
    expectUnharmed(crash);
    expect(crash).toMatchObject({
      faultyClients: 3,
      faulty: { lost: 3 },
      reconnect: { wanted: 3, opened: 3 },
    });
  }
});

test("all faults are injected in turn, each into its own clients", () => {
  expect(everything.exitCode).toBe(0);
  const phase = chaosOf(everything, "hurts-only-its-own");
  expect(phase).toMatchObject({ status: "ok", findings: [] });
  const clients = phase.faults.map((one) => [one.fault, one.faultyClients, one.unaffectedClients]);
  expect(clients).toEqual([
    ["slow-readers", 1, 49],
    ["resets", 3, 47],
    ["garbage", 20, 50],
    ["storm", 13, 37],
    ["crash", 3, 47],
    ["kill", 0, 50],
  ]);
  for (const name of ["resets", "garbage", "storm"] as const) {
    expectUnharmed(faultOf(everything, "hurts-only-its-own", name));
  }
  expect(faultOf(everything, "hurts-only-its-own", "storm").reconnect).toMatchObject({
    wanted: 13,
    opened: 13,
  });
});

test("a killed server is started again, and the time until all are served is told", () => {
  const kill = faultOf(everything, "hurts-only-its-own", "kill");
  expect(kill).toMatchObject({
    lostConnections: 50,
    reconnect: { wanted: 50, opened: 50, unserved: 0 },
    server: { exit: { code: null, signal: "SIGKILL" }, restarted: true },
  });
  expect(kill.recoveredMs ?? 0).toBeGreaterThanOrEqual(kill.reconnect.slowestMs ?? 0);
});

test("a server that hangs does not hang the tool; what it owed is lost, and nobody is called back", () => {
  const storm = faultOf(hung, "hangs-in-burst", "storm");
  expect(storm.recoveredMs).toBeNull();
  expect(storm.lost).toBeGreaterThan(0);
  expect(storm.server.exit).toBeNull();
  expect(roundOf(hung, "hangs-in-burst").shutdown).toMatchObject({ graceful: true });
});

test(
  "Ctrl-C in the middle of a fault ends the run, and nothing is left",
  async () => {
    const results = temporaryFolder();
    const program = join(import.meta.dir, "..", "..", "src", "cli", "main.ts");
    const seconds = ["--chaos-seconds", "1/60/60", "--faults", "slow-readers", "--results", results];
    const child = Bun.spawn([process.execPath, program, ...smokeRun, "clean", ...chaos, ...seconds], {
      stdin: "ignore",
      stdout: "ignore",
      stderr: "ignore",
    });
    try {
      while (readResult(results)?.rounds[0]?.phases.length !== 1 && child.exitCode === null)
        await Bun.sleep(50);
      await Bun.sleep(2000);
      const children = childrenOf(child.pid);
      expect(children.length).toBeGreaterThanOrEqual(2);
      const startMs = performance.now();
      child.kill("SIGINT");
      expect(await child.exited).not.toBe(0);
      expect(performance.now() - startMs).toBeLessThan(8000);
      for (const pid of children) expect([pid, await isRunning(pid)]).toEqual([pid, false]);
      const round = readResult(results)?.rounds[0];
      expect(round?.phases[1]).toMatchObject({
        kind: "chaos",
        status: "aborted",
        reason: { kind: "stopped-by-user" },
      });
    } finally {
      child.kill("SIGKILL");
      rmSync(results, { recursive: true });
    }
  },
  longestMs,
);

function childrenOf(parent: number): number[] {
  return Bun.spawnSync(["ps", "-eo", "pid=,ppid="])
    .stdout.toString()
    .split("\n")
    .map((line) => line.trim().split(/\s+/).map(Number))
    .flatMap(([pid, of]) => (of === parent && pid !== undefined ? [pid] : []));
}
