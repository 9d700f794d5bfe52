/** permessage-deflate against servers that others wrote: what was sent comes back, byte for byte and in order. */
import { afterAll, describe, expect, test } from "bun:test";
import { Connection, type ConnectionOwner } from "../../src/engine/connection.ts";
import { ChaosChat } from "../../src/engine/protocols/chaos-chat/chaos-chat.ts";
import { createSockets } from "../../src/engine/sockets/create-sockets.ts";
import type { Target } from "../../src/engine/target.ts";
import type { ConnectionFailure } from "../../src/result/reasons.ts";
import { encodeClientFrame, opcode } from "../../src/websocket/frame.ts";
import { Upgrades } from "../../src/websocket/handshake.ts";

const patienceMs = 60_000;
const connections = 10;
const messagesPerConnection = 300;
/** Under way at once per connection: several, so that both directions are busy, and never more than the outbox holds. */
const inFlight = 4;
const longestBytes = 200_000;

const node = Bun.which("node");
const sockets = createSockets();
const running: { stop(): unknown }[] = [];
afterAll(() => {
  for (const server of running) server.stop();
});

type Compression = Target["compression"];
const noTakeover: Compression = { takeover: false };
const takeover: Compression = { takeover: true };

async function startWs(deflate: unknown, fragments = 1): Promise<number> {
  const script = new URL("../fixtures/compression/echo-ws.mjs", import.meta.url).pathname;
  const child = Bun.spawn([node ?? "node", script, JSON.stringify({ deflate, fragments })], {
    stdout: "pipe",
    stderr: "inherit",
  });
  running.push({ stop: () => child.kill() });
  for await (const bytes of child.stdout) return Number(new TextDecoder().decode(bytes));
  throw new Error("the server did not start");
}

function startBun(perMessageDeflate: Bun.WebSocketHandler<undefined>["perMessageDeflate"]): number {
  const server = Bun.serve<undefined>({
    hostname: "127.0.0.1",
    port: 0,
    fetch: (request, self) => (self.upgrade(request) ? undefined : new Response(null, { status: 400 })),
    websocket: {
      perMessageDeflate: perMessageDeflate ?? false,
      message: (socket, message) => void socket.send(message, true),
    },
  });
  running.push({ stop: () => server.stop(true) });
  return server.port ?? 0;
}

/** One of a kind: numbered, of random length and content, of which some deflates well and some not at all. */
function makeMessage(number: number, random: () => number): Buffer {
  const kind = Math.floor(random() * 4);
  const length = Math.floor(random() < 0.1 ? random() * longestBytes : random() * 3000);
  if (kind === 0) return Buffer.alloc(number % 7 === 0 ? 0 : 1, 97);
  const message = Buffer.alloc(length);
  if (kind === 1) crypto.getRandomValues(message.subarray(0, 65_536));
  else message.fill(kind === 2 ? `{"number":${number},"text":"the same again"}` : 0);
  message.write(`${number};`.slice(0, length));
  return message;
}

