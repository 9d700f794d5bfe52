import { build } from "./commands/build.ts";
import { calibrate } from "./commands/calibrate.ts";
import { compare } from "./commands/compare.ts";
import { doctor } from "./commands/doctor.ts";
import { history } from "./commands/history.ts";
import { list } from "./commands/list.ts";
import { live } from "./commands/live.ts";
import { report } from "./commands/report.ts";
import { run } from "./commands/run.ts";
import { verify } from "./commands/verify.ts";
import type { Host } from "./host.ts";
import type { ParsedOptions } from "./options.ts";

export interface Command {
  readonly summary: string;
  /** What follows the command's name. */
  readonly usage: string;
  readonly examples: readonly string[];
  /** @returns the exit code */
  readonly execute: (options: ParsedOptions, host: Host) => Promise<number>;
}

/** Everything the program can be told to do. */
export const commands = {
  run: {
    summary: "run the showdown: build, start and load contenders one after another, and compare",
    usage: "[CONTENDER[:VARIANT]…] [OPTION…]",
    examples: [
      "showdown run",
      "showdown run --preset article",
      "showdown run elixir-genserver:tuned go-gorilla:tuned --rounds 5",
      "showdown run bun-native --connections 5000 --endurance-rate 50000 --phases connect,endurance-echo",
      "showdown run --preset smoke --json | jq '.rounds[].phases[].throughput'",
    ],
    execute: run,
  },
  verify: {
    summary: "check contenders, or any server by its URL, against RFC 6455 and the contract",
    usage: "[CONTENDER[:VARIANT]|ws://HOST:PORT/PATH…] [OPTION…]",
    examples: [
      "showdown verify",
      "showdown verify go-gorilla:tuned --slow",
      "showdown verify ws://127.0.0.1:8080/ws --json",
    ],
    execute: verify,
  },
  build: {
    summary: "install missing toolchains and build contenders, without running them",
    usage: "[CONTENDER…] [OPTION…]",
    examples: ["showdown build", "showdown build go-gorilla --no-install"],
    execute: build,
  },
  list: {
    summary: "list the contenders and their variants",
    usage: "[OPTION…]",
    examples: ["showdown list", "showdown list --contenders ../my-servers"],
    execute: list,
  },
  doctor: {
    summary: "say what this machine can hold for a plan, what stops it first, and how to change that",
    usage: "[CONTENDER[:VARIANT]…] [OPTION…]",
    examples: [
      "showdown doctor --preset article",
      "showdown doctor --connections 100000 --json | jq .capacity",
      "showdown doctor --preset article --apply",
      "showdown doctor --undo",
    ],
    execute: doctor,
  },
  calibrate: {
    summary:
      "find out how small a difference this machine can tell: one contender twice, and once slowed by a known share",
    usage: "[CONTENDER[:VARIANT]] [OPTION…]",
    examples: ["showdown calibrate", "showdown calibrate elixir-genserver --handicap 5 --rounds 10"],
    execute: calibrate,
  },
  compare: {
    summary: "compare two runs: what changed, by how much, and whether that is beyond doubt",
    usage: "RUN_A RUN_B [OPTION…]",
    examples: [
      "showdown compare 2026-03-01T10 latest",
      "showdown compare baseline/result.json latest --markdown",
      'showdown compare baseline/result.json latest --fail-on "go-gorilla burst-echo throughput -5%"',
      'showdown compare baseline/result.json latest --fail-on "latency.p99 +10%" --json',
    ],
    execute: compare,
  },
  history: {
    summary: "list all runs, or the trend of one contender over them",
    usage: "[OPTION…]",
    examples: [
      "showdown history",
      "showdown history --contender go-gorilla",
      'showdown history --contender go-gorilla --measure "burst-echo throughput"',
      "showdown history --rebuild",
    ],
    execute: history,
  },
  live: {
    summary: "serve the page of a run, finished or going on",
    usage: "[RUN] [OPTION…]",
    examples: ["showdown live", "showdown live latest --live-port 8080"],
    execute: live,
  },
  report: {
    summary: "write the reports of a run anew from its result file, and its figures as CSV",
    usage: "[RUN] [OPTION…]",
    examples: [
      "showdown report",
      "showdown report 2026-03-01T10-00-00-article",
      "showdown report latest --csv figures",
    ],
    execute: report,
  },
} as const satisfies Record<string, Command>;
