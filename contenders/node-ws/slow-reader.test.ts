import { beforeAll, describe, expect, test } from "bun:test";
import { Client } from "../testing/client.ts";
import { build, Server } from "../testing/server.ts";

beforeAll(() => build(import.meta.dir), 120_000);

const joins = 2;

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
    for (let i = 1; i <= 3; i++) reader.send(say(seq + i));
    for (let i = 0; i < 3; i++) expect(await reader.text()).toBe(say(++seq));
    return seq;
  };
  return { slow, sayNext };
}

describe.each([
  { DELIVERY: "plain", ROUTING: "parse" },
  { DELIVERY: "framed", ROUTING: "prefix" },
])("with %p", (variant) => {
  test("drops messages past the limit, counts each, and goes on when the reader does", async () => {
    await using server = await Server.start(import.meta.dir, variant);
    const { slow, sayNext } = await lobby(server);
    let said = 0;
    while ((await server.stats()).dropped < 10) said = await sayNext();
    slow.socket.resume();
    const { dropped, sent } = await server.statsWhen((now) => now.sent + now.dropped === joins + 2 * said);
    expect(sent + dropped).toBe(joins + 2 * said);

    slow.send(`{"type":"echo","from":"c2","seq":1,"at":1,"text":"last"}`);
    let read = 0;
    while (!(await slow.text()).includes('"last"')) read++;
    expect(read).toBe(said - dropped);
  });

  test("counts what was held back for a connection that breaks as dropped", async () => {
    await using server = await Server.start(import.meta.dir, variant);
    const { slow, sayNext } = await lobby(server);
    let said = 0;
    for (;;) {
      said = await sayNext();
      await Bun.sleep(1);
      // More than the last few, which may just not have been counted yet.
      if ((await server.stats()).sent < joins + 2 * said - 12) break;
    }
    slow.socket.resetAndDestroy();
    const stats = await server.statsWhen(({ connections }) => connections === 1);
    expect(stats.dropped).toBeGreaterThanOrEqual(1);
    expect(stats.sent + stats.dropped).toBe(joins + 2 * said);
  });
});
