import { Chat } from "./chat.ts";
import { Client } from "./client.ts";

const closeTimeoutMs = 2_000;
const settleMs = 100;

const hostname = Deno.env.get("HOST");
const port = Number(Deno.env.get("PORT"));
if (!hostname || !Number.isInteger(port) || port < 1 || port > 65_535) {
  console.error(`HOST=${hostname} PORT=${Deno.env.get("PORT")}: expected an address and a port; set both`);
  Deno.exit(2);
}

const chat = new Chat();
setInterval(() => chat.settle(), settleMs);

const server = Deno.serve({ hostname, port, onListen: () => {} }, (request) => {
  const path = new URL(request.url).pathname;
  if (path === "/stats" && request.method === "GET") return Response.json(chat.stats());
  if (path !== "/ws") return new Response("not found", { status: 404 });
  return upgrade(request);
});

function upgrade(request: Request): Response {
  const { headers } = request;
  const asksForUpgrade =
    headers.get("upgrade")?.toLowerCase() === "websocket" &&
    /(^|[ ,])upgrade([ ,]|$)/i.test(headers.get("connection") ?? "");
  if (!asksForUpgrade || headers.get("sec-websocket-version") !== "13") {
    const accepted = { upgrade: "websocket", connection: "upgrade", "sec-websocket-version": "13" };
    return new Response("WebSocket only", { status: 426, headers: accepted });
  }
  if (!/^[A-Za-z0-9+/]{22}==$/.test(headers.get("sec-websocket-key") ?? "")) {
    return new Response("not a WebSocket handshake", { status: 400 });
  }
  // The default closes a client that has been silent for 30 s.
  const { socket, response } = Deno.upgradeWebSocket(request, { idleTimeout: 0 });
  const client = new Client(socket);
  socket.onopen = () => chat.clients.add(client);
  socket.onmessage = ({ data }) => chat.receive(client, data);
  socket.onclose = ({ wasClean }) => chat.close(client, wasClean);
  return response;
}

Deno.addSignalListener("SIGTERM", () => {
  for (const { socket } of chat.clients) socket.close(1001, "server shutting down");
  // A client that never answers the close must not hold the process.
  setTimeout(() => Deno.exit(0), closeTimeoutMs);
  void server.shutdown().then(() => Deno.exit(0));
});
