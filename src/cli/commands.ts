import type { Host } from "./host.ts";
import type { ParsedOptions } from "./options.ts";

export interface Command {
  readonly summary: string;
  /** What follows the command's name. */
  readonly usage: string;
  readonly examples: readonly string[];
  /** Loads what it needs when it is called, and not before. @returns the exit code */
  readonly execute: (options: ParsedOptions, host: Host) => Promise<number>;
}

/** Everything the program can be told to do. */
export const commands = {
  run: {
    summary: "build contenders, load them one after another under the same plan, and compare them",
    usage: "[CONTENDER[:VARIANT]|FOLDER…] [OPTION…]",
    examples: [
      "showdown run",
      "showdown run --preset article",
      "showdown run elixir-genserver:tuned go-gorilla:tuned --rounds 5",
      "showdown run --scan server-cpus=1,2,4",
      "showdown run bun-native --connections 5000 --endurance-rate 50000 --phases connect,endurance-echo",
      "showdown run ./my-server bun-native",
      "showdown run --url ws://127.0.0.1:8080/ws --name mine bun-native",
      "showdown run --preset smoke --json | jq '.judgements'",
    ],
    execute: async (...given) => (await import("./commands/run.ts")).run(...given),
  },
  attack: {
    summary: "load any WebSocket server by its URL, and account for every message",
    usage: "[SCENARIO] [ws://HOST:PORT/PATH] [OPTION…]",
    examples: [
      "showdown attack ws://127.0.0.1:9001/",
      "showdown attack ws://127.0.0.1:9001/ --connections 500 --rate 20000 --duration 1m",
      "showdown attack ws://127.0.0.1:9001/ --stages 1m:1000,5m:1000,30s:0 --reconnect",
      "showdown attack ws://127.0.0.1:9001/ --connection-stages 10s:100,1m:1000,10s:0 --live",
      "showdown attack ws://127.0.0.1:9001/ --in-flight 1 --message-file message.json",
      `showdown attack ws://127.0.0.1:9001/ --message '{"id":{{sequence}},"user":"{{name}}"}' --data users.csv --reply json:/id`,
      "showdown attack ws://127.0.0.1:9001/ --adapter ./mine.ts --rooms 10",
      "showdown attack ws://127.0.0.1:9001/ --fleet local --agents 4",
      "showdown attack scenario.ts --connections 20 --threshold 'checks.failed = 0'",
    ],
    execute: async (...given) => (await import("./commands/attack.ts")).attack(...given),
  },
  import: {
    summary: "make a scenario for attack of what a browser recorded (HAR)",
    usage: "RECORDING.har [--out SCENARIO.ts]",
    examples: [
      "showdown import recording.har --out scenario.ts",
      "showdown attack scenario.ts --connections 20",
    ],
    execute: async (...given) => (await import("./commands/import.ts")).importRecording(...given),
  },
  agent: {
    summary: "wait for attacks on a bus, and do this machine's part of them",
    usage: "--bus nats://HOST:PORT [OPTION…]",
    examples: [
      "showdown agent --bus nats://127.0.0.1:4222",
      "SHOWDOWN_BUS=nats://TOKEN@bus.example.org:4222 showdown agent --once",
      "showdown agent --bus tls://bus.example.org:4222 --bus-creds agent.creds",
    ],
    execute: async (...given) => (await import("./commands/agent.ts")).agent(...given),
  },
  new: {
    summary: "make a contender of your own: a folder that builds, verifies and runs at once",
    usage: "FOLDER --like CONTENDER",
    examples: [
      "showdown new my-server --like node-ws",
      "showdown new ../my-server --like rust-axum",
      "showdown verify ./my-server",
      "showdown run ./my-server bun-native",
    ],
    execute: async (...given) => (await import("./commands/new.ts")).create(...given),
  },
  verify: {
    summary: "check contenders, or any server by URL, against RFC 6455 and the contract",
    usage: "[CONTENDER[:VARIANT]|ws://HOST:PORT/PATH…] [OPTION…]",
    examples: [
      "showdown verify",
      "showdown verify go-gorilla:tuned --slow",
      "showdown verify ws://127.0.0.1:8080/ws --json",
    ],
    execute: async (...given) => (await import("./commands/verify.ts")).verify(...given),
  },
  build: {
    summary: "install missing toolchains and build contenders, without running them",
    usage: "[CONTENDER…] [OPTION…]",
    examples: ["showdown build", "showdown build go-gorilla --no-install"],
    execute: async (...given) => (await import("./commands/build.ts")).build(...given),
  },
  list: {
    summary: "list contenders and their variants",
    usage: "[OPTION…]",
    examples: [
      "showdown list",
      "showdown list --contenders ../my-servers",
      "showdown list --json | jq '.[].contender'",
    ],
    execute: async (...given) => (await import("./commands/list.ts")).list(...given),
  },
  doctor: {
    summary: "show how many connections this machine can hold, what limits it, and how to raise that",
    usage: "[CONTENDER[:VARIANT]…] [OPTION…]",
    examples: [
      "showdown doctor --preset article",
      "showdown doctor --connections 100000 --json | jq .capacity",
    ],
    execute: async (...given) => (await import("./commands/doctor.ts")).doctor(...given),
  },
  calibrate: {
    summary: "measure the smallest difference this machine can detect, by an A/A test and a slowed copy",
    usage: "[CONTENDER[:VARIANT]] [OPTION…]",
    examples: ["showdown calibrate", "showdown calibrate elixir-genserver --handicap 10 --rounds 10"],
    execute: async (...given) => (await import("./commands/calibrate.ts")).calibrate(...given),
  },
  compare: {
    summary: "compare two runs: what changed, by how much, and how certain that is",
    usage: "RUN_A RUN_B [OPTION…]",
    examples: [
      "showdown compare 2026-03-01T10 latest",
      "showdown compare baseline/result.json latest --markdown",
      'showdown compare baseline/result.json latest --fail-on "go-gorilla burst-echo throughput worse by 5%"',
      'showdown compare baseline/result.json latest --fail-on "latency.p99 worse by 10%" --json',
    ],
    execute: async (...given) => (await import("./commands/compare.ts")).compare(...given),
  },
  plan: {
    summary: "compute the machines that an attack needs: agents, workers, ports, memory, bandwidth",
    usage: "[OPTION…]",
    examples: [
      "showdown plan --connections 10000000 --rate 100000",
      "showdown plan --connections 2000000 --agent-addresses 8 --agent-memory 16 --agent-cpus 8",
      "showdown plan --connections 1000000 --receivers 100 --agent-bandwidth 10000 --json | jq .agents",
    ],
    execute: async (...given) => (await import("./commands/plan.ts")).plan(...given),
  },
  merge: {
    summary: "add up the results of one attack that several machines made, exactly",
    usage: "RESULT RESULT… [OPTION…]",
    examples: [
      "showdown merge a/result.json b/result.json",
      "showdown merge 2026-03-01T10-00-00-000-attack ../other/result.json --out both.json --out both.html",
      "showdown merge a.json b.json c.json --threshold 'lost = 0' --threshold 'latency.p99 < 50ms'",
    ],
    execute: async (...given) => (await import("./commands/merge.ts")).merge(...given),
  },
  history: {
    summary: "list all runs, or show the trend of one contender",
    usage: "[OPTION…]",
    examples: [
      "showdown history",
      "showdown history --contender go-gorilla",
      'showdown history --contender go-gorilla --measure "burst-echo throughput"',
    ],
    execute: async (...given) => (await import("./commands/history.ts")).history(...given),
  },
  report: {
    summary: "print the report of a run and write it again, as Markdown, HTML, text, JSON or CSV",
    usage: "[RUN] [OPTION…]",
    examples: [
      "showdown report",
      "showdown report 2026-03-01T10-00-00-article --details",
      "showdown report latest --out report.html --csv figures",
    ],
    execute: async (...given) => (await import("./commands/report.ts")).report(...given),
  },
  completions: {
    summary: "print what makes a shell complete commands and options: bash, zsh or fish",
    usage: "SHELL",
    examples: [
      'eval "$(showdown completions bash)"                                  # in ~/.bashrc',
      'eval "$(showdown completions zsh)"                                   # in ~/.zshrc, after compinit',
      "showdown completions fish > ~/.config/fish/completions/showdown.fish",
    ],
    execute: async (...given) => (await import("./commands/completions.ts")).completions(...given),
  },
} as const satisfies Record<string, Command>;
