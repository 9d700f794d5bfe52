import { beforeAll, expect, test } from "bun:test";
import { Client } from "../testing/client.ts";
import { build, Server } from "../testing/server.ts";

beforeAll(() => build(import.meta.dir), 120_000);

const say = (seq: number) =>
  `{"type":"say","room":"lobby","from":"c1","seq":${seq},"at":1,"text":"${"x".repeat(seq % 2 === 0 ? 50_000 : 90)}"}`;

/** A member that reads, one that has stopped, and how to say something that the first one has surely got. */
async function lobby(server: Server) {
  const reader = await Client.open(server.port);
  const slow = await Client.open(server.port);
  await reader.join("lobby");
  await slow.join("lobby");
  slow.socket.pause();
  let seq = 0;
  const sayNext = async () => {
    // Pongs take room in the backlog as well. The server has read the pings before it goes on, or it would reset
    // the connection instead of ending it, and the client could not read the rest.
    for (let i = 0; i < 100; i++) slow.frame(9, Buffer.alloc(125));
    await server.stats();
    reader.socket.cork();
    for (let i = 1; i <= 3; i++) reader.send(say(seq + i));
    reader.socket.uncork();
    for (let i = 0; i < 3; i++) expect(await reader.text()).toBe(say(++seq));
    return seq;
  };
  return { reader, slow, sayNext };
}

const joins = 2;

/** The next text that is not a pong; `undefined` at the end. */
async function nextText(client: Client): Promise<string | undefined> {
  for (;;) {
    const frame = await client.next();
    if (frame?.opcode !== 10) return frame?.payload.toString();
  }
}

/** Says things until the server holds some of them back for the slow member; returns how many it said. */
async function sayUntilHeldBack(server: Server, sayNext: () => Promise<number>): Promise<number> {
  for (;;) {
    const said = await sayNext();
    await Bun.sleep(1);
    const { sent } = await server.stats();
    // More than the last few, which may just not have been counted yet.
    if (sent < joins + 2 * said - 12) return said;
  }
}

test("holds messages back for a slow reader and counts them once they are gone", async () => {
  await using server = await Server.start(import.meta.dir);
  const { slow, sayNext } = await lobby(server);
  const said = await sayUntilHeldBack(server, sayNext);
  slow.socket.resume();
  for (let seq = 1; seq <= said; seq++) expect(await nextText(slow)).toBe(say(seq));
  const stats = await server.statsWhen(({ sent }) => sent === joins + 2 * said);
  expect(stats).toMatchObject({ sent: joins + 2 * said, dropped: 0 });
});

test("counts what was held back for a connection that breaks as dropped", async () => {
  await using server = await Server.start(import.meta.dir);
  const { slow, sayNext } = await lobby(server);
  await sayUntilHeldBack(server, sayNext);
  const said = await sayNext();
  slow.socket.resetAndDestroy();
  const stats = await server.statsWhen(({ connections }) => connections === 1);
  expect(stats.dropped).toBeGreaterThanOrEqual(1);
  expect(stats.sent + stats.dropped).toBe(joins + 2 * said);
});

test("drops a reader past the limit, and sent is exactly what can still be read", async () => {
  await using server = await Server.start(import.meta.dir);
  const { slow, sayNext } = await lobby(server);
  let said = 0;
  let stats = await server.stats();
  while (stats.connections === 2) {
    said = await sayNext();
    await Bun.sleep(1);
    stats = await server.stats();
  }
  // The last ones said may still be on their way to being counted.
  stats = await server.statsWhen(({ sent, dropped }) => sent + dropped >= joins + 2 * said);
  expect(stats.dropped).toBeGreaterThan(10);
  expect(stats.sent + stats.dropped).toBe(joins + 2 * said);

  slow.socket.resume();
  let read = 0;
  while ((await nextText(slow)) !== undefined) read++;
  expect(read).toBe(stats.sent - joins - said);
});
