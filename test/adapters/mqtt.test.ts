import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import type { AddressInfo } from "node:net";
import { Duplex } from "node:stream";
import { Aedes } from "aedes";
import { type WebSocket, WebSocketServer } from "ws";
import { mqtt } from "../../src/engine/adapters/mqtt/mqtt.ts";
import { flawless, loadAdapter } from "../support/adapter-load.ts";

setDefaultTimeout(60_000);

let stop: (() => Promise<void>) | null = null;
afterEach(async () => {
  await stop?.();
  stop = null;
});

/** What the broker writes at once goes into one message, in pieces of this size where one is given. */
function streamOf(socket: WebSocket, pieceBytes: number): Duplex {
  const stream = new Duplex({
    read() {},
    write(chunk: Buffer, _, done) {
      for (let at = 0; at < chunk.length; at += pieceBytes) socket.send(chunk.subarray(at, at + pieceBytes));
      done();
    },
    writev(chunks, done) {
      const bytes = Buffer.concat(chunks.map(({ chunk }) => chunk as Buffer));
      for (let at = 0; at < bytes.length; at += pieceBytes) socket.send(bytes.subarray(at, at + pieceBytes));
      done();
    },
    final(done) {
      socket.close();
      done();
    },
  });
  socket.on("message", (data) => stream.push(data as Buffer));
  socket.on("close", () => stream.destroy());
  socket.on("error", () => stream.destroy());
  stream.on("error", () => socket.terminate());
  return stream;
}

/** The real broker, behind ws. */
async function start(pieceBytes = Number.POSITIVE_INFINITY): Promise<string> {
  const broker = await Aedes.createBroker({
    authenticate: (_client, username, password, done) => {
      if (username === "mallory") {
        done(Object.assign(new Error("no"), { returnCode: 4 }), false);
      } else done(null, username === undefined || password?.toString() === "secret");
    },
    authorizeSubscribe: (_client, subscription, done) =>
      done(null, subscription.topic.startsWith("secret/") ? null : subscription),
  });
  const server = new WebSocketServer({ port: 0, host: "127.0.0.1", handleProtocols: () => "mqtt" });
  server.on("connection", (socket, request) => {
    broker.handle(streamOf(socket, pieceBytes), request);
  });
  await new Promise<void>((resolve) => server.once("listening", resolve));
  stop = async () => {
    for (const socket of server.clients) socket.terminate();
    await new Promise<void>((resolve) => broker.close(resolve));
    server.close();
  };
  return `ws://127.0.0.1:${(server.address() as AddressInfo).port}`;
}

test("aedes: with QoS 1 every message is acknowledged and reaches its topic once", async () => {
  const url = await start();
  expect(await loadAdapter({ adapter: mqtt, url })).toEqual(flawless(20, 1000, 5000));
});

test("aedes: QoS 0, whose packets come in pieces of 7 bytes", async () => {
  const options = { qos: "0", username: "me", password: "secret" };
  const load = { adapter: mqtt, url: await start(7), options };
  expect(await loadAdapter(load)).toEqual(flawless(20, 0, 5000));
});

test("aedes, which has no version 5, says so", async () => {
  const load = { adapter: mqtt, url: await start(), options: { version: "5" }, connections: 2 };
  expect((await loadAdapter(load)).refusals).toEqual({
    "connection refused: unacceptable protocol version": 2,
  });
});

test("aedes: without a subscription nothing is delivered", async () => {
  const load = { adapter: mqtt, url: await start(), options: { subscribe: "no" } };
  expect(await loadAdapter(load)).toEqual(flawless(20, 1000, 0));
});

test("aedes: a refused user and a refused topic are told", async () => {
  const url = await start();
  const load = { adapter: mqtt, url, connections: 2 };
  const user = await loadAdapter({ ...load, options: { username: "mallory", password: "x" } });
  expect(user.refusals).toEqual({ "connection refused: bad user name or password": 2 });
  const topic = await loadAdapter({ ...load, options: { topic: "secret/{{room}}" } });
  expect(topic.refusals).toEqual({ "subscription refused: unspecified error": 2 });
});
