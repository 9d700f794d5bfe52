/**
 * What a load costs: CPU time per message of `showdown attack` at a fixed rate, beside a client on npm's `ws`, Artillery
 * and Locust, in turn against the same server. And how long after its start `showdown attack` opens its first connection.
 *
 *   bun bench/attack.ts [rounds=3] [messages per second=1000,5000,20000]
 *
 * The floor is a C client that does the least: it sleeps until the next message is due, or the next millisecond, sends, and
 * reads what has come meanwhile. What it needs is the system's.
 *
 * ARTILLERY names Artillery's program and LOCUST that of Locust, in a Python with `websocket-client`; without them they
 * are left out. Messages are those that the server counted. CPU time is that of the client with all its processes. Each
 * client runs twice, short and long, and the difference counts; with what starting costs it is the whole long run. Needs
 * gcc and Linux with two CPU cores.
 */
import { existsSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTopology, splitCpus } from "../src/machine/cpus.ts";
import { projectFolder } from "../src/machine/installation.ts";
import { median } from "../src/stats/intervals.ts";
import { formatCpuList } from "../src/text/cpu-list.ts";
import { runCommand } from "./run-command.ts";

const rounds = Number(Bun.argv[2] ?? 3);
const connections = 100;
const rates = (Bun.argv[3] ?? "1000,5000,20000").split(",").map(Number);
/** By then a compiler at run time has made what there is to make. */
const shortSeconds = 8;
const longSeconds = 24;
const text = "x".repeat(100);
const message = JSON.stringify({ id: "1-1", text });

const { serverCpus, workerCpus, reason } = splitCpus(readTopology(), { pin: true });
if (serverCpus === null || workerCpus === null) throw new Error(`expected two CPU cores: ${reason}`);
const reference = join(import.meta.dir, "reference");
const folder = mkdtempSync(join(tmpdir(), "showdown-bench-"));
const sources = join(projectFolder, "src", "cli", "main.ts");
const built = join(projectFolder, "dist", "main.js");
const { ARTILLERY: artillery, LOCUST: locust } = process.env;

const wsLoad = join(folder, "ws-load.mjs");
await runCommand([process.execPath, "build", "--target=node", "ws-load.ts", "--outfile", wsLoad], reference);

const floor = join(folder, "epoll-client");
await runCommand(["gcc", "-O2", "-o", floor, "epoll-client.c"], reference);
const program = existsSync(built) ? built : sources;

/** The command of a load of so many messages per second for so many seconds. */
type Client = (url: string, perSecond: number, seconds: number) => string[];
const clients: Readonly<Record<string, Client>> = {
  showdown: (...load) => showdown(program, "timer", ...load),
  "showdown --pacing tick": (...load) => showdown(program, "tick", ...load),
  "ws on Node": (url, perSecond, seconds) => [
    ...["node", wsLoad, url],
    ...[connections, perSecond, seconds, message].map(String),
  ],
  "C, each when due": (...load) => floorCommand(1, ...load),
  "C, each millisecond": (...load) => floorCommand(1000, ...load),
  ...(artillery === undefined ? {} : { Artillery: artilleryCommand }),
  ...(locust === undefined ? {} : { Locust: locustCommand }),
};

interface Seen {
  readonly messages: number;
  readonly cpuMs: number;
  readonly firstConnectionMs: number;
}

try {
  for (const perSecond of rates) await compareCpu(perSecond);
  await compareStart();
} finally {
  rmSync(folder, { recursive: true });
}

async function compareCpu(perSecond: number): Promise<void> {
  const costs = new Map<string, { us: number; wholeUs: number; rate: number }[]>(
    Object.keys(clients).map((name) => [name, []]),
  );
  const names = Object.keys(clients);
  for (let round = 0; round < rounds; round += 1) {
    // The order turns, so that a drift of the machine's speed favours nobody.
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(round + turn) % names.length] as string;
      const command = clients[name] as Client;
      const short = await load((url) => command(url, perSecond, shortSeconds));
      const long = await load((url) => command(url, perSecond, longSeconds));
      const messages = long.messages - short.messages;
      costs.get(name)?.push({
        us: ((long.cpuMs - short.cpuMs) * 1000) / messages,
        wholeUs: (long.cpuMs * 1000) / long.messages,
        rate: messages / (longSeconds - shortSeconds),
      });
    }
  }
  const own = costs.get("showdown") ?? [];
  console.log(`${perSecond} messages per second on ${connections} connections, medians of ${rounds} rounds`);
  console.table(
    names.map((name) => {
      const all = costs.get(name) ?? [];
      const ratios = all.map(({ us }, round) => us / (own[round]?.us ?? Number.NaN));
      return {
        client: name,
        "CPU µs/message": median(all.map(({ us }) => us)).toFixed(1),
        "with its start": median(all.map(({ wholeUs }) => wholeUs)).toFixed(1),
        "messages/s": Math.round(median(all.map(({ rate }) => rate))),
        "times showdown's": median(ratios).toFixed(1),
        range: `${Math.min(...ratios).toFixed(1)}–${Math.max(...ratios).toFixed(1)}`,
      };
    }),
  );
}

