import { describe, expect, test } from "bun:test";
import { Client, handshake } from "./client.ts";
import { Server } from "./server.ts";

const say = (room: string, seq: number, text = "", from = "c1") =>
  `{"type":"say","room":"${room}","from":"${from}","seq":${seq},"at":${seq * 10},"text":"${text}"}`;
const echo = (seq: number, text = "") =>
  `{"type":"echo","from":"c1","seq":${seq},"at":${seq * 10},"text":"${text}"}`;
/** One to four bytes a character, an escape, a NUL and a mark that decoders like to swallow. */
const anyText = 'aé€😀\\n\\"\\u0000\ufeff\u2028';

describe.each(["parse", "prefix"])("with %s routing", (ROUTING) => {
  test("returns an echo byte for byte, to its sender alone", async () => {
    await using server = await Server.start({ ROUTING });
    const [one, two] = [await Client.open(server.port), await Client.open(server.port)];
    for (const text of ["", anyText, "x".repeat(100), "x".repeat(60_000)]) {
      one.send(echo(1, text));
      expect(await one.text()).toBe(echo(1, text));
    }
    two.send(echo(9));
    expect(await two.text()).toBe(echo(9));
  });

  test("delivers to every member once and in order, short and long mixed", async () => {
    await using server = await Server.start({ ROUTING });
    const [one, two, outsider] = [
      await Client.open(server.port),
      await Client.open(server.port),
      await Client.open(server.port),
    ];
    await one.join("lobby");
    await two.join("lobby");
    await two.join("lobby");
    await outsider.join("other");
    const text = (seq: number) => (seq % 7 === 0 ? "y".repeat(20_000) : anyText);
    for (let seq = 1; seq <= 100; seq++) one.send(say("lobby", seq, text(seq)));
    for (const member of [one, two]) {
      for (let seq = 1; seq <= 100; seq++) expect(await member.text()).toBe(say("lobby", seq, text(seq)));
    }
    outsider.send(say("nobody-there", 1));
    outsider.send(echo(2));
    expect(await outsider.text()).toBe(echo(2));
    // 5 joins are answered with 4 members and 1 repetition; then 200 deliveries and an echo.
    const stats = await server.statsWhen(({ sent }) => sent === 205);
    expect(stats).toEqual({ connections: 3, received: 4 + 100 + 2, sent: 4 + 200 + 1, dropped: 0 });
  });

  test("answers anything else with an error and stays open", async () => {
    await using server = await Server.start({ ROUTING });
    const client = await Client.open(server.port);
    const wrong = [
      "",
      "hello",
      "{",
      "[]",
      "null",
      "{}",
      '{"type":"leave"}',
      '{"type":"join","room":""}',
      '{"type":"join","room":"no spaces"}',
      `{"type":"join","room":"${"r".repeat(65)}"}`,
      '{"type":"say","room":"a b","from":"c1","seq":1,"at":1,"text":""}',
      '{"type":"say","room":"lobby"}',
      '{"type":"echo"}',
    ];
    for (const text of wrong) {
      client.send(text);
      expect(JSON.parse(await client.text())).toEqual({ type: "error", reason: expect.any(String) });
    }
    client.frame(2, Buffer.from(echo(1)));
    expect(JSON.parse(await client.text())).toEqual({ type: "error", reason: expect.any(String) });
    client.send(echo(2));
    expect(await client.text()).toBe(echo(2));
  });

  test("dies of the fault a crash message runs into", async () => {
    await using server = await Server.start({ ROUTING });
    const [one, neighbour] = [await Client.open(server.port), await Client.open(server.port)];
    one.send('{"type":"crash"}');
    expect(await neighbour.closeCode()).toBe(1006);
    expect(await server.process.exited).toBe(1);
  });
});

