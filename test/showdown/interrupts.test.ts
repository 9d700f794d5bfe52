import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { parseCpuList } from "../../src/text/cpu-list.ts";
import { awaitGone } from "../support/contender-folder.ts";
import { expectBalanced, loadPhase, longestMs, readResult, smokeRun, temporaryFolder } from "./showdown.ts";

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

/** How the program is started, and with what. */
interface Job {
  readonly command: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  readonly base?: readonly string[];
  readonly args: readonly string[];
}

/** The program as `npm start` runs it, in a process group of its own like a terminal's foreground job. */
class ForegroundJob {
  readonly results = temporaryFolder();
  readonly process;
  readonly stderr: Promise<string>;
  readonly started: Process[] = [];
  #said = "";

  constructor(...given: readonly string[] | [Job]) {
    const [first] = given;
    const {
      command,
      env = {},
      base = smokeRun,
      args,
    }: Job = typeof first === "object"
      ? first
      : { command: ["node", entry], args: given as readonly string[] };
    this.process = Bun.spawn([...command, ...base, "--results", this.results, ...args], {
      env: { ...process.env, ...env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
      detached: true,
    });
    this.stderr = this.#collect();
  }

  async #collect(): Promise<string> {
    const decoder = new TextDecoder();
    for await (const bytes of this.process.stderr) this.#said += decoder.decode(bytes, { stream: true });
    return this.#said;
  }

