import { afterEach, expect, test } from "bun:test";
import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import type { Socket } from "bun";
import { until } from "../../test/support/until.ts";
import type { RoomGroup } from "../plan/plan.ts";
import type { ConnectionFailure } from "../result/reasons.ts";
import { encodeClientFrame, opcode, reservedBit1 } from "../websocket/frame.ts";
import { acceptFor, Upgrades } from "../websocket/handshake.ts";
import { Connection, type ConnectionOwner } from "./connection.ts";
import { ChaosChat } from "./protocols/chaos-chat/chaos-chat.ts";
import { createSockets } from "./sockets/create-sockets.ts";
import { plainTarget, type Target } from "./target.ts";

const encode = (text: string) => Buffer.from(text, "latin1");

/** A whole server frame with a payload of up to 65,535 bytes. */
function frame(code: number, payload: string | Uint8Array, first = 0x80 | code): Buffer {
  const bytes = typeof payload === "string" ? encode(payload) : Buffer.from(payload);
  const length = bytes.length < 126 ? [bytes.length] : [126, bytes.length >>> 8, bytes.length & 255];
  return Buffer.concat([Buffer.from([first, ...length]), bytes]);
}

const joined = frame(opcode.text, '{"type":"joined","room":"lobby"}');

interface ClientFrame {
  readonly code: number;
  readonly masked: boolean;
  readonly payload: Buffer;
}

/** Client frames out of everything received behind the request, by RFC 6455 section 5.2; the rest is incomplete. */
function readFrames(bytes: Buffer): { readonly frames: ClientFrame[]; readonly rest: number } {
  const frames: ClientFrame[] = [];
  let at = 0;
  for (;;) {
    const start = at;
    if (bytes.length - at < 6) return { frames, rest: bytes.length - start };
    const code = bytes.readUInt8(at) & 15;
    const masked = (bytes.readUInt8(at + 1) & 0x80) !== 0;
    let length = bytes.readUInt8(at + 1) & 127;
    at += 2;
    if (length === 126) {
      length = bytes.readUInt16BE(at);
      at += 2;
    } else if (length === 127) {
      length = Number(bytes.readBigUInt64BE(at));
      at += 8;
    }
    const mask = bytes.subarray(at, at + 4);
    at += 4;
    if (bytes.length < at + length) return { frames, rest: bytes.length - start };
    const payload = Buffer.from(bytes.subarray(at, at + length));
    for (let i = 0; i < length; i += 1) payload[i] = (payload[i] ?? 0) ^ (mask[i & 3] ?? 0);
    frames.push({ code, masked, payload });
    at += length;
  }
}

/** A server that does with its one client whatever the test says. */
class Hostile {
  readonly port: number;
  /** Everything received. */
  received = Buffer.alloc(0);
  closed = false;
  /** The client closed its side. */
  ended = false;
  socket: Socket<undefined> | null = null;
  readonly #listener;

  /** @param reads whether it reads from the start */
  constructor(reads = true) {
    this.#listener = Bun.listen<undefined>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open: (socket) => {
          this.socket = socket;
          if (!reads) socket.pause();
        },
        data: (_, chunk) => {
          this.received = Buffer.concat([this.received, chunk]);
        },
        end: () => {
          this.ended = true;
        },
        close: () => {
          this.closed = true;
        },
      },
    });
    this.port = this.#listener.port;
    running.push(this);
  }

  get key(): string {
    return /Sec-WebSocket-Key: (\S+)/.exec(this.received.toString("latin1"))?.[1] ?? "";
  }

  get frames(): ClientFrame[] {
    return readFrames(this.#behindRequest()).frames;
  }

  /** Bytes of a last frame that is not whole. */
  get torn(): number {
    return readFrames(this.#behindRequest()).rest;
  }

  texts(): string[] {
    return this.frames.filter(({ code }) => code === opcode.text).map(({ payload }) => payload.toString());
  }

  closeCode(): number | undefined {
    return this.frames.find(({ code }) => code === opcode.close)?.payload.readUInt16BE(0);
  }

  write(...parts: readonly (Buffer | string)[]): void {
    const bytes = Buffer.concat(parts.map((part) => (typeof part === "string" ? encode(part) : part)));
    expect(this.socket?.write(bytes)).toBe(bytes.length);
  }

  /** For more than the client may have room for at once. */
  async writeAll(bytes: Buffer): Promise<void> {
    for (let at = 0; at < bytes.length; ) {
      at += Math.max(0, this.socket?.write(bytes.subarray(at)) ?? 0);
      await Bun.sleep(0);
    }
  }

  async request(): Promise<void> {
    await until(() => this.received.includes("\r\n\r\n"));
  }

  /** @param headers more of them, each with its line's end */
  handshake(headers = ""): string {
    return `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(this.key)}\r\n${headers}\r\n`;
  }

  stop(): void {
    this.socket?.terminate();
    this.#listener.stop(true);
  }

  #behindRequest(): Buffer {
    return this.received.subarray(this.received.indexOf("\r\n\r\n") + 4);
  }
}

