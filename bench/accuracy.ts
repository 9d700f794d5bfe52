/**
 * The latency that is reported, beside the delay that a fixture server really added.
 *
 *   bun run bench:accuracy [rate=5000] [connections=500] [seconds=5]
 *
 * `delay-0-ms` is the way there and back; what the others add to it should be their delay, within 100 µs at
 * p50 and 2 % at p99. The fixtures spin to be exact, so this needs a quiet machine with two processors: on a
 * busy one it is the fixture that is late (test/fixtures/contenders/README.md).
 */
import { join } from "node:path";
import type { Result } from "../src/result/schema.ts";

const rate = Bun.argv[2] ?? "5000";
const connections = Bun.argv[3] ?? "500";
const seconds = Bun.argv[4] ?? "5";
const project = join(import.meta.dir, "..");

/** Added delay at the median and at p99, in microseconds. */
const fixtures = {
  "delay-0-ms": [0, 0],
  "delay-1-ms": [1000, 1000],
  "delay-5-ms": [5000, 5000],
  "delay-50-ms": [50_000, 50_000],
  "delay-bimodal": [1000, 20_000],
} as const;

const command = [
  ...[process.execPath, "src/cli/main.ts", "run", ...Object.keys(fixtures)],
  ...["--contenders", "test/fixtures/contenders", "--no-verify", "--no-void", "--json"],
  ...["--phases", "connect,endurance-echo", "--warmup-seconds", "0.5"],
  ...["--connections", connections, "--endurance-rate", rate, "--endurance-seconds", seconds],
];
const child = Bun.spawn(command, { cwd: project, stdout: "pipe", stderr: "ignore" });
const result: Result = JSON.parse(await new Response(child.stdout).text());

const measured = new Map(
  result.rounds.map(({ contender, phases }) => [contender, phases.find(({ kind }) => kind === "endurance")]),
);
const base = measured.get("delay-0-ms")?.latencyUs;
console.table(
  Object.entries(fixtures).map(([name, [p50, p99]]) => {
    const phase = measured.get(name);
    const added = (quantile: number | null | undefined, from: number | null | undefined) =>
      (quantile ?? Number.NaN) - (from ?? Number.NaN);
    return {
      fixture: name,
      "delay p50 µs": p50,
      "added p50 µs": added(phase?.latencyUs?.p50, base?.p50),
      "error p50 µs": added(phase?.latencyUs?.p50, base?.p50) - p50,
      "delay p99 µs": p99,
      "added p99 µs": added(phase?.latencyUs?.p99, base?.p99),
      "send lag p99 µs": phase?.sendLagUs?.p99 ?? null,
      delivered: phase?.messages?.delivered ?? 0,
      lost: phase?.messages?.lost ?? null,
    };
  }),
);
console.log(`delay-0-ms itself: p50 ${base?.p50} µs, p99 ${base?.p99} µs; pacing ${result.plan.pacing}`);
