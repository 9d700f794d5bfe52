/**
 * The latency that is reported, beside the delay that a fixture server added, and beside what a C client with an epoll
 * loop that spins reports of the same fixture in the same minutes.
 *
 *   bun run bench:accuracy [rounds=3] [seconds=5]
 *
 * Needs gcc and Linux with two CPU cores. The medians of the rounds count. The delay of the fixture itself is exact to
 * some microseconds at p50 only: at p99 it is late by what the machine takes from it (its own lateness is in the table),
 * and a message that has to wait in the kernel until a CPU core is free is late for every client. So at p99 it is the
 * C client that tells what is the generator's doing and what the machine's.
 */
import { mkdtempSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { readTopology, splitCpus } from "../src/machine/cpus.ts";
import type { Result } from "../src/result/schema.ts";
import { median } from "../src/stats/intervals.ts";
import { formatCpuList } from "../src/text/cpu-list.ts";
import { runCommand } from "./run-command.ts";

const rounds = Number(Bun.argv[2] ?? 3);
const seconds = Number(Bun.argv[3] ?? 5);
const messageBytes = 120;

interface Case {
  readonly fixture: string;
  readonly connections: number;
  readonly ratePerSecond: number;
  /** The delay added at the median and at p99, in microseconds. */
  readonly p50: number;
  readonly p99: number;
}

const usual = { connections: 500, ratePerSecond: 5000 };
const cases: readonly Case[] = [
  { fixture: "clean", connections: 1000, ratePerSecond: 50_000, p50: 0, p99: 0 },
  { fixture: "delay-0-ms", ...usual, p50: 0, p99: 0 },
  { fixture: "delay-1-ms", ...usual, p50: 1000, p99: 1000 },
  { fixture: "delay-5-ms", ...usual, p50: 5000, p99: 5000 },
  { fixture: "delay-50-ms", ...usual, p50: 50_000, p99: 50_000 },
  { fixture: "delay-bimodal", ...usual, p50: 1000, p99: 20_000 },
];

interface Sample {
  readonly p50: number;
  readonly p99: number;
  readonly lagP99: number;
  /** What the fixture says of itself, in microseconds at p99; null where it holds nothing back. */
  readonly fixtureLate: number | null;
}

const project = join(import.meta.dir, "..");
const fixtures = join(project, "test", "fixtures", "contenders");
const { serverCpus, workerCpus, reason } = splitCpus(readTopology(), { pin: true });
if (serverCpus === null || workerCpus === null) throw new Error(`expected two CPU cores: ${reason}`);

const client = join(mkdtempSync(join(tmpdir(), "showdown-bench-")), "epoll-client");
await runCommand(["gcc", "-O2", "-o", client, "epoll-client.c"], join(import.meta.dir, "reference"));

const own = new Map<Case, Sample[]>(cases.map((one) => [one, []]));
const reference = new Map<Case, Sample[]>(cases.map((one) => [one, []]));
let port = 21_000 + (process.pid % 5000);
for (let round = 0; round < rounds; round += 1) {
  for (const one of cases) {
    // The order turns, so that a drift of the machine favours nobody.
    for (const isOwn of round % 2 === 0 ? [true, false] : [false, true]) {
      const sample = isOwn ? await measureGenerator(one) : await measureReference(one);
      (isOwn ? own : reference).get(one)?.push(sample);
    }
  }
}

const middle = (samples: readonly Sample[] | undefined, pick: (sample: Sample) => number) =>
  median((samples ?? []).map(pick));
const zero = cases.find(({ fixture }) => fixture === "delay-0-ms");
const baseP50 = (samples: Map<Case, Sample[]>) =>
  zero === undefined ? 0 : middle(samples.get(zero), ({ p50 }) => p50);
console.table(
  cases.map((one) => {
    const isDelayed = one.p50 > 0;
    const error = (samples: Map<Case, Sample[]>) =>
      Math.round(middle(samples.get(one), ({ p50 }) => p50) - (isDelayed ? one.p50 + baseP50(samples) : 0));
    const p99 = middle(own.get(one), (sample) => sample.p99);
    const referenceP99 = middle(reference.get(one), (sample) => sample.p99);
    return {
      fixture: `${one.fixture}, ${one.ratePerSecond}/s`,
      [isDelayed ? "p50 error µs" : "p50 µs"]: error(own),
      [isDelayed ? "C p50 error µs" : "C p50 µs"]: error(reference),
      "p99 µs": Math.round(p99),
      "C p99 µs": Math.round(referenceP99),
      "to C": (p99 / referenceP99).toFixed(2),
      "to delay p99": one.p99 === 0 ? "–" : (p99 / one.p99).toFixed(3),
      "fixture late p99 µs": isDelayed
        ? Math.round(middle(reference.get(one), (sample) => sample.fixtureLate ?? 0))
        : "–",
      "send lag p99 µs": Math.round(middle(own.get(one), ({ lagP99 }) => lagP99)),
    };
  }),
);

async function measureGenerator({ fixture, connections, ratePerSecond }: Case): Promise<Sample> {
  const results = mkdtempSync(join(tmpdir(), "showdown-bench-"));
  const out = await runCommand(
    [
      ...[
        process.execPath,
        "src/cli/main.ts",
        "run",
        fixture,
        "--contenders",
        fixtures,
        "--results",
        results,
      ],
      ...["--no-verify", "--no-void", "--json", "--phases", "connect,endurance-echo"],
      ...["--message-bytes", `${messageBytes}`, "--connections", `${connections}`],
      ...["--endurance-rate", `${ratePerSecond}`, "--endurance-seconds", `${seconds}`],
    ],
    project,
  );
  const result: Result = JSON.parse(out);
  const phase = result.rounds[0]?.phases.find((one) => one.kind === "endurance");
  if (phase === undefined || phase.status === "not-run" || phase.messages.lost > 0) {
    throw new Error(`${fixture}: ${JSON.stringify(phase ?? result.status)}`);
  }
  const { latencyUs, sendLagUs } = phase;
  return { p50: latencyUs.p50 ?? 0, p99: latencyUs.p99 ?? 0, lagP99: sendLagUs.p99 ?? 0, fixtureLate: null };
}

async function measureReference({ fixture, connections, ratePerSecond }: Case): Promise<Sample> {
  port += 1;
  const folder = join(fixtures, fixture);
  const { start, env } = await Bun.file(join(folder, "contender.json")).json();
  const [, ...args] = start;
  const server = Bun.spawn(["taskset", "-c", formatCpuList(serverCpus ?? []), process.execPath, ...args], {
    cwd: folder,
    env: { ...process.env, ...env, HOST: "127.0.0.1", PORT: `${port}` },
    stderr: "pipe",
  });
  const said = new Response(server.stderr).text();
  try {
    await Bun.sleep(500);
    const call = [client, "127.0.0.1", `${port}`, `${connections}`, `${seconds}`, `${messageBytes}`];
    const out = await runCommand(
      ["taskset", "-c", formatCpuList(workerCpus ?? []), ...call, `${ratePerSecond}`],
      project,
    );
    const { latencyUs, sendLagUs } = JSON.parse(out);
    server.kill("SIGTERM");
    const late = /p99 (\d+) us/.exec(await said)?.[1];
    return {
      p50: latencyUs.p50,
      p99: latencyUs.p99,
      lagP99: sendLagUs.p99,
      fixtureLate: late === undefined ? null : Number(late),
    };
  } finally {
    server.kill("SIGKILL");
    await server.exited;
  }
}