/** A failure's kind and facts, as in `close 1001 going away`. */
function name(failure: ConnectionFailure): string {
  return Object.values(failure).join(" ");
}

const sockets = createSockets();

/** Writes down what a connection tells it. */
class Owner implements ConnectionOwner {
  readonly target: Target;
  readonly upgrades: Upgrades;
  readonly sockets = sockets;
  readonly protocol: ChaosChat;
  readonly told: string[] = [];
  readonly messages: string[] = [];
  blocked = 0;

  constructor(port: number, joins: readonly RoomGroup[], compression: Target["compression"] = null) {
    this.target = { ...plainTarget("127.0.0.1", port, "/ws"), compression };
    this.upgrades = new Upgrades(this.target);
    this.protocol = new ChaosChat({ joins, messageBytes: 120, seed: 1 });
  }

  clockUs(): number {
    return performance.now() * 1000;
  }
  onArrival(): void {}
  onOpened(connection: Connection): void {
    const { startUs, tcpUs, upgradeUs, joinUs } = connection.times ?? {
      startUs: 1,
      tcpUs: 0,
      upgradeUs: 0,
      joinUs: 0,
    };
    this.told.push(
      startUs <= tcpUs && tcpUs <= upgradeUs && upgradeUs <= joinUs ? "opened" : "opened out of order",
    );
  }
  onFailed(_: Connection, failure: ConnectionFailure): void {
    this.told.push(`failed: ${name(failure)}`);
  }
  onDied(_: Connection, failure: ConnectionFailure): void {
    this.told.push(`died: ${name(failure)}`);
  }
  onMessage(_: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    this.messages.push(`${isText ? "text" : "binary"}: ${Buffer.from(bytes.subarray(start, end))}`);
  }
  onBlocked(): void {
    this.blocked += 1;
  }
  onUnblocked(): void {
    this.blocked -= 1;
  }
}

const running: Hostile[] = [];
afterEach(() => {
  for (const server of running.splice(0)) server.stop();
});

function connect(server: Hostile, joins: readonly RoomGroup[] = [{ first: 0, count: 1 }]) {
  const owner = new Owner(server.port, joins);
  const connection = new Connection(7, 3, owner);
  connection.open(null);
  return { owner, connection };
}

async function connectOpen(server = new Hostile()) {
  const { owner, connection } = connect(server);
  await server.request();
  server.write(server.handshake());
  await until(() => server.texts().length === 1);
  server.write(joined);
  await until(() => connection.state === "open");
  return { server, owner, connection };
}

/** The connection's end, as told, and that nothing is left of it at the server. */
async function expectEnd(server: Hostile, owner: Owner, end: string): Promise<void> {
  await until(() => owner.told.length > 0 && owner.told.at(-1) !== "opened");
  expect(owner.told.at(-1)).toBe(end);
  await until(() => server.closed);
  // Told once, whatever else the socket reports afterwards.
  await Bun.sleep(5);
  expect(owner.told.filter((told) => told !== "opened")).toEqual([end]);
  expect(owner.blocked).toBe(0);
}

