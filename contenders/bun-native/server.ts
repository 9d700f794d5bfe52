import { Chat } from "./chat.ts";
import { Connection } from "./connection.ts";
import type { Counts } from "./counts.ts";
import { parseRoute, prefixRoute } from "./protocol.ts";
import { Relay } from "./relay.ts";
import { Worker } from "./worker.ts";

const closeTimeoutMs = 2_000;

const hostname = process.env.HOST;
const port = Number(process.env.PORT);
const routing = process.env.ROUTING ?? "parse";
if (!hostname || !Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error(`HOST=${hostname} PORT=${process.env.PORT}: expected an address and a port; set both`);
  process.exit(2);
}
if (routing !== "parse" && routing !== "prefix") {
  console.error(`ROUTING=${routing}: expected parse or prefix`);
  process.exit(2);
}

const { RELAY: relayFolder, WORKER: workerIndex } = process.env;
const relay = relayFolder === undefined ? null : new Relay((room, text) => chat.deliver(room, text));
const publish = (topic: string, text: string) => {
  // The server's publish reaches every subscriber; a socket's own would leave out the sender.
  server.publish(topic, text);
};
const chat = new Chat(routing === "parse" ? parseRoute : prefixRoute, publish, relay);
/** Null in a process that serves alone. */
const worker = relay === null ? null : new Worker(relay);
if (worker !== null && relayFolder !== undefined) {
  await worker.start(relayFolder, Number(workerIndex), count);
}

const server = Bun.serve({
  hostname,
  port,
  // The kernel spreads new connections over all that listen. Linux.
  reusePort: worker !== null,
  routes: {
    "/ws": (request, server) => {
      // Bun looks at neither the version's value nor the Connection header (RFC 6455 §4.2.1 and §4.2.2).
      const { headers } = request;
      const asksForUpgrade =
        headers.get("upgrade")?.toLowerCase() === "websocket" &&
        /(^|[ ,])upgrade([ ,]|$)/i.test(headers.get("connection") ?? "");
      if (!asksForUpgrade || headers.get("sec-websocket-version") !== "13") return upgradeRequired();
      if (server.upgrade(request, { data: new Connection() })) return;
      return new Response("not a WebSocket handshake", { status: 400 });
    },
    "/stats": {
      GET: async () => Response.json(await (worker?.total() ?? count())),
    },
  },
  fetch: () => new Response("not found", { status: 404 }),
  websocket: {
    data: new Connection(), // only its type is used
    perMessageDeflate: false,
    maxPayloadLength: 64 * 1024,
    // The longest there is: a silent client stays, a vanished one is found out by Bun's own ping.
    idleTimeout: 960,
    // None: past a limit uWebSockets drops published messages without saying whose. `Chat` keeps the limit.
    backpressureLimit: 0,
    open: (socket) => chat.open(socket),
    message: (socket, message) => chat.receive(socket, message),
    ping: (socket, payload) => chat.ponged(socket, payload.byteLength),
    drain: (socket) => chat.drained(socket),
    close: (socket, code) => chat.close(socket, code),
  },
});

async function count(): Promise<Counts> {
  await chat.settle();
  const { sockets, received, sent, dropped } = chat;
  return { connections: sockets.size, received, sent, dropped };
}

function upgradeRequired(): Response {
  return new Response("WebSocket only", {
    status: 426,
    headers: { upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13" },
  });
}

process.once("SIGTERM", async () => {
  const stopped = server.stop();
  for (const socket of chat.sockets) socket.close(1001, "server shutting down");
  // A client that never answers the close must not hold the process.
  await Promise.race([stopped, Bun.sleep(closeTimeoutMs)]);
  process.exit(0);
});

console.error(`listening on ${hostname}:${port}`);
