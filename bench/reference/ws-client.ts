/**
 * The closed loop of `epoll-client.c` with the `ws` package, what most people would load a server with.
 * Runs on Node, after `bun build --target=node`. Usage and output: README.md.
 */
import { createHistogram } from "node:perf_hooks";
import { WebSocket } from "ws";

const minMessageBytes = 80;
const maxMessageBytes = 65_536;
/** One source address has at most 28,232 ports by default; stay well below. */
const connectionsPerSource = 20_000;
const connectBatch = 100;
/** How long the last replies may take. */
const drainMs = 2000;

function die(text: string): never {
  process.stderr.write(`ws-client: ${text}\n`);
  process.exit(1);
}

function number(name: string, text: string | undefined, minimum: number, maximum: number): number {
  const value = Number(text);
  if (text !== undefined && text !== "" && value >= minimum && value <= maximum) return value;
  return die(`${name} is ${text}, expected a number from ${minimum} to ${maximum}`);
}

const [host = "", ...numbers] = process.argv.slice(2);
if (numbers.length !== 4) die("usage: ws-client HOST PORT CONNECTIONS SECONDS MESSAGE_BYTES");
const port = number("PORT", numbers[0], 1, 65_535);
const connections = number("CONNECTIONS", numbers[1], 1, 5e6);
const seconds = number("SECONDS", numbers[2], 0.01, 86_400);
const messageBytes = number("MESSAGE_BYTES", numbers[3], minMessageBytes, maxMessageBytes);

const nowNs = () => process.hrtime.bigint();
const latency = createHistogram();
let startNs = 0n;
let endNs = 0n;
let sent = 0;
let roundTrips = 0;
let drained = () => {};

class Client {
  readonly opened: Promise<void>;
  readonly #socket: WebSocket;
  readonly #number: number;
  #seq = 0;
  #sentNs = 0n;

  constructor(index: number) {
    this.#number = index;
    const source = Math.floor(index / connectionsPerSource);
    this.#socket = new WebSocket(`ws://${host}:${port}/ws`, {
      perMessageDeflate: false,
      // Other addresses each time: the ports of the run before are in TIME_WAIT for a minute.
      localAddress: `127.${10 + (process.pid % 200)}.0.${1 + source}`,
    });
    this.opened = new Promise((resolve) => this.#socket.once("open", () => resolve()));
    this.#socket.on("error", (error) => die(`connection ${index}: ${error.message}`));
    this.#socket.on("close", (code) => die(`the server closed connection ${index} with ${code}`));
    this.#socket.on("message", (data) => this.#take(data as Buffer));
  }

  echo(now: bigint): void {
    const start = `{"type":"echo","from":"c${this.#number}","seq":${++this.#seq},"at":${(now - startNs) / 1000n},"text":"`;
    this.#sentNs = now;
    sent++;
    this.#socket.send(`${start.padEnd(messageBytes - 2, "x")}"}`);
  }

  #take(reply: Buffer): void {
    if (reply.length !== messageBytes)
      die(`a reply of ${reply.length} bytes, expected ${messageBytes}: ${reply}`);
    const now = nowNs();
    roundTrips++;
    latency.record(now - this.#sentNs);
    if (now < endNs) this.echo(now);
    else if (roundTrips === sent) drained();
  }
}

function rssBytes(): number {
  return process.memoryUsage.rss();
}

/** CPU time of all threads, in microseconds. */
function cpu(): { user: number; system: number } {
  return process.cpuUsage();
}

const connectingNs = nowNs();
const rssBefore = rssBytes();
const clients: Client[] = [];
while (clients.length < connections) {
  const batch = Array.from(
    { length: Math.min(connectBatch, connections - clients.length) },
    (_, i) => new Client(clients.length + i),
  );
  await Promise.all(batch.map((client) => client.opened));
  clients.push(...batch);
}

const before = cpu();
startNs = nowNs();
endNs = startNs + BigInt(Math.round(seconds * 1e9));
const done = new Promise<void>((resolve) => {
  drained = resolve;
  setTimeout(resolve, seconds * 1000 + drainMs);
});
for (const client of clients) client.echo(nowNs());
await done;

const spanSeconds = Number(nowNs() - startNs) / 1e9;
const after = cpu();
const userMs = (after.user - before.user) / 1000;
const systemMs = (after.system - before.system) / 1000;
const us = (ns: number) => Math.round(ns / 100) / 10;
const rss = rssBytes();
const result = {
  client: "ws",
  mode: "closed",
  connections,
  messageBytes,
  connectMs: Number(startNs - connectingNs) / 1e6,
  seconds: spanSeconds,
  sent,
  roundTrips,
  roundTripsPerSecond: Math.round(roundTrips / spanSeconds),
  userMs,
  systemMs,
  cpuUsPerRoundTrip: roundTrips > 0 ? ((userMs + systemMs) * 1000) / roundTrips : 0,
  rssBytes: rss,
  rssBytesPerConnection: Math.round((rss - rssBefore) / connections),
  latencyUs: {
    count: roundTrips,
    mean: us(latency.mean),
    p50: us(latency.percentile(50)),
    p90: us(latency.percentile(90)),
    p99: us(latency.percentile(99)),
    p999: us(latency.percentile(99.9)),
    max: us(latency.max),
  },
  sendLagUs: null,
};
process.stdout.write(`${JSON.stringify(result)}\n`, () => process.exit(0));
