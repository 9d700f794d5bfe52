/**
 * A fixed rate over a number of connections with the `ws` package, as somebody would write it: a timer sends what is
 * due, and each echo is compared. Runs on Node, after `bun build --target=node`.
 *
 *   ws-load URL CONNECTIONS PER_SECOND SECONDS MESSAGE
 */
import { WebSocket } from "ws";

const [url = "", ...rest] = process.argv.slice(2);
const [connections = 0, perSecond = 0, seconds = 0] = rest.slice(0, 3).map(Number);
const message = rest[3] ?? "";
const drainMs = 500;
let received = 0;

const sockets = await Promise.all(
  Array.from({ length: connections }, async () => {
    const socket = new WebSocket(url, { perMessageDeflate: false });
    socket.on("message", (data) => {
      if (String(data) !== message) throw new Error(`${data} is no echo`);
      received += 1;
    });
    await new Promise((resolve) => socket.once("open", resolve));
    return socket;
  }),
);
const total = perSecond * seconds;
const startMs = performance.now();
let sent = 0;
await new Promise<void>((resolve) => {
  const timer = setInterval(() => {
    const due = Math.min(total, Math.floor(((performance.now() - startMs) * perSecond) / 1000));
    for (; sent < due; sent += 1) sockets[sent % connections]?.send(message);
    if (sent < total) return;
    clearInterval(timer);
    setTimeout(resolve, drainMs);
  }, 1);
});
process.stdout.write(`${received} of ${sent}\n`);
process.exit(0);