/** Deterministic, for the sizes: mulberry32. */
function createRandom(seed: number): () => number {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let mixed = Math.imul(state ^ (state >>> 15), 1 | state);
    mixed = (mixed + Math.imul(mixed ^ (mixed >>> 7), 61 | mixed)) ^ mixed;
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Sends numbered messages over several connections, and holds each echo to what is owed next. */
class Auditor implements ConnectionOwner {
  readonly sockets = sockets;
  readonly protocol = new ChaosChat({ joins: [], messageBytes: 120, seed: 1 });
  readonly target: Target;
  readonly upgrades: Upgrades;
  readonly all: Connection[];
  readonly #owed: { message: Buffer; isText: boolean }[][];
  readonly #sent: number[];
  readonly #random = createRandom(7);
  readonly #done = Promise.withResolvers<void>();
  intact = 0;
  wrong = 0;
  /** Of the connections that were compressed when they opened. */
  compressed = 0;

  constructor(port: number, compression: Compression) {
    this.target = { host: "127.0.0.1", port, path: "/", tls: null, headers: {}, compression };
    this.upgrades = new Upgrades(this.target);
    this.all = Array.from({ length: connections }, (_, index) => new Connection(index, index, this));
    this.#owed = this.all.map(() => []);
    this.#sent = this.all.map(() => 0);
  }

  async run(): Promise<void> {
    for (const connection of this.all) connection.open(null);
    const late = setTimeout(() => this.#done.reject(new Error(`${this.intact} echoes in time`)), patienceMs);
    try {
      await this.#done.promise;
    } finally {
      clearTimeout(late);
      for (const connection of this.all) connection.abandon();
    }
  }

  clockUs(): number {
    return performance.now() * 1000;
  }
  onArrival(): void {}
  onOpened(connection: Connection): void {
    if (connection.isCompressed) this.compressed += 1;
    for (let sent = 0; sent < inFlight; sent += 1) this.#send(connection);
  }
  onFailed(_: Connection, failure: ConnectionFailure): void {
    this.#done.reject(new Error(`a connection failed: ${JSON.stringify(failure)}`));
  }
  onDied(_: Connection, failure: ConnectionFailure): void {
    this.#done.reject(new Error(`a connection died: ${JSON.stringify(failure)}`));
  }
  onMessage(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const owed = this.#owed[connection.place]?.shift();
    const arrived = bytes.subarray(start, end);
    if (owed === undefined || owed.isText !== isText || Buffer.compare(owed.message, arrived) !== 0) {
      this.wrong += 1;
      this.#done.reject(new Error(`an echo of ${arrived.length} bytes, owed were ${owed?.message.length}`));
      return;
    }
    this.intact += 1;
    if (this.intact === connections * messagesPerConnection) this.#done.resolve();
    else this.#send(connection);
  }
  onBlocked(): void {}
  onUnblocked(): void {}

  #send(connection: Connection): void {
    const number = this.#sent[connection.place] ?? 0;
    if (number === messagesPerConnection) return;
    this.#sent[connection.place] = number + 1;
    const message = makeMessage(number, this.#random);
    // Bytes of any kind are no text: a server may say so.
    const isText = message.every((byte) => byte < 128);
    this.#owed[connection.place]?.push({ message, isText });
    const code = isText ? opcode.text : opcode.binary;
    const frame = encodeClientFrame(code, message, (number * 0x9e3779b1) | 1);
    if (!connection.send(frame, 0, frame.length)) this.#done.reject(new Error("a message was refused"));
  }
}

async function audit(port: number, compression: Compression): Promise<Auditor> {
  const auditor = new Auditor(port, compression);
  await auditor.run();
  expect([auditor.intact, auditor.wrong]).toEqual([connections * messagesPerConnection, 0]);
  return auditor;
}

describe.skipIf(node === null)("ws on Node", () => {
  test.each([
    ["no takeover", noTakeover, { threshold: 0 }, 1],
    ["no takeover, its default threshold", noTakeover, true, 1],
    ["no takeover, in fragments", noTakeover, { threshold: 0 }, 3],
    ["takeover", takeover, { threshold: 0 }, 1],
    ["takeover, in fragments", takeover, true, 3],
    ["takeover with small windows", takeover, { serverMaxWindowBits: 9, clientMaxWindowBits: 10 }, 1],
    ["takeover with the server's smallest window", takeover, { serverMaxWindowBits: 8 }, 1],
    ["takeover of the server only", takeover, { clientNoContextTakeover: true }, 1],
    ["takeover of the client only", takeover, { serverNoContextTakeover: true }, 1],
  ] as const)(
    "%s: every message is echoed intact",
    async (_, compression, deflate, fragments) => {
      const { compressed } = await audit(await startWs(deflate, fragments), compression);
      expect(compressed).toBe(connections);
    },
    2 * patienceMs,
  );

  test(
    "a server that declines gets plain messages",
    async () => {
      const { compressed } = await audit(await startWs(false), takeover);
      expect(compressed).toBe(0);
    },
    2 * patienceMs,
  );
});

describe("Bun.serve", () => {
  test.each([
    ["no takeover", noTakeover, true],
    ["no takeover, dedicated", noTakeover, { compress: "dedicated", decompress: "dedicated" }],
    ["takeover, shared", takeover, { compress: "shared", decompress: "shared" }],
    // Until Bun 1.4.0 it closed such connections (bun#33003).
    ["takeover, dedicated", takeover, { compress: "dedicated", decompress: "dedicated" }],
    ["takeover with a small window", takeover, { compress: "4KB", decompress: "dedicated" }],
  ] as const)(
    "%s: every message is echoed intact",
    async (_, compression, deflate) => {
      const { compressed } = await audit(startBun(deflate), compression);
      expect(compressed).toBe(connections);
    },
    2 * patienceMs,
  );
});