async function compareStart(): Promise<void> {
  const programs = { checkout: sources, ...(existsSync(built) ? { package: built } : {}) };
  const rows = [];
  for (const [name, path] of Object.entries(programs)) {
    const all: number[] = [];
    for (let time = -1; time < 2 * rounds; time += 1) {
      const { firstConnectionMs } = await load((url) => showdown(path, "timer", url, 1000, 0.1));
      // The first one reads it from the disk.
      if (time >= 0) all.push(firstConnectionMs);
    }
    rows.push({
      program: name,
      "start to first connection": `${Math.round(median(all))} ms`,
      range: `${Math.round(Math.min(...all))}–${Math.round(Math.max(...all))} ms`,
    });
  }
  console.table(rows);
}

/** One client's load on a server of its own. */
async function load(commandFor: (url: string) => readonly string[]): Promise<Seen> {
  const server = Bun.spawn(
    ["taskset", "-c", formatCpuList(serverCpus ?? []), process.execPath, join(reference, "echo-server.ts")],
    { stdout: "pipe", stderr: "inherit" },
  );
  try {
    const { value } = await server.stdout.getReader().read();
    const host = `127.0.0.1:${new TextDecoder().decode(value).trim()}`;
    const startMs = performance.timeOrigin + performance.now();
    const client = Bun.spawn(
      ["taskset", "-c", formatCpuList(workerCpus ?? []), ...commandFor(`ws://${host}/`)],
      { cwd: folder, stdin: "ignore", stdout: "ignore", stderr: "pipe" },
    );
    const [said] = await Promise.all([new Response(client.stderr).text(), client.exited]);
    const { messages, firstOpenMs } = (await (await fetch(`http://${host}/counts`)).json()) as {
      messages: number;
      firstOpenMs: number | null;
    };
    if (firstOpenMs === null) throw new Error(`nothing was opened: ${said}`);
    const { user, system } = client.resourceUsage()?.cpuTime ?? { user: 0, system: 0 };
    return {
      messages,
      cpuMs: (Number(user) + Number(system)) / 1000,
      firstConnectionMs: firstOpenMs - startMs,
    };
  } finally {
    server.kill();
    await server.exited;
  }
}

function showdown(path: string, pacing: string, url: string, perSecond: number, seconds: number): string[] {
  const template = JSON.stringify({ id: "{{id}}", text });
  return [
    ...[process.execPath, path, "attack", url, "--results", join(folder, "results"), "--pacing", pacing],
    ...["--connections", `${connections}`, "--rate", `${perSecond}`, "--duration", `${seconds}s`],
    ...["--message", template],
  ];
}

function floorCommand(tickUs: number, url: string, perSecond: number, seconds: number): string[] {
  const { hostname, port } = new URL(url);
  return [floor, hostname, port, ...[connections, seconds, message.length, perSecond, tickUs].map(String)];
}

/** Virtual users that each send so many messages, with a pause between them; it compares no echoes. */
function artilleryCommand(url: string, perSecond: number, seconds: number): string[] {
  const perConnection = perSecond / connections;
  const file = join(folder, `artillery-${perSecond}-${seconds}.json`);
  const script = {
    config: {
      target: url,
      phases: [{ duration: 1, arrivalCount: connections }],
    },
    scenarios: [
      {
        engine: "ws",
        flow: [{ loop: [{ send: message }, { think: 1 / perConnection }], count: perConnection * seconds }],
      },
    ],
  };
  writeFileSync(file, JSON.stringify(script));
  return [artillery ?? "", "run", file];
}

/** Users that each send and await an echo, at a fixed throughput. */
function locustCommand(url: string, perSecond: number, seconds: number): string[] {
  const file = join(folder, "locustfile.py");
  writeFileSync(
    file,
    `import time
from locust import User, constant_throughput, events, task
from websocket import create_connection

MESSAGE = ${JSON.stringify(message)}

class Echo(User):
    wait_time = constant_throughput(${perSecond / connections})

    def on_start(self):
        self.socket = create_connection("${url}")

    @task
    def echo(self):
        start = time.perf_counter()
        self.socket.send(MESSAGE)
        reply = self.socket.recv()
        events.request.fire(
            request_type="WS", name="echo", response_length=len(reply),
            response_time=(time.perf_counter() - start) * 1000,
            exception=None if reply == MESSAGE else ValueError("no echo"), context={})
`,
  );
  return [
    ...[locust ?? "", "-f", file, "--headless", "--only-summary", "--host", url],
    ...["-u", `${connections}`, "-r", `${connections}`, "-t", `${seconds + 1}s`],
  ];
}
