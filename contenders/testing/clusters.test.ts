import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { programOf, type ResolvedEntrant } from "../../src/contenders/entrants.ts";
import { say } from "../../src/contract/messages.ts";
import type { Client } from "./client.ts";
import { prepareContenders, RunningServer } from "./running.ts";

// The variants of several processes: what the conformance suite can't see, since one CPU makes them one process.

setDefaultTimeout(60_000);

/** How long a process may take to be gone. */
const goneMs = 5000;
const workers = 3;
/** Members of one room, enough of them that every process has some. */
const members = 40;

const prepared = await prepareContenders(({ variant }) => variant === "cluster");

const said = (seq: number) => say("lobby", { seq, text: "x".repeat(seq % 300) });

const start = (entrant: ResolvedEntrant) => RunningServer.start(entrant, { WORKERS: `${workers}` });

async function enter(server: RunningServer): Promise<Client> {
  const client = await server.connect();
  await client.join("lobby");
  return client;
}

async function lobby(server: RunningServer): Promise<Client[]> {
  const all: Client[] = [];
  for (let i = 0; i < members; i++) all.push(await enter(server));
  return all;
}

/** The processes that the first one has started. */
function workersOf({ pid }: RunningServer): number[] {
  const { stdout } = Bun.spawnSync(["ps", "-o", "pid=", "--ppid", `${pid}`]);
  return stdout.toString().trim().split(/\s+/).map(Number);
}

for (const { entrant, facts } of prepared) {
  const { name } = programOf(entrant);
  describe.skipIf(facts.notRun !== null || process.platform !== "linux")(name, () => {
    test("a say reaches the members of all processes, in order", async () => {
      await using server = await start(entrant);
      const all = await lobby(server);
      const before = await server.statsWhen(({ connections }) => connections === members);
      const texts = Array.from({ length: 500 }, (_, at) => said(at + 1));
      for (const text of texts) all[0]?.send(text);
      for (const member of all) for (const text of texts) expect(await member.next()).toBe(text);
      const sent = before.sent + texts.length * members;
      expect(await server.statsWhen((now) => now.sent >= sent)).toMatchObject({
        ...{ connections: members, sent, dropped: 0 },
        received: before.received + texts.length,
      });
    });

    test("a crash takes one process, and its counts stay", async () => {
      await using server = await start(entrant);
      const all = await lobby(server);
      expect(workersOf(server)).toHaveLength(workers);
      const before = await server.statsWhen(({ connections }) => connections === members);
      all[0]?.send(`{"type":"crash"}`);
      while ((await all[0]?.next()) !== undefined);
      expect(all[0]?.closeCode).toBe(null);
      const left = await server.statsWhen(({ connections }) => connections < members);
      expect(left.connections).toBeGreaterThan(0);
      expect(left.received).toBeGreaterThanOrEqual(before.received);
      expect(workersOf(server)).toHaveLength(workers - 1);
      const newcomer = await enter(server);
      newcomer.send(said(1));
      expect(await newcomer.next()).toBe(said(1));
    });

    test("SIGTERM closes everyone and leaves no process", async () => {
      await using server = await start(entrant);
      const started = workersOf(server);
      const all = await lobby(server);
      process.kill(server.pid, "SIGTERM");
      for (const member of all) {
        while ((await member.next()) !== undefined);
        expect(member.closeCode).toBe(1001);
      }
      expect(await server.exited).toEqual({ code: 0, signal: null });
      for (const worker of started) {
        const deadline = performance.now() + goneMs;
        const isAlive = () => Bun.spawnSync(["ps", "-o", "pid=", "-p", `${worker}`]).stdout.length > 0;
        while (isAlive() && performance.now() < deadline) await Bun.sleep(10);
        expect(isAlive()).toBe(false);
      }
    });
  });
}