test("speaks RFC 6455", async () => {
  await using server = await Server.start();
  const client = await Client.open(server.port);
  expect(client.head.toLowerCase()).not.toContain("permessage-deflate");
  client.frame(9, Buffer.from("ping"));
  expect(await client.next()).toEqual({ opcode: 10, payload: Buffer.from("ping") });
  const bytes = Buffer.from(echo(1, "😀".repeat(5_000)));
  for (let i = 0; i < bytes.length; i++) {
    client.frame(i === 0 ? 1 : 0, bytes.subarray(i, i + 1), i === bytes.length - 1);
  }
  expect(await client.text()).toBe(echo(1, "😀".repeat(5_000)));
  const longest = echo(2, "x".repeat(65_536 - echo(2).length));
  client.send(longest);
  expect(await client.text()).toBe(longest);

  const closedBy = async (opcode: number, payload: Uint8Array) => {
    const other = await Client.open(server.port);
    other.frame(opcode, payload);
    return await other.closeCode();
  };
  expect(await closedBy(1, Buffer.from([0xc3, 0x28]))).toBe(1007);
  expect(await closedBy(1, Buffer.alloc(65_537, "x"))).toBe(1009);
  expect(await closedBy(3, Buffer.alloc(0))).toBe(1002);
  expect(await closedBy(8, Buffer.from([0x03, 0xe8]))).toBe(1000);
  expect(await closedBy(8, Buffer.alloc(0))).toBe(1005);
});

test("refuses what is not a handshake, and lives on", async () => {
  await using server = await Server.start();
  const status = async (lines: readonly string[]) => {
    const client = await Client.request(server.port, lines);
    client.socket.destroy();
    return Number(client.head.split(" ")[1]);
  };
  const extension = handshake({ "Sec-WebSocket-Extensions": "permessage-deflate" });
  const offered = await Client.request(server.port, extension);
  expect(offered.head).toStartWith("HTTP/1.1 101");
  expect(offered.head.toLowerCase()).not.toContain("permessage-deflate");
  expect(await status(handshake({ "Sec-WebSocket-Version": "8" }))).toBe(426);
  expect(await status(handshake({ "Sec-WebSocket-Key": undefined }))).toBe(400);
  expect(await status(handshake({ "Sec-WebSocket-Key": "short" }))).toBe(400);
  expect([400, 426]).toContain(await status(handshake({ "Sec-WebSocket-Version": undefined })));
  expect(await status(handshake({ Upgrade: undefined, Connection: undefined }))).toBe(426);
  for (const line of [
    "GET / HTTP/1.1",
    "POST /stats HTTP/1.1",
    "POST /ws HTTP/1.1",
    "GET /stats/x HTTP/1.1",
  ]) {
    const code = await status([line, "Host: x", "Content-Length: 0"]);
    expect(code).toBeGreaterThanOrEqual(400);
    expect(code).toBeLessThan(500);
  }
  const stats = await fetch(`http://127.0.0.1:${server.port}/stats`);
  expect(stats.headers.get("content-type")).toStartWith("application/json");
  expect(Object.keys((await stats.json()) as object)).toEqual(["connections", "received", "sent", "dropped"]);
});

test("closes everyone with 1001 on SIGTERM and exits", async () => {
  await using server = await Server.start();
  const [one, silent] = [await Client.open(server.port), await Client.open(server.port)];
  silent.socket.pause();
  server.process.kill("SIGTERM");
  expect(await one.closeCode()).toBe(1001);
  expect(await server.process.exited).toBe(0);
});

test("survives running out of descriptors", async () => {
  await using server = await Server.start({}, ["sh", "-c", 'ulimit -n 100; exec "$0" "$@"']);
  const flood = Array.from({ length: 200 }, () => Client.open(server.port).catch(() => undefined));
  await server.statsWhen(({ connections }) => connections > 40).catch(() => undefined);
  await Bun.sleep(200);
  expect(server.process.exitCode).toBeNull();
  // Those still waiting in the backlog get their turn as the others leave.
  for (const waiting of flood) void waiting.then((client) => client?.socket.destroy());
  await Promise.all(flood);
  await server.statsWhen(({ connections }) => connections === 0);
  const client = await Client.open(server.port);
  client.send(echo(1));
  expect(await client.text()).toBe(echo(1));
});
