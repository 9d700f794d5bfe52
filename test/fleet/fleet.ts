import { mkdtempSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findNatsServer, natsFolder } from "../../src/fleet/nats-server.ts";
import { claimPort } from "../../src/process/port.ts";
import { listPids } from "../../src/process/processes.ts";
import { type AttackResult, attackResultSchema } from "../../src/result/attack.ts";
import type { Result } from "../../src/result/schema.ts";
import {
  longestMs,
  readResult as readRun,
  runFolder,
  showdownCommand,
  smokeRun,
  temporaryFolder,
} from "../showdown/showdown.ts";
import { untilListening } from "../support/debian-folder.ts";
import type { Ended } from "../support/run-to-end.ts";

/** A nats-server; or why there is none. */
export function findServer(): { readonly program: string } | { readonly problem: string } {
  const find = () => {
    try {
      return { program: findNatsServer(process.env) };
    } catch {
      return null;
    }
  };
  const found = find();
  if (found !== null) return found;
  if (Bun.which("apt-get") === null || Bun.which("dpkg-deb") === null) {
    return { problem: "no nats-server, and no apt-get to get it" };
  }
  const work = mkdtempSync(join(tmpdir(), "nats-"));
  try {
    // Unpacked, never installed: that would start a service.
    const script = `apt-get download nats-server && mkdir -p ${natsFolder} && dpkg-deb --extract nats-server_*.deb ${natsFolder}`;
    const { exitCode, stderr } = Bun.spawnSync(["sh", "-c", script], {
      cwd: work,
      stdin: "ignore",
      timeout: 60_000,
    });
    return (
      (exitCode === 0 ? find() : null) ?? {
        problem: `no nats-server: ${stderr.toString().trim().split("\n").at(-1)}`,
      }
    );
  } finally {
    rmSync(work, { recursive: true });
  }
}

export interface Broker {
  readonly url: string;
  kill(): Promise<void>;
  /** At the same port. @param disk what it kept before is there again */
  restart(disk: "kept" | "lost"): Promise<void>;
}

/** What is to be ended after a test, whatever became of it. */
export class Stage {
  readonly #ends: (() => Promise<void> | void)[] = [];

  onEnd(end: () => Promise<void> | void): void {
    this.#ends.unshift(end);
  }