test("it opens, joins its rooms one after another, and measures each step", async () => {
  const server = new Hostile();
  const { owner, connection } = connect(server, [
    { first: 0, count: 1 },
    { first: 10, count: 5 },
  ]);
  await server.request();
  server.write(server.handshake());
  await until(() => server.texts().length === 1);
  expect(server.texts()).toEqual(['{"type":"join","room":"lobby"}']);
  server.write(joined);
  await until(() => server.texts().length === 2);
  expect(server.texts()[1]).toBe('{"type":"join","room":"r12"}');
  expect(owner.told).toEqual([]);
  server.write(frame(opcode.text, '{"type":"joined","room":"r12"}'));
  await until(() => connection.state === "open");
  expect(owner.told).toEqual(["opened"]);
  // Kept only while it opens: a million connections would pay for it.
  expect(connection.times).toBeNull();
});

test("a handshake in single bytes is put together", async () => {
  const server = new Hostile();
  const { owner, connection } = connect(server);
  await server.request();
  for (const byte of server.handshake()) {
    server.write(byte);
    await Bun.sleep(0);
  }
  await until(() => server.texts().length === 1);
  server.write(joined);
  await until(() => connection.state === "open");
  expect(owner.told).toEqual(["opened"]);
});

test("frames right behind the handshake are not lost", async () => {
  const server = new Hostile();
  const { owner } = connect(server);
  await server.request();
  const early = frame(opcode.text, "early");
  server.write(server.handshake(), joined, early, early.subarray(0, 3));
  await until(() => owner.messages.length === 1);
  server.write(early.subarray(3));
  await until(() => owner.messages.length === 2);
  expect(owner.told).toEqual(["opened"]);
  expect(owner.messages).toEqual(["text: early", "text: early"]);
});

test.each([
  ["protocol wrong-accept-header", (good: string) => good.replace(/Accept: ./, "Accept: !")],
  ["http 503", () => "HTTP/1.1 503 Service Unavailable\r\nContent-Length: 0\r\n\r\n"],
  ["protocol no-http-answer", () => "\r\n\r\n"],
  ["protocol endless-handshake", () => "x".repeat(20_000)],
])("a handshake is refused: %s", async (reason, answer) => {
  const server = new Hostile();
  const { owner } = connect(server);
  await server.request();
  server.write(answer(server.handshake()));
  await expectEnd(server, owner, `failed: ${reason}`);
});

test.each([
  ["an error", frame(opcode.text, '{"type":"error","reason":"no"}')],
  ["another room", frame(opcode.text, '{"type":"joined","room":"r1"}')],
  ["a binary message", frame(opcode.binary, '{"type":"joined","room":"lobby"}')],
])("a join answered with %s fails", async (_, answer) => {
  const server = new Hostile();
  const { owner } = connect(server);
  await server.request();
  server.write(server.handshake(), answer);
  await expectEnd(server, owner, "failed: protocol join-answer");
});

test("nobody listening is told as such", async () => {
  const server = new Hostile();
  server.stop();
  const { owner } = connect(server);
  await until(() => owner.told.length > 0);
  expect(owner.told).toEqual([`failed: system ECONNREFUSED 127.0.0.1:${server.port}`]);
});

test("an address that can't be connected from is told with its error", async () => {
  const server = new Hostile();
  const owner = new Owner(server.port, []);
  new Connection(7, 3, owner).open("203.0.113.1");
  await until(() => owner.told.length > 0);
  expect(owner.told[0]).toMatch(/^failed: system \w+ /);
  if (process.platform === "linux") {
    expect(owner.told).toEqual(["failed: system EADDRNOTAVAIL 203.0.113.1"]);
  }
});

test("a server that says nothing is given up when its time is over", async () => {
  const server = new Hostile();
  const { owner, connection } = connect(server);
  await server.request();
  connection.expire();
  await expectEnd(server, owner, "failed: timeout upgrade");
});

