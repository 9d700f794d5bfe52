import { describe, expect, setDefaultTimeout, test } from "bun:test";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { programOf, type ResolvedEntrant } from "../../src/contenders/entrants.ts";
import { echo, say } from "../../src/contract/messages.ts";
import type { ServerStats } from "../../src/process/counters.ts";
import type { Client } from "./client.ts";
import { prepareContenders, RunningServer } from "./running.ts";

// What `/stats` says of a client that does not read is exact, in every contender and variant: the conformance suite asks
// for no such thing, since it has to be quick.

setDefaultTimeout(60_000);

/** Messages of the writes that the end of a connection cut off: sent when begun, and dropped too (see its README). */
const torn: Readonly<Record<string, number>> = { "elixir-genserver": 8, "elixir-cowboy": 8 };

/** Those that are built in a few seconds, and of the others those that are built already. */
const prepared = await prepareContenders(
  ({ optional, folder, products }) => !optional || products.every((one) => existsSync(join(folder, one))),
);

const text = (seq: number) => "x".repeat(seq % 2 === 0 ? 50_000 : 90);
const said = (seq: number) => say("lobby", { seq, text: text(seq) });

/** A member that reads, one that has stopped, and how to say something that the first one has surely got. */
class Lobby implements AsyncDisposable {
  readonly #server: RunningServer;
  readonly #reader: Client;
  readonly slow: Client;
  /** What had been sent before anything was said. */
  sentBefore = 0;
  /** How many messages. */
  said = 0;

  private constructor(server: RunningServer, reader: Client, slow: Client) {
    this.#server = server;
    this.#reader = reader;
    this.slow = slow;
  }

  static async open(entrant: ResolvedEntrant): Promise<Lobby> {
    const server = await RunningServer.start(entrant);
    const [reader, slow] = [await server.connect(), await server.connect()];
    for (const member of [reader, slow]) await member.join("lobby");
    slow.socket.pause();
    const lobby = new Lobby(server, reader, slow);
    // An echo when it got ready, and the answers to the joins.
    lobby.sentBefore = (
      await lobby.statsWhen(({ connections, sent }) => connections === 2 && sent >= 3)
    ).sent;
    return lobby;
  }

  /** Messages for the two, if both were members all the time. */
  get owed(): number {
    return this.sentBefore + 2 * this.said;
  }

  async say(): Promise<void> {
    for (let i = 1; i <= 3; i++) this.#reader.send(said(this.said + i));
    for (let i = 0; i < 3; i++) expect(await this.#reader.next()).toBe(said(++this.said));
  }

  stats(): Promise<ServerStats> {
    return this.#server.stats();
  }

  statsWhen(condition: (stats: ServerStats) => boolean): Promise<ServerStats> {
    return this.#server.statsWhen(condition);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#server[Symbol.asyncDispose]();
  }
}

for (const { entrant, facts } of prepared) {
  const { name } = programOf(entrant);
  describe.skipIf(facts.notRun !== null)(name, () => {
    test(`${entrant.slowConsumer}: what a slow reader does not get is counted, and nothing else`, async () => {
      await using lobby = await Lobby.open(entrant);
      const isHarmed = ({ connections, dropped }: ServerStats) =>
        entrant.slowConsumer === "drop-message" ? dropped >= 10 : connections === 1;
      while (!isHarmed(await lobby.stats())) await lobby.say();
      if (entrant.slowConsumer === "drop-message") {
        lobby.slow.socket.resume();
        const { sent, dropped } = await lobby.statsWhen((now) => now.sent + now.dropped === lobby.owed);
        expect(sent + dropped).toBe(lobby.owed);
        const last = echo({ text: "last" });
        lobby.slow.send(last);
        let read = 0;
        while ((await lobby.slow.next()) !== last) read++;
        expect(read).toBe(lobby.said - dropped);
      } else {
        lobby.slow.socket.resume();
        let read = 0;
        for (let one = await lobby.slow.next(); one !== undefined; one = await lobby.slow.next())
          expect(one).toBe(said(++read));
        const got = lobby.sentBefore + lobby.said + read;
        const { sent, dropped } = await lobby.statsWhen((now) => now.sent >= got);
        expect(sent).toBeGreaterThanOrEqual(got);
        const inBoth = torn[entrant.contender] ?? 0;
        expect(sent).toBeLessThanOrEqual(got + inBoth);
        expect(dropped).toBeGreaterThan(0);
        // It was owed nothing from its end on.
        expect(sent + dropped).toBeLessThanOrEqual(lobby.owed + inBoth);
      }
    });

    test("what was held back for a connection that breaks is counted as dropped", async () => {
      await using lobby = await Lobby.open(entrant);
      let stats = await lobby.stats();
      // More than the last few, which may just not have been counted yet.
      while (stats.connections === 2 && stats.dropped === 0 && stats.sent >= lobby.owed - 12) {
        await lobby.say();
        await Bun.sleep(1);
        stats = await lobby.stats();
      }
      lobby.slow.socket.resetAndDestroy();
      const { sent, dropped } = await lobby.statsWhen(({ connections }) => connections === 1);
      expect(dropped).toBeGreaterThanOrEqual(1);
      if (stats.connections === 2) expect(sent + dropped).toBe(lobby.owed);
      else expect(sent + dropped).toBeLessThanOrEqual(lobby.owed);
    });
  });
}
