import { beforeAll, expect, test } from "bun:test";
import { Client } from "./client.ts";
import { build, Server } from "./server.ts";

const joins = 2;

const say = (seq: number) =>
  `{"type":"say","room":"lobby","from":"c1","seq":${seq},"at":1,"text":"${"x".repeat(seq % 2 === 0 ? 50_000 : 90)}"}`;

/** Says things that one member reads and the other doesn't, until `isEnough`; returns how many. */
async function sayUntil(
  server: Server,
  reader: Client,
  isEnough: (connections: number, sent: number, said: number) => boolean,
): Promise<number> {
  for (let said = 0; ; ) {
    const { connections, sent } = await server.stats();
    if (isEnough(connections, sent, said)) return said;
    reader.send(say(++said));
    expect(await reader.text()).toBe(say(said));
  }
}

async function lobby(server: Server) {
  const reader = await Client.open(server.port);
  const slow = await Client.open(server.port);
  await reader.join("lobby");
  await slow.join("lobby");
  slow.socket.pause();
  return { reader, slow };
}

/**
 * Tests of a contender that disconnects slow readers and counts what they got to the message.
 *
 * @param tool without which it cannot be built
 */
export function testSlowReaders(folder: string, tool: string, variant?: string): void {
  const isMissing = process.platform !== "linux" || Bun.which(tool) === null;
  beforeAll(() => (isMissing ? undefined : build(folder)), 600_000);

  test.skipIf(isMissing)(
    "drops a reader past the limit, and sent is exactly what can still be read",
    async () => {
      await using server = await Server.start(folder, {}, variant);
      const { reader, slow } = await lobby(server);
      const said = await sayUntil(server, reader, (connections) => connections === 1);
      const all = joins + 2 * said;
      // The last one may have been said when the slow reader had just left, and is not for it then.
      await server.statsWhen((now) => now.sent + now.dropped >= all - 1);
      const { sent, dropped } = await server.stats();
      expect(dropped).toBeGreaterThan(10);
      expect([all - 1, all]).toContain(sent + dropped);

      slow.socket.resume();
      let read = 0;
      while ((await slow.next()) !== undefined) read++;
      expect(read).toBe(sent - joins - said);
    },
  );

  test.skipIf(isMissing)(
    "holds messages back for a slow reader, in order, and counts them once gone",
    async () => {
      await using server = await Server.start(folder, {}, variant);
      const { reader, slow } = await lobby(server);
      // More than the last few, which may just not have been counted yet.
      const said = await sayUntil(server, reader, (_, sent, said) => sent < joins + 2 * said - 12);
      slow.socket.resume();
      for (let seq = 1; seq <= said; seq++) expect(await slow.text()).toBe(say(seq));
      const all = joins + 2 * said;
      expect(await server.statsWhen(({ sent }) => sent === all)).toMatchObject({ sent: all, dropped: 0 });
    },
  );
}
