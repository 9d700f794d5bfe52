import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { rmSync } from "node:fs";
import { join } from "node:path";
import { awaitGone } from "../support/contender-folder.ts";
import { longestMs, phaseOf, readResult, smokeRun, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

const entry = join(import.meta.dir, "..", "..", "showdown.mjs");

interface Process {
  readonly pid: number;
  readonly command: string;
}

/** All processes below one, those that made a session of their own included. */
function descendants(root: number): Process[] {
  const lines = Bun.spawnSync(["ps", "-eo", "pid=,ppid=,args="]).stdout.toString().split("\n");
  const all = lines.map((line) => {
    const [, pid, parent, command = ""] = /^\s*(\d+)\s+(\d+)\s+(.*)$/.exec(line) ?? [];
    return { pid: Number(pid), parent: Number(parent), command };
  });
  const below: Process[] = [];
  for (let parents = [root]; parents.length > 0; ) {
    const children = all.filter(({ parent }) => parents.includes(parent));
    below.push(...children);
    parents = children.map(({ pid }) => pid);
  }
  return below;
}

/** The program as `npm start` runs it, in a process group of its own like a terminal's foreground job. */
class ForegroundJob {
  readonly results = temporaryFolder();
  readonly process;
  readonly stderr: Promise<string>;
  readonly started: Process[] = [];

  constructor(...args: readonly string[]) {
    this.process = Bun.spawn(["node", entry, ...smokeRun, "--results", this.results, ...args], {
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
    this.stderr = new Response(this.process.stderr).text();
  }

  /** Into the last phase, which lasts; collects every process there is by then. */
  async untilEndurance(): Promise<void> {
    for (let tries = 0; readResult(this.results)?.rounds[0]?.phases.length !== 3; tries += 1) {
      if (tries > 600 || this.process.exitCode !== null) throw new Error("endurance was not reached");
      await Bun.sleep(50);
    }
    await Bun.sleep(700);
    this.started.push(...descendants(this.process.pid));
  }

  pidOf(pattern: RegExp): number {
    const found = this.started.filter(({ command }) => pattern.test(command));
    expect(found).toHaveLength(1);
    return found[0]?.pid ?? 0;
  }

  /** Every process that was seen is gone within `timeoutMs`. */
  async expectNothingLeft(timeoutMs: number): Promise<void> {
    const deadline = Date.now() + timeoutMs;
    for (const { pid, command } of this.started) {
      const gone = await awaitGone(pid, Math.max(0, deadline - Date.now()));
      expect({ command, gone }).toEqual({ command, gone: true });
    }
  }
}

let job: ForegroundJob;
afterEach(() => {
  for (const { pid } of job.started) {
    try {
      process.kill(pid, "SIGKILL");
    } catch {
      // Gone, as it should be.
    }
  }
  rmSync(job.results, { recursive: true });
});

const tool = /\/bun\S* .*src\/cli\/main\.ts/;
const worker = /src\/load\/worker\.ts/;
const server = /chat-server\/server\.ts/;
const reaper = /showdown-reaper/;

test("Ctrl-C once stops gently: what was measured is kept and called aborted, and nothing is left", async () => {
  job = new ForegroundJob("clean", "exits-at-start", "--endurance-seconds", "60");
  await job.untilEndurance();
  for (const pattern of [tool, worker, server, reaper]) job.pidOf(pattern);
  process.kill(-job.process.pid, "SIGINT");
  expect(await job.process.exited).toBe(130);
  await job.expectNothingLeft(0);

  const result = readResult(job.results);
  if (result === null) throw new Error("no result.json");
  expect(result.status).toBe("aborted");
  expect(JSON.parse(await new Response(job.process.stdout).text())).toEqual(result);
  // The second contender's turn did not come.
  expect(result.rounds).toHaveLength(1);
  const [round] = result.rounds;
  if (round === undefined) throw new Error("no round");
  expect(round).toMatchObject({ status: "aborted", shutdown: { graceful: true } });
  expect(round.phases.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "aborted"]);
  const endurance = phaseOf(round, "endurance-echo");
  expect(endurance).toMatchObject({ reason: "stopped by the user", throughput: null, rate: null });
  expect(endurance.messages?.delivered).toBeGreaterThan(0);
  expect(endurance.messages?.expected).toBe(
    (endurance.messages?.delivered ?? 0) + (endurance.messages?.lost ?? 0),
  );
});

test("Ctrl-C twice ends at once, even with a server that ignores SIGTERM", async () => {
  job = new ForegroundJob("ignores-sigterm", "--endurance-seconds", "60");
  await job.untilEndurance();
  process.kill(-job.process.pid, "SIGINT");
  await Bun.sleep(300);
  const secondMs = performance.now();
  process.kill(-job.process.pid, "SIGINT");
  expect(await job.process.exited).toBe(130);
  // The gentle stop would give the server five seconds.
  expect(performance.now() - secondMs).toBeLessThan(3000);
  await job.expectNothingLeft(2000);
  expect(readResult(job.results)?.rounds[0]?.phases.length).toBeGreaterThanOrEqual(3);
});

test("SIGKILL of the tool in the middle of a phase leaves no server, worker or reaper behind", async () => {
  job = new ForegroundJob("ignores-sigterm", "--endurance-seconds", "60", "--workers", "2");
  await job.untilEndurance();
  expect(job.started.filter(({ command }) => worker.test(command))).toHaveLength(2);
  for (const pattern of [server, reaper]) job.pidOf(pattern);
  process.kill(job.pidOf(tool), "SIGKILL");
  await job.expectNothingLeft(2000);
  await job.process.exited;
  // What was measured before is there, in a file that says it was cut off.
  const result = readResult(job.results);
  expect(result?.status).toBe("running");
  expect(result?.rounds[0]?.phases.map(({ status }) => status)).toEqual(["ok", "ok", "ok"]);
});

test("SIGKILL of what started the tool makes it stop gently", async () => {
  job = new ForegroundJob("clean", "--endurance-seconds", "60");
  await job.untilEndurance();
  job.process.kill("SIGKILL");
  await job.expectNothingLeft(5000);
  const result = readResult(job.results);
  expect(result?.status).toBe("aborted");
  expect(result?.rounds[0]?.phases.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "aborted"]);
});

test("the death of a worker is the tool's own fault, told as such, and leaves nothing behind", async () => {
  job = new ForegroundJob("clean", "--endurance-seconds", "60");
  await job.untilEndurance();
  process.kill(job.pidOf(worker), "SIGKILL");
  expect(await job.process.exited).toBe(1);
  await job.expectNothingLeft(0);
  expect(await job.stderr).toContain("worker 0 ended with SIGKILL in the middle of its work");
  expect(readResult(job.results)?.rounds[0]?.phases).toHaveLength(3);
});
