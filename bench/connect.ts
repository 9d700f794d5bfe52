/**
 * How fast the generator opens connections, beside the generator of another checkout of this project, in turn on the
 * same CPU core against the same servers: the C floor, which costs next to nothing, and bun-native.
 *
 *   bun bench/connect.ts OTHER [rounds=7] [connections=10000] [batch=100]
 *
 * OTHER is the folder of that checkout, such as `git worktree add ../before v0.3.0` makes, with its node_modules.
 *
 * Needs gcc and Linux with two CPU cores, and bun-native built. The median of the rounds' ratios counts; single figures
 * drift with the machine.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { plainTarget } from "../src/engine/target.ts";
import type { WorkerPool } from "../src/engine/worker-pool.ts";
import type { WorkerSetup } from "../src/engine/worker-protocol.ts";
import { nowUs } from "../src/machine/clock.ts";
import { readTopology, splitCpus } from "../src/machine/cpus.ts";
import { median } from "../src/stats/intervals.ts";
import { formatCpuList } from "../src/text/cpu-list.ts";
import { runCommand } from "./run-command.ts";

const [other, rounds = "7", connectionsText = "10000", batchText = "100"] = Bun.argv.slice(2);
if (other === undefined)
  throw new Error("expected the folder of another checkout: bun bench/connect.ts ../before");
const connections = Number(connectionsText);
const batch = Number(batchText);
const host = "127.0.0.1";
const own = join(import.meta.dir, "..");

const { serverCpus, workerCpus, reason } = splitCpus(readTopology(), { pin: true });
if (serverCpus === null || workerCpus === null) throw new Error(`expected two CPU cores: ${reason}`);
const built = mkdtempSync(join(tmpdir(), "showdown-bench-"));
await runCommand(
  ["gcc", "-O2", "-o", join(built, "c-floor"), "server.c"],
  join(own, "contenders", "c-floor"),
);
const servers = {
  "c-floor": join(built, "c-floor"),
  "bun-native": join(own, "contenders", "bun-native", "dist", "server"),
};

interface Sample {
  readonly perSecond: number;
  readonly cpuUs: number;
}

const checkouts = { here: own, other: resolve(other) };
type Checkout = keyof typeof checkouts;
const names = Object.keys(checkouts) as Checkout[];
let port = 25_000 + (process.pid % 5000);
let place = 0;

const rows: Record<string, string | number>[] = [];
for (const [server, program] of Object.entries(servers)) {
  const samples: Record<Checkout, Sample[]> = { here: [], other: [] };
  for (let round = 0; round < Number(rounds); round += 1) {
    // The order turns, so that a drift of the machine's speed favours nobody.
    for (const name of round % 2 === 0 ? names : names.toReversed()) {
      samples[name].push(await measure(checkouts[name], program));
    }
  }
  const ratios = samples.here.map(({ perSecond }, at) => perSecond / (samples.other[at]?.perSecond ?? 0));
  for (const name of names) {
    rows.push({
      server,
      checkout: name,
      "connections/s": Math.round(median(samples[name].map(({ perSecond }) => perSecond))),
      "generator CPU µs": median(samples[name].map(({ cpuUs }) => cpuUs)).toFixed(1),
      ...(name === "other"
        ? {}
        : {
            "ratio to the other": median(ratios).toFixed(2),
            range: `${Math.min(...ratios).toFixed(2)}–${Math.max(...ratios).toFixed(2)}`,
          }),
    });
  }
}
console.table(rows);

async function measure(checkout: string, program: string): Promise<Sample> {
  port += 1;
  place += 1;
  const server = Bun.spawn(["taskset", "-c", formatCpuList(serverCpus ?? []), program], {
    env: { ...process.env, HOST: host, PORT: `${port}`, ROUTING: "prefix" },
    stderr: "ignore",
  });
  const module = await import(join(checkout, "src", "engine", "worker-pool.ts"));
  const pool: WorkerPool = new module.WorkerPool({
    workers: 1,
    onConnectProgress: () => {},
    onPhaseProgress: () => {},
  });
  const setup = (count: number, round: number): WorkerSetup => ({
    worker: 0,
    workers: 1,
    connections: count,
    machines: 1,
    joins: [],
    target: plainTarget(host, port, "/ws"),
    protocol: "chaos-chat",
    // The ports of the time before are in TIME_WAIT.
    sourceAddresses: [`127.${round}.${place}.1`],
    messageBytes: 120,
    framing: "single",
    seed: 1,
    epochUs: Math.floor(nowUs()),
    cpus: workerCpus,
    pacing: "spin",
    connectTimeoutMs: 10_000,
  });
  try {
    await Bun.sleep(300);
    // As a run's warm-up: the compiler's work is not what is measured.
    await pool.setup([setup(2000, 20)]);
    await pool.connect([batch]);
    await pool.close();
    await pool.setup([setup(connections, 21)]);
    const [report] = await pool.connect([batch]);
    if (report === undefined || report.opened < connections) throw new Error(`opened ${report?.opened}`);
    const spanUs = (report.lastOpenedUs ?? 0) - (report.firstAttemptUs ?? 0);
    return { perSecond: (connections * 1e6) / spanUs, cpuUs: (report.usage.cpuMs * 1000) / connections };
  } finally {
    await pool.end();
    server.kill();
    await server.exited;
  }
}
