import { afterAll } from "bun:test";
import { join } from "node:path";
import { discoverContenders } from "../../src/contenders/discover.ts";
import { listEntrants, programOf, type ResolvedEntrant } from "../../src/contenders/entrants.ts";
import { readStats, type ServerStats } from "../../src/process/counters.ts";
import { startReaper } from "../../src/process/reaper.ts";
import { ServerProcess } from "../../src/process/server.ts";
import type { Exit } from "../../src/result/reasons.ts";
import { type Prepared, prepareEntrants } from "../../src/run/prepare.ts";
import { Client } from "./client.ts";

const host = "127.0.0.1";
const root = join(import.meta.dir, "..", "..");
/** What is counted some time after it was done. */
const countedMs = 5000;

const reaper = startReaper();
afterAll(() => reaper.stop());

/** The project's contenders in those variants that are wanted, built. Installs nothing. */
export async function prepareContenders(
  isWanted: (entrant: ResolvedEntrant) => boolean,
): Promise<readonly Prepared[]> {
  const entrants = listEntrants(await discoverContenders([join(root, "contenders")]));
  return await prepareEntrants(entrants.filter(isWanted), {
    install: "never",
    cacheDir: join(root, ".cache"),
    signal: new AbortController().signal,
    onEvent: () => {},
  });
}

/** A contender's server, which ends with the test. */
export class RunningServer implements AsyncDisposable {
  readonly #process: ServerProcess;

  private constructor(process: ServerProcess) {
    this.#process = process;
  }

  static async start(
    entrant: ResolvedEntrant,
    env: Readonly<Record<string, string>> = {},
  ): Promise<RunningServer> {
    const declared = programOf(entrant);
    const program = { ...declared, env: { ...declared.env, ...env } };
    return new RunningServer(
      await ServerProcess.start({ program, host, port: 0, cpus: null, readyMs: 20_000, reaper }),
    );
  }

  get pid(): number {
    return this.#process.pid;
  }

  /** How it ended, when it has. */
  get exited(): Promise<Exit> {
    return this.#process.exited;
  }

  async connect(): Promise<Client> {
    return await Client.open({ host, port: this.#process.port, path: "/ws" });
  }

  async stats(): Promise<ServerStats> {
    const stats = await readStats(host, this.#process.port, countedMs);
    if (stats === null) throw new Error("/stats does not answer");
    return stats;
  }

  /** The first that satisfies `condition`, or the last one seen. */
  async statsWhen(condition: (stats: ServerStats) => boolean): Promise<ServerStats> {
    const deadline = performance.now() + countedMs;
    for (;;) {
      const stats = await this.stats();
      if (condition(stats) || performance.now() > deadline) return stats;
      await Bun.sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#process.kill();
  }
}