test("a server that answers no join is given up when its time is over", async () => {
  const server = new Hostile();
  const { owner, connection } = connect(server);
  await server.request();
  server.write(server.handshake());
  await until(() => server.texts().length === 1);
  connection.expire();
  await expectEnd(server, owner, "failed: timeout join");
});

test("given up before TCP has answered, it never opens", async () => {
  const server = new Hostile();
  const { owner, connection } = connect(server);
  connection.expire();
  expect(owner.told).toEqual(["failed: timeout tcp"]);
  // The system had connected already: the socket goes away as soon as it comes.
  await until(() => server.closed);
  expect(owner.told).toHaveLength(1);
  expect(server.received.length).toBe(0);
});

test("an open connection does not expire", async () => {
  const { owner, connection } = await connectOpen();
  connection.expire();
  expect(connection.state).toBe("open");
  expect(owner.told).toEqual(["opened"]);
});

test("a ping is answered with the same bytes, masked, also in the middle of a fragmented message", async () => {
  const { server, owner } = await connectOpen();
  const payload = Buffer.from(Array.from({ length: 125 }, (_, at) => at * 2));
  server.write(
    frame(opcode.text, "frag", opcode.text),
    frame(opcode.ping, payload),
    frame(0, "mented", 0x80),
  );
  await until(() => owner.messages.length === 1 && server.frames.length === 2);
  expect(owner.messages).toEqual(["text: fragmented"]);
  expect(server.frames[1]).toEqual({ code: opcode.pong, masked: true, payload });
});

test("every client frame is masked, each with another mask", async () => {
  const { server } = await connectOpen();
  for (let ping = 0; ping < 20; ping += 1) server.write(frame(opcode.ping, "x"));
  await until(() => server.frames.length === 21);
  expect(server.frames.every(({ masked }) => masked)).toBe(true);
  const bytes = server.received.subarray(server.received.length - 20 * 7);
  const masks = Array.from({ length: 20 }, (_, ping) => bytes.readUInt32BE(ping * 7 + 2));
  expect(new Set(masks).size).toBe(20);
  expect(masks).not.toContain(0);
});

test.each([
  ["1001 with a reason", frame(opcode.close, "\x03\xe9going away"), "1001 going away", 1001],
  ["no code", frame(opcode.close, ""), "1005 ", 1000],
  ["an application's code", frame(opcode.close, "\x0f\xa0"), "4000 ", 4000],
])("a close with %s is answered in kind", async (_, close, told, answer) => {
  const { server, owner } = await connectOpen();
  server.write(close);
  await expectEnd(server, owner, `died: close ${told}`);
  expect(server.closeCode()).toBe(answer);
});

test.each([
  ["masked-frame", Buffer.from([0x81, 0x82, 1, 2, 3, 4, 0, 0]), 1002],
  ["reserved-bit", frame(opcode.text, "x", 0xc1), 1002],
  ["reserved-opcode", frame(3, "x"), 1002],
  ["close-code", frame(opcode.close, "\x03\xed"), 1002],
  ["close-code", frame(opcode.close, "\x03\xe7"), 1002],
  ["stray-continuation", frame(0, "x", 0x80), 1002],
  ["control-frame", frame(opcode.ping, "x", opcode.ping), 1002],
  // 2^40 bytes: nothing is set aside for what a header claims.
  ["message-too-long", Buffer.from([0x82, 127, 0, 0, 1, 0, 0, 0, 0, 0]), 1009],
])("the server breaks the protocol: %s", async (text, bytes, code) => {
  const { server, owner } = await connectOpen();
  // What follows a violation is not read.
  server.write(bytes, frame(opcode.text, "too late"));
  await expectEnd(server, owner, `died: protocol ${text}`);
  expect(server.closeCode()).toBe(code);
  expect(owner.messages).toEqual([]);
});

