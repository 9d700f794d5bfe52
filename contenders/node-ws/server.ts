import { createServer, STATUS_CODES } from "node:http";
import { constants, type PerformanceNodeEntry, PerformanceObserver } from "node:perf_hooks";
import type { Duplex } from "node:stream";
import { WebSocketServer } from "ws";
import { Chat } from "./chat.ts";
import type { Counts } from "./counts.ts";
import { type Connection, FramedDelivery, PlainDelivery } from "./delivery.ts";
import { parseRoute, prefixRoute } from "./protocol.ts";
import { Relay } from "./relay.ts";
import { Worker } from "./worker.ts";

const closeTimeoutMs = 2_000;

const { HOST: host, PORT, DELIVERY: deliveryName = "plain", ROUTING: routing = "parse" } = process.env;
const port = Number(PORT);
if (!host || !Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error(`HOST=${host} PORT=${PORT}: expected an address and a port; set both`);
  process.exit(2);
}
if (!["plain", "framed"].includes(deliveryName) || !["parse", "prefix"].includes(routing)) {
  console.error(`DELIVERY=${deliveryName} ROUTING=${routing}: expected plain or framed, and parse or prefix`);
  process.exit(2);
}

const delivery = deliveryName === "plain" ? new PlainDelivery() : new FramedDelivery();
const { RELAY: relayFolder, WORKER: workerIndex } = process.env;
const relay = relayFolder === undefined ? null : new Relay((room, message) => chat.deliver(room, message));
const chat = new Chat(routing === "parse" ? parseRoute : prefixRoute, delivery, relay);
/** Null in a process that serves alone. */
const worker = relay === null ? null : new Worker(relay);

const webSockets = new WebSocketServer({
  noServer: true,
  clientTracking: false, // `Chat` does it
  perMessageDeflate: false,
  maxPayload: 64 * 1024,
  // A message may come a byte at a time; `ws` would refuse that at a quarter of the length.
  maxFragments: 64 * 1024,
  skipUTF8Validation: false,
});

let majorCollections = 0;
let collectorMs = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries() as PerformanceNodeEntry[]) {
    collectorMs += entry.duration;
    if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) majorCollections++;
  }
}).observe({ entryTypes: ["gc"] });

const server = createServer((request, response) => {
  const path = request.url?.split("?", 1)[0];
  if (path === "/stats" && request.method === "GET") {
    // Of one process alone: the counts of several don't add up to one heap's.
    const counts =
      worker === null
        ? { ...count(), majorCollections, collectorMs: Math.round(collectorMs) }
        : worker.total();
    void Promise.resolve(counts).then((all) =>
      response.writeHead(200, { "content-type": "application/json" }).end(JSON.stringify(all)),
    );
  } else if (path === "/ws") {
    response.writeHead(426, { upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13" });
    response.end();
  } else {
    response.writeHead(404).end();
  }
});

server.on("upgrade", (request, socket, head) => {
  if (request.url?.split("?", 1)[0] !== "/ws") return refuse(socket, 404);
  const version = request.headers["sec-websocket-version"];
  // `ws` would also take version 8, a draft, and answers others with 400; RFC 6455 §4.2.2 asks for 426.
  if (version !== undefined && version !== "13") return refuse(socket, 426, "sec-websocket-version: 13\r\n");
  webSockets.handleUpgrade(request, socket, head, (webSocket) => {
    const connection: Connection = { webSocket, socket, rooms: new Set() };
    chat.open(connection);
    // Nothing but a Buffer comes here, as `binaryType` is left alone.
    webSocket.on("message", (message: Buffer, isBinary) => chat.receive(connection, message, isBinary));
    webSocket.on("close", () => chat.close(connection));
    // `ws` closes with the right code by itself; without a listener a client's fault would be ours.
    webSocket.on("error", () => {});
  });
});

function count(): Counts {
  const { sent, dropped } = delivery;
  return { connections: chat.connections.size, received: chat.received, sent, dropped };
}

function refuse(socket: Duplex, status: number, header = ""): void {
  socket.on("error", () => {});
  socket.end(
    `HTTP/1.1 ${status} ${STATUS_CODES[status]}\r\n${header}connection: close\r\ncontent-length: 0\r\n\r\n`,
  );
}

server.on("error", (error) => {
  // Only a failure to listen is the end; an accept that fails later is one client less.
  console.error(error.message);
  if (!server.listening) process.exit(1);
});

process.once("SIGTERM", () => {
  // A worker that is not listening yet has nobody to close.
  if (!server.listening) process.exit(0);
  server.close(() => process.exit(0));
  for (const { webSocket } of chat.connections) webSocket.close(1001, "server shutting down");
  // A client that never answers the close must not hold the process.
  setTimeout(() => process.exit(0), closeTimeoutMs).unref();
});

if (worker !== null && relayFolder !== undefined) {
  await worker.start(relayFolder, Number(workerIndex), count);
}
// Without `reusePort` all accept from one socket, and the first to wake takes more than its share.
const reusePort = worker !== null && process.platform === "linux";
server.listen({ host, port, backlog: 4096, reusePort }, () => console.error(`listening on ${host}:${port}`));
