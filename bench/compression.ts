/**
 * What compression costs the generator: CPU time per round trip of a closed-loop echo without context takeover, beside a
 * C epoll client with zlib, in turn on the same CPU core against the same server, which sends every frame back as it is.
 *
 *   bun bench/compression.ts [rounds=5] [seconds=2]
 *
 * With takeover there is no C client: that ratio, to C without, is what the contexts of all connections cost, which fit
 * into no cache together. Memory per connection of few connections is mostly the compiler's.
 *
 * Needs gcc, zlib's header (zlib1g-dev) and Linux with two CPU cores. The median of the rounds' ratios counts. Goal: 1.5.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { plainTarget, type Target } from "../src/engine/target.ts";
import { readTopology, splitCpus } from "../src/machine/cpus.ts";
import { median } from "../src/stats/intervals.ts";
import { formatCpuList } from "../src/text/cpu-list.ts";
import { measureShowdown, type Sample } from "./closed-loop.ts";
import { runCommand } from "./run-command.ts";

const rounds = Number(Bun.argv[2] ?? 5);
const seconds = Number(Bun.argv[3] ?? 2);
const connections = 100;
const host = "127.0.0.1";
const clients = ["C epoll, zlib", "showdown", "showdown, takeover"] as const;
type Client = (typeof clients)[number];

const { serverCpus, workerCpus, reason } = splitCpus(readTopology(), { pin: true });
if (serverCpus === null || workerCpus === null) throw new Error(`expected two CPU cores: ${reason}`);
const [clientCpu = 1] = workerCpus;
if (!existsSync("/usr/include/zlib.h")) {
  throw new Error("zlib's header is missing: apt-get install zlib1g-dev");
}

const reference = join(import.meta.dir, "reference");
const built = mkdtempSync(join(tmpdir(), "showdown-bench-"));
const [cClient, mirror] = [join(built, "epoll-client"), join(built, "mirror")];
await runCommand(["gcc", "-O2", "-DDEFLATE", "-o", cClient, "epoll-client.c", "-lz"], reference);
await runCommand(["gcc", "-O2", "-o", mirror, "mirror.c"], reference);

const rows: Record<string, string | number>[] = [];
for (const messageBytes of [120, 1000, 10_000]) {
  const samples = new Map<Client, Sample[]>(clients.map((client) => [client, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order turns, so that a drift of the machine's speed favours nobody.
    for (let turn = 0; turn < clients.length; turn += 1) {
      const client = clients[(round + turn) % clients.length] as Client;
      samples.get(client)?.push(await measure(client, messageBytes));
    }
  }
  const floor = samples.get("C epoll, zlib") ?? [];
  for (const client of clients) {
    const own = samples.get(client) ?? [];
    const ratios = own.map((one, round) => one.cpuUsPerRoundTrip / (floor[round]?.cpuUsPerRoundTrip ?? 1));
    const middle = (pick: (sample: Sample) => number) => median(own.map(pick));
    rows.push({
      "message bytes": messageBytes,
      client,
      "CPU µs/round trip": middle(({ cpuUsPerRoundTrip }) => cpuUsPerRoundTrip).toFixed(2),
      "ratio to C": median(ratios).toFixed(2),
      range: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
      "round trips/s": Math.round(middle(({ roundTrips }) => roundTrips) / seconds),
      "KB/connection": (middle(({ bytesPerConnection }) => bytesPerConnection) / 1000).toFixed(1),
    });
  }
}
console.table(rows);
rmSync(built, { recursive: true });

/** Against a server of its own, on a port of its own: those of the run before are in TIME_WAIT for a minute. */
async function measure(client: Client, messageBytes: number): Promise<Sample> {
  const server = Bun.spawn(["taskset", "-c", formatCpuList(serverCpus ?? []), mirror], { stderr: "ignore" });
  try {
    const port = await readPort(server.stdout);
    if (client !== "C epoll, zlib") {
      const compression = { takeover: client === "showdown, takeover" };
      const target: Target = { ...plainTarget(host, port, "/ws"), compression };
      return await measureShowdown({ target, connections, seconds, messageBytes, cpu: clientCpu });
    }
    const args = [host, `${port}`, `${connections}`, `${seconds}`, `${messageBytes}`];
    const { roundTrips, cpuUsPerRoundTrip, rssBytesPerConnection } = JSON.parse(
      await runCommand(["taskset", "-c", `${clientCpu}`, cClient, ...args], reference),
    );
    return { roundTrips, cpuUsPerRoundTrip, bytesPerConnection: rssBytesPerConnection };
  } finally {
    server.kill();
    await server.exited;
  }
}

async function readPort(stdout: ReadableStream<Uint8Array>): Promise<number> {
  for await (const bytes of stdout) return Number(new TextDecoder().decode(bytes));
  throw new Error("the server did not start");
}
