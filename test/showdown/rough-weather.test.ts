import { afterAll, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "../../src/plan/plan.ts";
import { listTree } from "../../src/process/probe.ts";
import { startHog } from "../support/machine-probe.ts";
import {
  expectBalanced,
  loadPhase,
  longestMs,
  readResult,
  runResults,
  runResultsUnder,
  showdown,
  showdownCommand,
  temporaryFolder,
  writeContenders,
} from "./showdown.ts";

setDefaultTimeout(longestMs);

const contenders = writeContenders({
  one: { FAULT: "none" },
  two: { FAULT: "none" },
  three: { FAULT: "none" },
  four: { FAULT: "none" },
});
const folder = temporaryFolder();
afterAll(() => {
  for (const made of [contenders, folder]) rmSync(made, { recursive: true });
});

/** In slices, and what the machine may have spoiled does not count. */
const run = ["run", "--preset", "smoke", "--contenders", contenders, "--no-verify"] as const;

/** More than one, so that a server gets well under half of what it would use. */
const hogsPerCpu = 3;
const { serverCpus } = await planOf("one", "two");

test.skipIf(serverCpus === null)(
  "beside neighbours that eat the servers' CPU nothing is concluded, and the run goes on to its end",
  async () => {
    const hogs = await Promise.all(
      (serverCpus ?? []).flatMap((cpu) => Array.from({ length: hogsPerCpu }, () => startHog(cpu))),
    );
    try {
      const ended = await runResults(
        ...run,
        ...["--phases", "burst-echo,endurance-echo", "--rounds", "2"],
        ...["--sliced-seconds", "1", "--slice-ms", "100", "--pacing", "timer"],
        ...["--endurance-rate", "30000", "--endurance-seconds", "2", "--details"],
        ...["one", "two"],
      );
      const { result, stdout } = ended;
      expect(result.status).toBe("finished");
      for (const round of result.rounds) expectBalanced(round);
      for (const { phase, measure, outcome, pairs } of result.judgements) {
        if (phase === "connect") continue;
        expect([phase, measure, outcome, pairs]).toEqual([phase, measure, "invalid", []]);
      }
      expect(stdout.replace(/\s+/g, " ")).toMatch(
        /one and two are not ranked in [^:]*burst-echo[^:]*: other processes used/,
      );
      expect(stdout).not.toContain("Choose one");
    } finally {
      for (const hog of hogs) hog.kill();
    }
  },
);

/** In a namespace of its own, where the kernel seems to have so much memory left. */
function seeming(availableBytes: number): string[] {
  const meminfo = readFileSync("/proc/meminfo", "utf8");
  const path = join(folder, "meminfo");
  const available = `MemAvailable:    ${Math.floor(availableBytes / 1024)} kB`;
  writeFileSync(path, meminfo.replace(/^MemAvailable:.*$/m, available));
  return ["unshare", "-Urm", "sh", "-c", `mount --bind ${path} /proc/meminfo && exec "$0" "$@"`];
}
const canSeem =
  process.platform === "linux" && Bun.spawnSync([...seeming(1e9), "true"], { stderr: "ignore" }).success;

test.if(canSeem)(
  "where memory does not suffice for all at once they run one at a time, which is told",
  async () => {
    // For one server and its generator, and not for four of them.
    const ended = await runResultsUnder(
      seeming(500e6),
      ...run,
      ...["--phases", "burst-echo", "--keep-invalid", "one", "two", "three", "four"],
    );
    expect(ended.exitCode).toBe(0);
    const { plan, warnings, rounds } = ended.result;
    const warning = warnings.find(({ kind }) => kind === "one-at-a-time");
    expect(warning).toMatchObject({ cause: { kind: "memory", availableBytes: expect.any(Number) } });
    expect(plan.oneAtATime).toBe(true);
    expect(ended.stderr.replace(/\s+/g, " ")).toMatch(
      /contenders run one at a time: all at once need \d+ MB of memory, 500 MB are free/,
    );
    expect(rounds).toHaveLength(4);
    for (const round of rounds) {
      const burst = loadPhase(round, "burst-echo");
      expect(burst).toMatchObject({ status: "ok", messages: { delivered: 500, lost: 0 } });
      expect(burst).not.toContainAnyKeys(["slices", "neighbours"]);
    }
  },
);

/** Longer than a load is quiet before it ends. */
const standstillMs = 4000;

test("a machine that stands still spoils what it stood still in, and the rest goes on", async () => {
  const results = temporaryFolder();
  const child = Bun.spawn(
    showdownCommand(
      ...run,
      ...["--phases", "burst-echo,endurance-echo", "--rounds", "2", "--quiet-seconds", "1"],
      ...["--sliced-seconds", "2", "--endurance-seconds", "3", "--results", results, "one", "two"],
    ),
    { stdin: "ignore", stdout: "ignore", stderr: "pipe", env: { ...process.env } },
  );
  try {
    let told = "";
    const standStill = async () => {
      // Some way into it.
      await Bun.sleep(800);
      const pids = listTree([child.pid]);
      for (const pid of pids) process.kill(pid, "SIGSTOP");
      await Bun.sleep(standstillMs);
      for (const pid of pids.toReversed()) process.kill(pid, "SIGCONT");
    };
    const awaited = ["  burst echo", "  endurance echo"];
    for await (const bytes of child.stderr) {
      told += new TextDecoder().decode(bytes);
      if (awaited[0] === undefined || !told.includes(`\n${awaited[0]}`)) continue;
      awaited.shift();
      await standStill();
    }
    expect(awaited).toEqual([]);
    await child.exited;
    const result = readResult(results);
    expect(result?.status).toBe("finished");
    const { rounds = [] } = result ?? {};
    expect(rounds.map(({ round, status, reason }) => [round, status, reason])).toEqual([
      [1, "ok", null],
      [1, "ok", null],
      [2, "ok", null],
      [2, "ok", null],
    ]);
    const loads = rounds.map((round) => {
      expectBalanced(round);
      return [loadPhase(round, "burst-echo"), loadPhase(round, "endurance-echo")] as const;
    });
    // Nothing was lost by it, and no figure that counts has it inside.
    for (const [burst, endurance] of loads) {
      for (const { messages, status } of [burst, endurance]) {
        expect(messages).toMatchObject({ lost: 0, unsent: 0, late: 0 });
        expect(["ok", "invalid"]).toContain(status);
      }
      if (burst.kind !== "burst") throw new Error("no burst");
      for (const { spanMs } of burst.slices ?? []) expect(spanMs).toBeLessThan(standstillMs / 2);
      if (endurance.status === "ok") expect(endurance.latencyUs.max).toBeLessThan((standstillMs * 1000) / 2);
    }
    const spoiled = loads.flatMap(([, endurance]) =>
      (endurance.sendLagUs.max ?? 0) > (standstillMs * 1000) / 2 ? [endurance] : [],
    );
    expect(spoiled).toMatchObject([{ status: "invalid", reason: { kind: "generator-late" } }]);
  } finally {
    child.kill();
    rmSync(results, { recursive: true });
  }
});

async function planOf(...names: readonly string[]): Promise<Pick<Plan, "serverCpus">> {
  const { stdout } = await showdown(...run, ...names, "--dry-run");
  return (JSON.parse(stdout) as { readonly plan: Plan }).plan;
}
