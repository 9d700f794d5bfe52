import { afterAll, describe, expect, setDefaultTimeout, test } from "bun:test";
import { join } from "node:path";
import { discoverContenders } from "../../src/contenders/discover.ts";
import { listEntrants, programOf, type ResolvedEntrant } from "../../src/contenders/entrants.ts";
import { say } from "../../src/contract/messages.ts";
import { readStats, type ServerStats } from "../../src/process/counters.ts";
import { startReaper } from "../../src/process/reaper.ts";
import { ServerProcess } from "../../src/process/server.ts";
import { prepareEntrants } from "../../src/run/prepare.ts";
import { Client } from "./client.ts";

// The variants of several processes: what the conformance suite can't see, since one CPU makes them one process.

setDefaultTimeout(60_000);

const host = "127.0.0.1";
const root = join(import.meta.dir, "..", "..");
const countedMs = 5000;
const workers = 3;
/** Members of one room, enough of them that every process has some. */
const members = 40;

const reaper = startReaper();
afterAll(() => reaper.stop());

const clusters = listEntrants(await discoverContenders([join(root, "contenders")])).filter(
  ({ variant }) => variant === "cluster",
);
const prepared = await prepareEntrants(clusters, {
  install: "never",
  cacheDir: join(root, ".cache"),
  signal: new AbortController().signal,
  onEvent: () => {},
});

const said = (seq: number) => say("lobby", { seq, text: "x".repeat(seq % 300) });

class Cluster implements AsyncDisposable {
  readonly server: ServerProcess;

  private constructor(server: ServerProcess) {
    this.server = server;
  }

  static async start(entrant: ResolvedEntrant): Promise<Cluster> {
    const { env, ...program } = programOf(entrant);
    const several = { ...program, env: { ...env, WORKERS: `${workers}` } };
    return new Cluster(
      await ServerProcess.start({ program: several, host, port: 0, cpus: null, readyMs: 20_000, reaper }),
    );
  }

  async join(): Promise<Client> {
    const client = await Client.open({ host, port: this.server.port, path: "/ws" });
    await client.join("lobby");
    return client;
  }

  async lobby(): Promise<Client[]> {
    const all: Client[] = [];
    for (let i = 0; i < members; i++) all.push(await this.join());
    return all;
  }

  /** The processes that the first one has started. */
  workers(): number[] {
    const { stdout } = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", `${this.server.pid}`]);
    return stdout.toString().trim().split(/\s+/).map(Number);
  }

  /** The first counts that satisfy `condition`, or the last ones seen. */
  async statsWhen(condition: (stats: ServerStats) => boolean): Promise<ServerStats | null> {
    const deadline = performance.now() + countedMs;
    for (;;) {
      const stats = await readStats(host, this.server.port, countedMs);
      if ((stats !== null && condition(stats)) || performance.now() > deadline) return stats;
      await Bun.sleep(10);
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.server.kill();
  }
}

for (const { entrant, facts } of prepared) {
  const { name } = programOf(entrant);
  describe.skipIf(facts.notRun !== null || process.platform !== "linux")(name, () => {
    test("a say reaches the members of all processes, in order", async () => {
      await using cluster = await Cluster.start(entrant);
      const all = await cluster.lobby();
      const before = await cluster.statsWhen(({ connections }) => connections === members);
      const texts = Array.from({ length: 500 }, (_, at) => said(at + 1));
      for (const text of texts) all[0]?.send(text);
      for (const member of all) for (const text of texts) expect(await member.next()).toBe(text);
      const sent = (before?.sent ?? 0) + texts.length * members;
      expect(await cluster.statsWhen((now) => now.sent >= sent)).toMatchObject({
        ...{ connections: members, sent, dropped: 0 },
        received: (before?.received ?? 0) + texts.length,
      });
    });

    test("a crash takes one process, and its counts stay", async () => {
      await using cluster = await Cluster.start(entrant);
      const all = await cluster.lobby();
      expect(cluster.workers()).toHaveLength(workers);
      const before = await cluster.statsWhen(({ connections }) => connections === members);
      all[0]?.send(`{"type":"crash"}`);
      while ((await all[0]?.next()) !== undefined);
      expect(all[0]?.closeCode).toBe(null);
      const left = await cluster.statsWhen(({ connections }) => connections < members);
      expect(left?.connections).toBeGreaterThan(0);
      expect(left?.received).toBeGreaterThanOrEqual(before?.received ?? 0);
      expect(cluster.workers()).toHaveLength(workers - 1);
      const newcomer = await cluster.join();
      newcomer.send(said(1));
      expect(await newcomer.next()).toBe(said(1));
    });

    test("SIGTERM closes everyone and leaves no process", async () => {
      await using cluster = await Cluster.start(entrant);
      const started = cluster.workers();
      const all = await cluster.lobby();
      process.kill(cluster.server.pid, "SIGTERM");
      for (const member of all) {
        while ((await member.next()) !== undefined);
        expect(member.closeCode).toBe(1001);
      }
      for (const worker of started) {
        const deadline = performance.now() + countedMs;
        const isAlive = () => Bun.spawnSync(["ps", "-o", "pid=", "-p", `${worker}`]).stdout.length > 0;
        while (isAlive() && performance.now() < deadline) await Bun.sleep(10);
        expect(isAlive()).toBe(false);
      }
    });
  });
}
