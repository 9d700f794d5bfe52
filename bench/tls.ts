/**
 * What TLS costs the generator: CPU time per round trip of a closed-loop echo and memory per connection, beside a C
 * epoll client with OpenSSL, in turn on the same CPU core against the same Bun.serve.
 *
 *   bun bench/tls.ts [rounds=5] [seconds=3]
 *
 * Needs gcc, OpenSSL's headers (libssl-dev) and program, and Linux with two CPU cores. The server is the bottleneck, so
 * both clients have the same rate. The median of the rounds' ratios counts. Goals: a ratio of 1.3, and 32 KB per
 * connection.
 */
import { existsSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openSsl } from "../src/engine/sockets/openssl.ts";
import type { Target } from "../src/engine/target.ts";
import { readTopology, splitCpus } from "../src/machine/cpus.ts";
import { median } from "../src/stats/intervals.ts";
import { formatCpuList } from "../src/text/cpu-list.ts";
import { Authority } from "../test/support/certificates.ts";
import { measureShowdown, type Sample } from "./closed-loop.ts";
import { runCommand } from "./run-command.ts";

const rounds = Number(Bun.argv[2] ?? 5);
const seconds = Number(Bun.argv[3] ?? 3);
const messageBytes = 120;
const host = "127.0.0.1";
const clients = ["C epoll, OpenSSL", "showdown"] as const;
type Client = (typeof clients)[number];

const { serverCpus, workerCpus, reason } = splitCpus(readTopology(), { pin: true });
if (serverCpus === null || workerCpus === null) throw new Error(`expected two CPU cores: ${reason}`);
const [clientCpu = 1] = workerCpus;
if (openSsl() === null) throw new Error("libssl.so.3 is missing: install libssl3");
if (!existsSync("/usr/include/openssl/ssl.h")) {
  throw new Error("OpenSSL's headers are missing: apt-get install libssl-dev");
}

const reference = join(import.meta.dir, "reference");
const built = mkdtempSync(join(tmpdir(), "showdown-bench-"));
const cClient = join(built, "epoll-client");
await runCommand(["gcc", "-O2", "-DTLS", "-o", cClient, "epoll-client.c", "-lssl", "-lcrypto"], reference);
const authority = new Authority();
const { certFile, keyFile } = authority.issue("bench", `IP:${host}`);
const tls = { serverName: host, ca: authority.own.cert, cert: null, key: null, verify: true };
const server = join(import.meta.dir, "..", "test", "fixtures", "conformance", "bun-server.ts");

let port = 25_000 + (process.pid % 5000);
const rows: Record<string, string | number>[] = [];
for (const connections of [100, 1000, 5000]) {
  const samples = new Map<Client, Sample[]>(clients.map((client) => [client, []]));
  for (let round = 0; round < rounds; round += 1) {
    // The order turns, so that a drift of the machine's speed favours nobody.
    for (let turn = 0; turn < clients.length; turn += 1) {
      const client = clients[(round + turn) % clients.length] as Client;
      samples.get(client)?.push(await measure(client, connections));
    }
  }
  const floor = samples.get("C epoll, OpenSSL") ?? [];
  for (const client of clients) {
    const own = samples.get(client) ?? [];
    const ratios = own.map((one, round) => one.cpuUsPerRoundTrip / (floor[round]?.cpuUsPerRoundTrip ?? 1));
    const middle = (pick: (sample: Sample) => number) => median(own.map(pick));
    rows.push({
      connections,
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
authority.remove();
rmSync(built, { recursive: true });

/** Against a server of its own: the ports of the run before are in TIME_WAIT for a minute. */
async function measure(client: Client, connections: number): Promise<Sample> {
  port += 1;
  const child = Bun.spawn(["taskset", "-c", formatCpuList(serverCpus ?? []), process.execPath, server], {
    env: { ...process.env, HOST: host, PORT: `${port}`, TLS_CERT: certFile, TLS_KEY: keyFile },
    stdout: "ignore",
    stderr: "inherit",
  });
  try {
    await Bun.sleep(500);
    if (client === "showdown") {
      const target: Target = { host, port, path: "/ws", tls, headers: {}, compression: null };
      return await measureShowdown({ target, connections, seconds, messageBytes, cpu: clientCpu });
    }
    const args = [host, `${port}`, `${connections}`, `${seconds}`, `${messageBytes}`];
    const { roundTrips, cpuUsPerRoundTrip, rssBytesPerConnection } = JSON.parse(
      await runCommand(["taskset", "-c", `${clientCpu}`, cClient, ...args], reference),
    );
    return { roundTrips, cpuUsPerRoundTrip, bytesPerConnection: rssBytesPerConnection };
  } finally {
    child.kill();
    await child.exited;
  }
}
