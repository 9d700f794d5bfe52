import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { attack, small } from "../attack/attack.ts";
import { longestMs, showdown } from "../showdown/showdown.ts";
import { startPhoenixEndpoint } from "../support/phoenix-endpoint.ts";

// The whole tool with an adapter whose answers hang on its options.

setDefaultTimeout(longestMs);

let stop: () => Promise<void> = async () => {};
afterEach(async () => await stop());

const clean = { unsent: 0, lost: 0, duplicated: 0, reordered: 0, unmatched: 0 };
const options = (...pairs: string[]) => pairs.flatMap((pair) => ["--adapter-option", pair]);

async function startSocketIo(transports: ("websocket" | "polling")[]): Promise<string> {
  const http = createServer();
  const server = new Server(http, { serveClient: false, transports });
  server.on("connection", (socket) => {
    socket.on("join", (room, acknowledge) => {
      socket.join(room);
      acknowledge();
      socket.on("message", (message, done) => {
        server.to(room).emit("message", message);
        done();
      });
    });
  });
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  stop = async () => await server.close();
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

test("attack --adapter socketio: acknowledgements and a room of two are audited together", async () => {
  const url = await startSocketIo(["websocket"]);
  const adapter = ["--adapter", "socketio", "--rooms", "2", ...options("join=join", "delivery=room")];
  const { result } = await attack(url, ...small, ...adapter);
  expect(result.connections).toMatchObject({ opened: 4, failed: 0 });
  expect(result.messages).toMatchObject({ ...clean, sent: 400, expected: 1200, answered: 1200 });
});

test("attack --adapter socketio: a server that forces polling is told as that", async () => {
  const url = await startSocketIo(["polling"]);
  const { stdout } = await showdown("attack", url, ...small, "--adapter", "socketio");
  expect(stdout).toContain("it forces HTTP polling first");
});

test("attack --adapter phoenix: replies, and what the others get", async () => {
  const endpoint = startPhoenixEndpoint();
  stop = endpoint.stop;
  const adapter = ["--adapter", "phoenix", "--rooms", "2"];
  const whisper = options("event=whisper", "reply=yes", "delivery=others-in-room");
  const { result } = await attack(endpoint.url, ...small, ...adapter, ...whisper);
  expect(result.messages).toMatchObject({ ...clean, sent: 400, expected: 800, answered: 800 });
});

test("attack --adapter: a wrong option is told before any connection", async () => {
  const ended = await showdown("attack", "ws://127.0.0.1:1", "--adapter", "mqtt", ...options("qos=2"));
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain("adapter mqtt: option qos=2: expected one of 0, 1");
});