  /** Until it says so on stderr, and a process like this runs below it; collects every process there is by then. */
  async untilSaid(says: RegExp, child: RegExp): Promise<void> {
    for (let tries = 0; ; tries += 1) {
      const below = descendants(this.process.pid);
      if (says.test(this.#said) && below.some(({ command }) => child.test(command))) {
        this.started.push(...below);
        return;
      }
      if (tries > 600 || this.process.exitCode !== null) throw new Error(`it said: ${this.#said}`);
      await Bun.sleep(50);
    }
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

function allowedCpus(pid: number): readonly number[] {
  const status = readFileSync(`/proc/${pid}/status`, "latin1");
  return parseCpuList(/^Cpus_allowed_list:\s*(.*)$/m.exec(status)?.[1] ?? "");
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

const tool = /\/bun\S* .*src\/cli\/main\.ts(?! __)/;
const worker = /main\.ts __worker/;
const server = /chat-server\/server\.ts/;
const reaper = /showdown-reaper/;

test("Ctrl-C once stops gently: what was measured is kept and called aborted, and nothing is left", async () => {
  job = new ForegroundJob("clean", "exits-at-start", "--endurance-seconds", "60");
  await job.untilEndurance();
  for (const pattern of [tool, worker, server, reaper]) job.pidOf(pattern);
  const toolCpus = allowedCpus(job.pidOf(tool));
  process.kill(-job.process.pid, "SIGINT");
  expect(await job.process.exited).toBe(130);
  await job.expectNothingLeft(0);

  const result = readResult(job.results);
  if (result === null) throw new Error("no result.json");
  // Where the server has CPUs to itself, the tool is on none of them either.
  if (result.plan.workerCpus !== null) expect(toolCpus).toEqual(result.plan.workerCpus);
  expect(result.status).toBe("aborted");
  expect(JSON.parse(await new Response(job.process.stdout).text())).toEqual(result);
  // The second contender's turn did not come.
  expect(result.rounds).toHaveLength(1);
  const [round] = result.rounds;
  if (round === undefined) throw new Error("no round");
  expect(round).toMatchObject({ status: "aborted", shutdown: { graceful: true } });
  expect(round.phases.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "aborted"]);
  const endurance = loadPhase(round, "endurance-echo");
  expect(endurance).toMatchObject({ reason: { kind: "stopped-by-user" }, throughput: null, rate: null });
  expect(endurance.messages.delivered).toBeGreaterThan(0);
  expectBalanced(round);
});

test("Ctrl-C twice ends at once, even with a server that ignores SIGTERM", async () => {
  job = new ForegroundJob("ignores-sigterm", "--endurance-seconds", "60");
  await job.untilEndurance();
  process.kill(-job.process.pid, "SIGINT");
  await job.untilSaid(/stopping gently/, /./);
  // What comes sooner is one signal that came twice.
  await Bun.sleep(300);
  process.kill(-job.process.pid, "SIGINT");
  expect(await job.process.exited).toBe(130);
  await job.expectNothingLeft(2000);
  const result = readResult(job.results);
  // The gentle stop would give the server five seconds, and then write how the run ended.
  expect(result?.status).toBe("running");
  expect(result?.rounds[0]?.phases.length).toBeGreaterThanOrEqual(3);
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
  // A server alone may take five seconds to end.
  await job.expectNothingLeft(15_000);
  const result = readResult(job.results);
  expect(result?.status).toBe("aborted");
  expect(result?.rounds[0]?.phases.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "aborted"]);
});

test("a worker that is killed makes its phase invalid, and the run goes on with the next round", async () => {
  job = new ForegroundJob("clean", "--endurance-seconds", "4", "--rounds", "2");
  await job.untilEndurance();
  process.kill(job.pidOf(worker), "SIGKILL");
  expect(await job.process.exited).toBe(0);
  await job.expectNothingLeft(0);
  const result = readResult(job.results);
  expect(result?.status).toBe("finished");
  const reason = { kind: "worker-exited", worker: 0, exit: { code: null, signal: "SIGKILL" } };
  const [first, second] = result?.rounds ?? [];
  expect(first).toMatchObject({ status: "aborted", reason, reasonPhase: 3, shutdown: { graceful: true } });
  expect(first?.phases[3]).toMatchObject({ kind: "endurance", status: "invalid", reason, throughput: null });
  expect(second?.phases.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok"]);
});

test("a hangup that nohup has made ignored stays ignored, and any other stops gently", async () => {
  const args = ["clean", "--endurance-seconds", "3"];
  job = new ForegroundJob(...args);
  await job.untilEndurance();
  process.kill(-job.process.pid, "SIGHUP");
  expect(await job.process.exited).toBe(130);
  expect(readResult(job.results)?.status).toBe("aborted");
  rmSync(job.results, { recursive: true });

  job = new ForegroundJob({ command: ["nohup", entry], args });
  await job.untilEndurance();
  process.kill(-job.process.pid, "SIGHUP");
  expect(await job.process.exited).toBe(0);
  const result = readResult(job.results);
  expect(result?.status).toBe("finished");
  expect(result?.rounds[0]?.phases.map(({ status }) => status)).toEqual(["ok", "ok", "ok", "ok"]);
});

/** A contender whose server's start, or what the changes say, takes longer than anyone waits. */
function writeSlow(folder: string, name: string, changes: Readonly<Record<string, unknown>>): void {
  mkdirSync(join(folder, name));
  const manifest = {
    title: "takes its time",
    language: "sh",
    library: "none",
    approach: "raw",
    routing: "parse",
    framing: "single",
    slowConsumer: "block",
    start: ["sleep", "600"],
    ...changes,
  };
  writeFileSync(join(folder, name, "contender.json"), JSON.stringify(manifest));
}

/** A folder for PATH in which whoever asks for packages waits for ever, without a password. */
function writeSlowPackageManager(folder: string): string {
  const bin = join(folder, "bin");
  mkdirSync(bin);
  const options = { mode: 0o755 };
  writeFileSync(join(bin, "apt-get"), "#!/bin/sh\nexec sleep 598\n", options);
  writeFileSync(join(bin, "sudo"), '#!/bin/sh\nshift\nexec "$@"\n', options);
  return `${bin}:${process.env.PATH}`;
}

const wand = { tool: "wand-of-websockets", version: ["wand-of-websockets", "--version"] };

const verifying = smokeRun.filter((option) => option !== "--no-verify");
const anotherSize = String(200 + Math.floor(Math.random() * 800));

test.each<[string, NodeJS.Signals, readonly string[], RegExp, RegExp]>([
  ["installing a toolchain", "SIGINT", ["needy"], /apt-get update/, /sleep 598/],
  ["installing a toolchain", "SIGTERM", ["needy"], /apt-get update/, /sleep 598/],
  ["building", "SIGINT", ["slow"], /building/, /sleep 599/],
  ["building", "SIGTERM", ["slow"], /building/, /sleep 599/],
  ["checking against the contract", "SIGINT", ["quiet"], /against the contract/, /sleep 600/],
  // Of another size than any run before it: its ceiling is not known.
  ["measuring the ceiling", "SIGTERM", ["clean", "--message-bytes", anotherSize], /load generator/, worker],
])("whoever is %s on %s ends with 130, one line and nothing behind", async (_, signal, args, says, child) => {
  const contenders = temporaryFolder();
  try {
    writeSlow(contenders, "slow", { build: [["sleep", "599"]] });
    writeSlow(contenders, "quiet", {});
    writeSlow(contenders, "needy", { requires: [{ ...wand, install: { apt: ["wand"] } }] });
    const options = ["--contenders", contenders, "--ready-seconds", "60"];
    job = new ForegroundJob({
      command: ["node", entry],
      env: { PATH: writeSlowPackageManager(contenders) },
      base: says.test("against the contract") ? verifying : smokeRun,
      args: [...args, ...options],
    });
    await job.untilSaid(says, child);
    if (signal === "SIGINT") process.kill(-job.process.pid, signal);
    else process.kill(job.process.pid, signal);
    expect(await job.process.exited).toBe(130);
    await job.expectNothingLeft(1000);
    const said = await job.stderr;
    const after = said.slice(said.indexOf(`${signal}:`));
    expect(after.trim().split("\n")).toHaveLength(1);
    expect(said).not.toContain("error:");
    // Not even an empty folder, for nothing was measured.
    expect(readdirSync(job.results)).toEqual([]);
  } finally {
    rmSync(contenders, { recursive: true });
  }
});