test("a message that never ends is given up at 8 MiB", async () => {
  const { server, owner } = await connectOpen();
  const part = Buffer.alloc(65_535, 120);
  for (let sent = 0; sent < 130 && owner.told.length === 1; sent += 1) {
    const bytes = frame(sent === 0 ? opcode.text : 0, part, sent === 0 ? opcode.text : 0);
    for (let at = 0; at < bytes.length && !server.closed; ) {
      at += Math.max(0, server.socket?.write(bytes.subarray(at)) ?? 0);
      await Bun.sleep(0);
    }
  }
  await expectEnd(server, owner, "died: protocol message-too-long");
  expect(owner.messages).toEqual([]);
});

test("a reset and a quiet end are deaths with their names", async () => {
  const reset = await connectOpen();
  reset.server.socket?.terminate();
  await expectEnd(reset.server, reset.owner, "died: reset");
  const ended = await connectOpen();
  ended.server.socket?.end();
  await expectEnd(ended.server, ended.owner, "died: ended");
});

test("it says goodbye with 1000 and lets the server close TCP, whose end is then no death", async () => {
  const { server, owner, connection } = await connectOpen();
  connection.close();
  await until(() => server.closeCode() === 1000);
  // What is still under way when it leaves is nobody's.
  server.write(frame(opcode.text, "too late"), frame(opcode.close, "\x03\xe8"));
  await Bun.sleep(20);
  // The side that closes first keeps the port in TIME_WAIT: that is not to be the generator.
  expect(server.ended).toBe(false);
  expect(connection.state).toBe("closing");
  server.socket?.end();
  await until(() => connection.state === "closed");
  expect(owner).toMatchObject({ told: ["opened"], messages: [] });
});

test("abandoned, it is gone at once, and that is no death", async () => {
  const { server, owner, connection } = await connectOpen();
  connection.abandon();
  expect(connection.state).toBe("closed");
  await until(() => server.closed);
  expect(owner.told).toEqual(["opened"]);
});

test("a server that reads slowly gets every byte in order, and what can't be taken is refused whole", async () => {
  const { server, owner, connection } = await connectOpen();
  server.socket?.pause();
  const before = server.received.length;
  // Numbered records, so that a lost, torn or doubled one shows.
  const record = (number: number) => encode(`${String(number).padStart(15, "0")}\n`.repeat(64));
  let taken = 0;
  while (taken < 100_000) {
    const bytes = record(taken);
    if (!connection.send(bytes, 0, bytes.length)) break;
    taken += 1;
  }
  // The kernel's buffers and one mebibyte here: bounded, however long the server does not read.
  expect(taken).toBeLessThan(100_000);
  expect(owner.blocked).toBe(1);
  const expected = Buffer.concat(Array.from({ length: taken }, (_, number) => record(number)));
  for (let reading = 0; server.received.length - before < expected.length; reading += 1) {
    if (reading > 5000) throw new Error("the rest never came");
    server.socket?.resume();
    await Bun.sleep(1);
    server.socket?.pause();
  }
  expect(server.received.subarray(before).equals(expected)).toBe(true);
  await until(() => owner.blocked === 0);
  server.socket?.resume();
  const last = record(taken);
  expect(connection.send(last, 0, last.length)).toBe(true);
  await until(() => server.received.length - before === expected.length + last.length);
});

test("a part of a buffer is sent as that part", async () => {
  const { server, connection } = await connectOpen();
  const before = server.received.length;
  connection.send(encode("0123456789"), 3, 6);
  await until(() => server.received.length > before);
  expect(server.received.subarray(before).toString()).toBe("345");
});

test("a flood of pings from a server that does not read costs bounded memory, and tears no frame", async () => {
  const { server, owner, connection } = await connectOpen();
  server.socket?.pause();
  const pings = Buffer.concat(Array.from({ length: 500 }, () => frame(opcode.ping, "p".repeat(125))));
  const memoryBefore = process.memoryUsage.rss();
  // 20 MB of pings: several times what the kernel and the outbox together can hold of pongs.
  for (let round = 0; round < 320; round += 1) {
    await server.writeAll(pings);
  }
  await server.writeAll(frame(opcode.text, "still there"));
  await until(() => owner.messages.length === 1);
  expect(connection.state).toBe("open");
  expect(process.memoryUsage.rss() - memoryBefore).toBeLessThan(200 << 20);
  server.socket?.resume();
  await until(() => owner.blocked === 0 && server.torn === 0);
  for (const { code, payload } of server.frames.slice(1)) {
    expect(code).toBe(opcode.pong);
    expect(payload.toString()).toBe("p".repeat(125));
  }
}, 30_000);