  async clear(): Promise<void> {
    for (const end of this.#ends.splice(0)) await end();
  }

  /** A broker with JetStream on loopback. @param args of its own */
  async broker(program: string, ...args: readonly string[]): Promise<Broker> {
    const folder = mkdtempSync(join(tmpdir(), "nats-"));
    const port = claimPort("127.0.0.1", 0);
    const start = () =>
      Bun.spawn([program, "-a", "127.0.0.1", "-p", `${port}`, "-js", "-sd", folder, ...args], {
        stdin: "ignore",
        stdout: "ignore",
        stderr: "ignore",
      });
    let child = start();
    const kill = async () => {
      child.kill("SIGKILL");
      await child.exited;
    };
    this.onEnd(async () => {
      await kill();
      rmSync(folder, { recursive: true, force: true });
    });
    await untilListening(port, child);
    return {
      url: `nats://127.0.0.1:${port}`,
      kill,
      restart: async (disk) => {
        if (disk === "lost") rmSync(folder, { recursive: true, force: true });
        child = start();
        await untilListening(port, child);
      },
    };
  }

  /** The program, started and not waited for. */
  start(scene: readonly string[], command: readonly string[]): Started {
    const child = Bun.spawn([...scene, ...command], {
      env: { ...process.env },
      stdin: "ignore",
      stdout: "pipe",
      stderr: "pipe",
    });
    const [stdout, stderr] = [new Response(child.stdout).text(), new Response(child.stderr).text()];
    this.onEnd(async () => {
      child.kill("SIGCONT");
      child.kill("SIGKILL");
      await child.exited;
    });
    const ended = (async () => ({
      exitCode: await child.exited,
      stdout: await stdout,
      stderr: await stderr,
    }))();
    return { child, ended };
  }

  /** Agents of a bus, each with a folder of its own for what it keeps. */
  agents(count: number, bus: string, scene: readonly string[] = []): Started[] {
    return Array.from({ length: count }, () => {
      const keep = temporaryFolder();
      this.onEnd(() => rmSync(keep, { recursive: true, force: true }));
      return this.start(scene, showdownCommand("agent", "--bus", bus, "--keep", keep));
    });
  }

  /** A run whose load a fleet makes, in a results folder of its own. */
  run(...args: readonly string[]): FleetRun {
    return this.runFrom([], ...args);
  }

  /** As `run`, in a scene: on another host. */
  runFrom(scene: readonly string[], ...args: readonly string[]): FleetRun {
    const results = temporaryFolder();
    this.onEnd(() => rmSync(results, { recursive: true, force: true }));
    const started = this.start(scene, showdownCommand(...smokeRun, ...args, "--results", results));
    return { ...started, result: () => readRun(results) };
  }

  /** An attack by a fleet, in a results folder of its own. */
  attack(...args: readonly string[]): FleetAttack {
    return this.attackFrom([], ...args);
  }

  /** As `attack`, by a coordinator that is started in this scene. */
  attackFrom(scene: readonly string[], ...args: readonly string[]): FleetAttack {
    const results = temporaryFolder();
    this.onEnd(() => rmSync(results, { recursive: true, force: true }));
    const started = this.start(scene, showdownCommand("attack", ...args, "--results", results));
    return { ...started, results, result: () => readResult(results) };
  }
}

export interface Started {
  readonly child: Bun.Subprocess;
  readonly ended: Promise<Ended>;
}

export interface FleetRun extends Started {
  /** As it stands in the file just now; null where there is none. */
  result(): Result | null;
}

export interface FleetAttack extends Started {
  readonly results: string;
  /** As it stands in the file just now; null where there is none. */
  result(): AttackResult | null;
}

function readResult(results: string): AttackResult | null {
  const folder = runFolder(results);
  return folder === null
    ? null
    : attackResultSchema.parse(JSON.parse(readFileSync(join(folder, "result.json"), "utf8")));
}

/** So many phases of the first round are over. */
export async function untilPhase(run: FleetRun, count: number): Promise<void> {
  await until(`phase ${count} to end`, () => (run.result()?.rounds[0]?.phases.length ?? 0) >= count);
}

/** Waits until it is so. @throws {Error} naming what was waited for */
export async function until(what: string, isSo: () => boolean, seconds = longestMs / 2000): Promise<void> {
  for (let left = seconds * 50; left > 0; left -= 1) {
    if (isSo()) return;
    await Bun.sleep(20);
  }
  throw new Error(`waited for ${seconds} s: ${what}`);
}

/** The common start of its load is near. */
export async function untilLoad(attack: FleetAttack, afterMs: number): Promise<void> {
  await until("the start of the load", () => attack.result()?.fleet?.start != null);
  const { leadMs } = attack.result()?.fleet?.start ?? { leadMs: 0 };
  await Bun.sleep(leadMs + afterMs);
}

/** Living processes that were started with this in their environment. */
export function startedWith(variable: string): number[] {
  return listPids().filter((pid) => {
    try {
      const isZombie = /^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
      return !isZombie && readFileSync(`/proc/${pid}/environ`, "latin1").split("\0").includes(variable);
    } catch {
      return false;
    }
  });
}

/** A scene with a monotonic clock of its own; null where none can be made. */
export function clockAhead(seconds: number): readonly string[] | null {
  const scene = ["unshare", "--time", "--monotonic", `${seconds}`];
  return Bun.spawnSync([...scene, "true"]).exitCode === 0 ? scene : null;
}

/** Of a process, those that it started and that live. */
export function childrenOf(pid: number): number[] {
  try {
    return readdirSync(`/proc/${pid}/task`).flatMap((task) =>
      readFileSync(`/proc/${pid}/task/${task}/children`, "latin1")
        .trim()
        .split(" ")
        .filter(Boolean)
        .map(Number),
    );
  } catch {
    return [];
  }
}

export function isAlive(pid: number): boolean {
  try {
    return !/^State:\s+[ZX]/m.test(readFileSync(`/proc/${pid}/status`, "latin1"));
  } catch {
    return false;
  }
}

/** Plays scenes, so many at a time since a machine with few CPUs has to start all their programs, and clears each one's stage. */
export function playScenes(mostAtOnce: number): (play: (stage: Stage) => Promise<void>) => Promise<void> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (play) => {
    if (running >= mostAtOnce) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    const stage = new Stage();
    try {
      await play(stage);
    } finally {
      await stage.clear();
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
