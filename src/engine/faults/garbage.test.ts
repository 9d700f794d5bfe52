import { afterEach, expect, test } from "bun:test";
import { acceptFor } from "../../websocket/handshake.ts";
import { createSockets } from "../sockets/create-sockets.ts";
import { plainTarget } from "../target.ts";
import { GarbageSender } from "./garbage.ts";

/** Answers every handshake and keeps what comes afterwards, or instead. */
class Sink {
  readonly received: Buffer[] = [];
  readonly open = new Set<Bun.Socket<{ got: Buffer; isUpgraded: boolean }>>();
  readonly listener;

  constructor() {
    const { open, received } = this;
    this.listener = Bun.listen<{ got: Buffer; isUpgraded: boolean }>({
      hostname: "127.0.0.1",
      port: 0,
      socket: {
        open(socket) {
          socket.data = { got: Buffer.alloc(0), isUpgraded: false };
          open.add(socket);
        },
        data(socket, chunk) {
          socket.data.got = Buffer.concat([socket.data.got, chunk]);
          const key = /^sec-websocket-key: (.*)\r\n(?:.*\r\n)*\r\n$/im.exec(
            socket.data.got.toString("latin1"),
          )?.[1];
          if (socket.data.isUpgraded || key === undefined) return;
          socket.data = { got: Buffer.alloc(0), isUpgraded: true };
          socket.write(
            `HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: ${acceptFor(key)}\r\n\r\n`,
          );
        },
        close(socket) {
          open.delete(socket);
          received.push(socket.data.got);
        },
      },
    });
  }
}

let senders: GarbageSender[] = [];
let sink: Sink;
afterEach(() => {
  for (const sender of senders) sender.stop();
  sink.listener.stop(true);
});

function sendTo(count: number): void {
  sink = new Sink();
  const target = plainTarget("127.0.0.1", sink.listener.port, "/ws");
  const options = { sockets: createSockets(), target, sourceAddress: null };
  senders = Array.from({ length: count }, (_, turn) => new GarbageSender(options, turn));
  for (const sender of senders) sender.start();
}

test("ten kinds of garbage, of which eight are given up when nothing comes of them", async () => {
  sendTo(10);
  await Bun.sleep(400);
  expect(sink.open.size).toBe(10);
  const first = [...sink.open].map(({ data }) => data);
  expect(first.filter(({ isUpgraded }) => isUpgraded)).toHaveLength(7);
  expect(first.filter(({ got }) => got.length > 0)).toHaveLength(10);
  expect(new Set(first.map(({ got }) => got.toString("hex"))).size).toBe(10);
  // A text of 1 MiB, and the head of one of 2^62 bytes.
  expect(Math.max(...first.map(({ got }) => got.length))).toBeGreaterThan(1 << 20);
  expect(first.some(({ got }) => got.toString("hex").startsWith("81ff40000000"))).toBe(true);
  await Bun.sleep(200);
  expect(sink.received).toHaveLength(8);
});

test("whoever is closed comes back with the next kind, until it is stopped", async () => {
  sendTo(1);
  await Bun.sleep(100);
  for (const socket of sink.open) socket.end();
  await Bun.sleep(300);
  expect(sink.received).toHaveLength(1);
  expect(sink.open.size).toBe(1);
  for (const sender of senders) sender.stop();
  await Bun.sleep(300);
  expect(sink.open.size).toBe(0);
  expect(sink.received).toHaveLength(2);
});