const deflate = (message: string | Uint8Array) =>
  deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);

/** Open and with nothing to join, after the answer's `Sec-WebSocket-Extensions`. */
async function connectCompressed(takeover: boolean, answer: string) {
  const server = new Hostile();
  const owner = new Owner(server.port, [], { takeover });
  const connection = new Connection(7, 3, owner);
  connection.open(null);
  await server.request();
  server.write(server.handshake(`Sec-WebSocket-Extensions: ${answer}\r\n`));
  await until(() => owner.told.length > 0);
  return { server, owner, connection };
}

const noTakeover = "permessage-deflate; server_no_context_takeover";

test("a server that takes over what it was asked to forget is refused", async () => {
  const { server, owner, connection } = await connectCompressed(false, "permessage-deflate");
  await expectEnd(server, owner, "failed: protocol server-context-takeover");
  expect(connection.isCompressed).toBe(false);
});

test.each([
  ["corrupt-deflate-data", Buffer.from("Hello, but not deflated"), 1007],
  ["inflated-message-too-long", deflate(Buffer.alloc((8 << 20) + 1)), 1009],
])("compressed data is not what it should be: %s", async (rule, data, code) => {
  const { server, owner } = await connectCompressed(false, noTakeover);
  const first = 0x80 | reservedBit1 | opcode.text;
  server.write(
    frame(opcode.text, deflate("good"), first),
    frame(opcode.text, data, first),
    frame(opcode.text, "late"),
  );
  await expectEnd(server, owner, `died: protocol ${rule}`);
  expect(server.closeCode()).toBe(code);
  expect(owner.messages).toEqual(["text: good"]);
});

test("control frames are never compressed", async () => {
  const { server, connection } = await connectCompressed(false, noTakeover);
  expect(connection.isCompressed).toBe(true);
  server.write(frame(opcode.ping, "Hello"));
  await until(() => server.frames.length === 1);
  expect(server.frames[0]).toEqual({ code: opcode.pong, masked: true, payload: encode("Hello") });
});

test("with takeover, what a slow server made be refused is missing nowhere", async () => {
  const { server, owner, connection } = await connectCompressed(true, "permessage-deflate");
  const before = server.received.length;
  server.socket?.pause();
  const sent: Buffer[] = [];
  const send = (number: number) => {
    const text = encode(
      `${number} ${Buffer.from(crypto.getRandomValues(new Uint8Array(3000))).toString("hex")}`,
    );
    const bytes = encodeClientFrame(opcode.text, text, 0x01020304);
    const isTaken = connection.send(bytes, 0, bytes.length);
    if (isTaken) sent.push(text);
    return isTaken;
  };
  let number = 0;
  while (send(number)) number += 1;
  expect(owner.blocked).toBe(1);
  // Refused as a whole, and others after it too.
  for (const refused of [1, 2, 3]) expect(send(number + refused)).toBe(false);
  server.socket?.resume();
  await until(() => owner.blocked === 0);
  for (const later of [10, 11, 12]) expect(send(number + later)).toBe(true);
  await until(() => readFrames(server.received.subarray(before)).frames.length === sent.length);
  const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);
  const { frames } = readFrames(server.received.subarray(before));
  const stream = Buffer.concat(frames.flatMap(({ payload }) => [payload, tail]));
  const texts = inflateRawSync(stream, { finishFlush: constants.Z_SYNC_FLUSH });
  expect(Buffer.compare(texts, Buffer.concat(sent))).toBe(0);
  connection.abandon();
});
