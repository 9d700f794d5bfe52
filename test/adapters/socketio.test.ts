import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { Server } from "socket.io";
import { socketIo } from "../../src/engine/adapters/socketio.ts";
import { flawless, loadAdapter } from "../support/adapter-load.ts";

setDefaultTimeout(60_000);

let server: Server | null = null;
afterEach(async () => {
  await server?.close();
  server = null;
});

/** The real server, as its documentation sets up rooms and acknowledgements. */
async function start(
  options: ConstructorParameters<typeof Server>[1],
  toOthersOnly = false,
): Promise<string> {
  const http = createServer();
  server = new Server(http, { serveClient: false, ...options });
  for (const namespace of ["/", "/chat"]) {
    server.of(namespace).use((socket, next) => {
      const { token } = socket.handshake.auth;
      next(token === "wrong" ? new Error("invalid token") : undefined);
    });
    server.of(namespace).on("connection", (socket) => {
      let room = "";
      socket.on("join", (name, acknowledge) => {
        if (name === "r9") return acknowledge({ error: "no such room" });
        room = name;
        socket.join(room);
        acknowledge();
      });
      socket.on("message", (message, acknowledge) => {
        const everybody = toOthersOnly ? socket.to(room) : server?.of(namespace).to(room);
        everybody?.emit("message", message);
        acknowledge?.({ status: "ok" });
      });
      socket.on("bytes", (message) =>
        server
          ?.of(namespace)
          .to(room)
          .emit("bytes", { text: Buffer.from(message.text) }),
      );
      socket.on("echo", (message) => socket.emit("echo", message));
    });
  }
  await new Promise<void>((resolve) => http.listen(0, "127.0.0.1", resolve));
  return `ws://127.0.0.1:${(http.address() as AddressInfo).port}`;
}

test("socket.io: every message is acknowledged and reaches its room once", async () => {
  const url = await start({ pingInterval: 200, pingTimeout: 5000 });
  const options = { join: "join", delivery: "room" };
  expect(await loadAdapter({ adapter: socketIo, url, options })).toEqual(flawless(20, 1000, 5000));
});

test("socket.io: another namespace, objects, and no message back to its sender", async () => {
  const url = await start({}, true);
  const options = {
    namespace: "/chat",
    auth: '{"token":"t-{{connection}}"}',
    join: "join",
    data: '{"text":"{{message}}","room":"{{room}}"}',
    delivery: "others-in-room",
  };
  expect(await loadAdapter({ adapter: socketIo, url, options })).toEqual(flawless(20, 1000, 4000));
});

test("socket.io: an echo without acknowledgement, of JSON", async () => {
  const url = await start({});
  const options = { event: "echo", data: '{"inner":{{message}}}', ack: "no", delivery: "sender" };
  const payload = (connection: number, id: number) => JSON.stringify({ connection, id, list: [1, null] });
  expect(await loadAdapter({ adapter: socketIo, url, options, payload })).toEqual(flawless(20, 0, 1000));
});

test("socket.io: messages that come as binary attachments", async () => {
  const url = await start({});
  const options = {
    join: "join",
    event: "bytes",
    data: '{"text":"{{message}}"}',
    ack: "no",
    delivery: "room",
  };
  expect(await loadAdapter({ adapter: socketIo, url, options })).toEqual(flawless(20, 0, 5000));
});

test("socket.io: a refused token, and a refused room, are told in the server's words", async () => {
  const url = await start({});
  const load = (options: Record<string, string>) =>
    loadAdapter({ adapter: socketIo, url, options, connections: 3 });
  expect(await load({ auth: '{"token":"wrong"}' })).toMatchObject({ refusals: { "invalid token": 3 } });
  expect(await load({ join: "join", "join-data": '"r9"' })).toMatchObject({
    refusals: { "no such room": 3 },
  });
  expect(await load({ namespace: "/nobody" })).toMatchObject({ refusals: { "Invalid namespace": 3 } });
});

test("socket.io: a server that forces polling is found out by its answer to the upgrade", async () => {
  const url = await start({ transports: ["polling"] });
  const response = await fetch(url.replace("ws", "http") + socketIo.path, {
    headers: {
      Connection: "Upgrade",
      Upgrade: "websocket",
      "Sec-WebSocket-Version": "13",
      "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    },
  });
  const explained = socketIo.explainRefusal?.(response.status, await response.text());
  expect(explained).toStartWith("the server takes no WebSocket for a new session: it forces HTTP polling");
});
