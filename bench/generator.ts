/**
 * The generator against its floor: CPU time per round trip of a closed-loop echo, beside a minimal C epoll
 * client and the `ws` package on Node, in turn on the same CPU core against the same C server.
 *
 *   bun run bench:generator [rounds=5] [seconds=3]
 *
 * The server never sleeps. If it does, the client's own send has to wake it up, and the client that is a little
 * slower lets it fall asleep more often: at 1,000 connections that took this generator from 1.12 to 1.2 times the C
 * client, of which nothing is the generator's own work.
 *
 * Needs gcc and Linux with two CPU cores. The median of the rounds' ratios counts; single figures drift with the
 * machine. The generator is warmed up first, as it is in a run, so that the compiler's work is not counted: C's
 * isn't either. Fewer round trips than some hundred thousand in a round mean that somebody else had the CPU core.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainTarget } from "../src/engine/target.ts";
import { readTopology, splitCpus } from "../src/machine/cpus.ts";
import { median } from "../src/stats/intervals.ts";
import { formatCpuList } from "../src/text/cpu-list.ts";
import { measureShowdown, type Sample } from "./closed-loop.ts";
import { runCommand } from "./run-command.ts";

const rounds = Number(Bun.argv[2] ?? 5);
const seconds = Number(Bun.argv[3] ?? 3);
const messageBytes = 120;
const host = "127.0.0.1";
const clients = ["C epoll", "showdown", "ws on Node"] as const;
type Client = (typeof clients)[number];

const { serverCpus, workerCpus, reason } = splitCpus(readTopology(), { pin: true });
if (serverCpus === null || workerCpus === null) throw new Error(`expected two CPU cores: ${reason}`);
const [serverCpu = 0] = serverCpus;
const [clientCpu = 1] = workerCpus;

const reference = join(import.meta.dir, "reference");
const floorFolder = join(import.meta.dir, "..", "contenders", "c-floor");
const built = mkdtempSync(join(tmpdir(), "showdown-bench-"));
await runCommand(["gcc", "-O2", "-o", join(built, "epoll-client"), "epoll-client.c"], reference);
await runCommand(["gcc", "-O2", "-o", join(built, "c-floor"), "server.c"], floorFolder);
await runCommand(
  [process.execPath, "build", "--target=node", "ws-client.ts", "--outfile", join(built, "ws-client.mjs")],
  reference,
);

let port = 20_000 + (process.pid % 5000);
const rows: Record<string, string | number>[] = [];
for (const connections of [100, 1000, 10_000]) {
  const samples = new Map<Client, Sample[]>(clients.map((client) => [client, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order turns, so that a drift of the machine's speed favours nobody.
    for (let turn = 0; turn < clients.length; turn += 1) {
      const client = clients[(round + turn) % clients.length] as Client;
      samples.get(client)?.push(await measure(client, connections));
    }
  }
  const floor = samples.get("C epoll") ?? [];
  for (const client of clients) {
    const own = samples.get(client) ?? [];
    // Round by round, since neighbours in time saw the same machine.
    const ratios = own.map(
      (sample, round) => sample.cpuUsPerRoundTrip / (floor[round]?.cpuUsPerRoundTrip ?? 1),
    );
    rows.push({
      connections,
      client,
      "CPU µs/round trip": middle(own, ({ cpuUsPerRoundTrip }) => cpuUsPerRoundTrip).toFixed(2),
      "ratio to C": median(ratios).toFixed(2),
      range: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      "round trips/s": Math.round(middle(own, ({ roundTrips }) => roundTrips) / seconds),
      "bytes/connection": Math.round(middle(own, ({ bytesPerConnection }) => bytesPerConnection)),
    });
  }
}
console.table(rows);

/** Against a server of its own: the ports of the run before are in TIME_WAIT for a minute. */
async function measure(client: Client, connections: number): Promise<Sample> {
  port += 1;
  const server = Bun.spawn(["taskset", "-c", formatCpuList([serverCpu]), join(built, "c-floor")], {
    env: { ...process.env, HOST: host, PORT: `${port}`, SPIN: "1" },
    stderr: "ignore",
  });
  try {
    await Bun.sleep(200);
    return await measureClient(client, connections);
  } finally {
    server.kill();
    await server.exited;
  }
}

async function measureClient(client: Client, connections: number): Promise<Sample> {
  const args = [host, `${port}`, `${connections}`, `${seconds}`, `${messageBytes}`];
  switch (client) {
    case "C epoll":
      return fromJson(
        await runCommand(["taskset", "-c", `${clientCpu}`, join(built, "epoll-client"), ...args], reference),
      );
    case "ws on Node":
      return fromJson(
        await runCommand(
          ["taskset", "-c", `${clientCpu}`, "node", join(built, "ws-client.mjs"), ...args],
          reference,
        ),
      );
    case "showdown":
      return await measureShowdown({
        target: plainTarget(host, port, "/ws"),
        ...{ connections, seconds, messageBytes, cpu: clientCpu },
      });
  }
}

function fromJson(line: string): Sample {
  const { roundTrips, cpuUsPerRoundTrip, rssBytesPerConnection } = JSON.parse(line);
  return { roundTrips, cpuUsPerRoundTrip, bytesPerConnection: rssBytesPerConnection };
}

function middle(samples: readonly Sample[], pick: (sample: Sample) => number): number {
  return median(samples.map(pick));
}
