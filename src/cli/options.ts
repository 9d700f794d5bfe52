import type { AttackSettings } from "../plan/attack/parameters.ts";
import type { NeedsSettings } from "../plan/needs/parameters.ts";
import { type ParameterName, presetNames, type Settings } from "../plan/parameters.ts";
import {
  choice,
  count,
  decimal,
  duration,
  flag,
  httpUrl,
  ipAddress,
  listenAddress,
  share,
  text,
  type ValueType,
} from "../plan/value-type.ts";

/** An option that is no parameter of the plan. */
export interface Option<T> {
  readonly type: ValueType<T>;
  /** What it does, for --help and docs/options.md. */
  readonly help: string;
  /** The commands that take it. */
  readonly commands: readonly string[];
  /** What holds without it, in words; absent where that is obvious. */
  readonly otherwise?: string;
  /** Each time it is given adds a value. */
  readonly several?: true;
}

/** The commands that make a plan: they take all parameters. */
export const planned: readonly string[] = ["run", "doctor", "calibrate"];
/** The parameters that other commands take too. */
export const shared: Readonly<Partial<Record<ParameterName, readonly string[]>>> = { readyMs: ["verify"] };

/** Commands that a configuration file and the environment configure. */
const configured: readonly string[] = [
  ...[
    "run",
    "attack",
    "verify",
    "build",
    "list",
    "doctor",
    "calibrate",
    "compare",
    "merge",
    "history",
    "report",
  ],
];
/** What chooses a configuration, and so can't stand in one. */
export const configOptions = ["config", "environment", "print-config"] as const;

/** Everything that an option says beside the plan. */
export const options = {
  preset: {
    type: choice(presetNames),
    commands: planned,
    otherwise: "quick",
    help: "parameters to start from; other options change single ones",
  },
  all: {
    type: flag(),
    commands: ["run", "build", "verify", "doctor"],
    help: "without names: also the contenders that are not in a default run",
  },
  contenders: {
    type: text("DIR"),
    several: true,
    commands: ["run", "build", "verify", "list", "doctor", "calibrate"],
    help: "folder of more contenders, besides the project's own; may be repeated",
  },
  like: {
    type: text("CONTENDER"),
    commands: ["new"],
    help: "the contender whose sources are copied; without it, all that can be are named",
  },
  url: {
    type: text("URL"),
    several: true,
    commands: ["run"],
    help: "also load a server that runs already, such as ws://127.0.0.1:8080/ws; may be repeated",
  },
  name: {
    type: text("NAME"),
    several: true,
    commands: ["run"],
    help: "name of the server at --url; one for each, in the same order",
  },
  insecure: {
    type: flag(),
    commands: ["run", "attack", "verify"],
    help: "wss://: take any certificate of the server",
  },
  ca: {
    type: text("FILE"),
    commands: ["run", "attack", "verify"],
    otherwise: "those that the system trusts",
    help: "wss://: certificates in PEM, one of which has to have issued the server's",
  },
  cert: {
    type: text("FILE"),
    commands: ["run", "attack", "verify"],
    help: "wss://: certificate of the client in PEM, with its chain",
  },
  key: {
    type: text("FILE"),
    commands: ["run", "attack", "verify"],
    help: "wss://: key of --cert in PEM",
  },
  results: {
    type: text("DIR"),
    commands: ["run", "attack", "compare", "merge", "history", "report", "calibrate"],
    otherwise: "results",
    help: "folder that runs are written to and read from",
  },
  live: {
    type: flag(),
    commands: ["run", "attack"],
    help: "serve a page on this machine that shows it as it goes on",
  },
  "live-port": {
    type: count(0, 65_535),
    commands: ["run", "attack"],
    otherwise: "0",
    help: "port of the live page; 0 picks a free one",
  },
  details: {
    type: flag(),
    commands: ["run", "report"],
    help: "print all tables instead of one screen",
  },
  "no-install": {
    type: flag(),
    commands: ["run", "build", "verify", "calibrate"],
    help: "never install a missing toolchain",
  },
  "no-verify": {
    type: flag(),
    commands: ["run"],
    help: "also measure contenders that break the contract",
  },
  handicap: {
    type: decimal(0.5, 90, "PERCENT"),
    commands: ["calibrate"],
    otherwise: "5",
    help: "CPU share taken from the slowed copy",
  },
  slow: {
    type: flag(),
    commands: ["verify"],
    help: "also run checks that take minutes, such as 120 s of silence",
  },
  yes: {
    type: flag(),
    commands: ["run", "attack", "build", "verify", "calibrate"],
    help: "do without asking: install missing toolchains, load a machine that is not near",
  },
  "sizing-users": {
    type: count(1, 1_000_000_000),
    commands: ["run", "report"],
    otherwise: "100,000",
    help: "users that the reports size CPU and memory for",
  },
  "sizing-rate": {
    type: decimal(0.001, 100_000),
    commands: ["run", "report"],
    otherwise: "1",
    help: "deliveries per second to each of these users",
  },
  threshold: {
    type: text("EXPR"),
    several: true,
    commands: ["run", "attack", "merge", "report"],
    help: 'exit with 12 unless it is met: "endurance-echo latency.p99 < 50ms", of an attack "latency.p99 < 50ms"',
  },
  "fail-on": {
    type: text("EXPR"),
    several: true,
    commands: ["compare"],
    help: 'exit with 12 if B is significantly worse: "[CONTENDER] [PHASE] MEASURE worse by 5%"; may be repeated',
  },
  contender: {
    type: text("CONTENDER[:VARIANT]"),
    commands: ["history"],
    help: "show its trend over runs of the same work on one machine",
  },
  measure: {
    type: text("MEASURE"),
    commands: ["history"],
    help: 'show only this measure, with its numbers: "burst-echo throughput"',
  },
  reference: {
    type: text("CONTENDER[:VARIANT]"),
    commands: ["report"],
    help: "print how many times better each contender is than this one, also across leagues",
  },
  out: {
    type: text("FILE"),
    several: true,
    commands: ["attack", "merge", "report", "import"],
    otherwise: "report.md and report.html in the run's folder; of import stdout",
    help: "write it here, by the ending as .md, .html, .txt or .json, an attack's seconds as .csv; may be repeated",
  },
  csv: {
    type: text("DIR"),
    commands: ["report"],
    help: "also write contenders.csv, phases.csv and timeline.csv there; of an attack attack.csv and timeline.csv",
  },
  ndjson: {
    type: text("FILE"),
    commands: ["run", "attack"],
    help: "write a line of JSON for each second and event while it goes on; - is stdout",
  },
  metrics: {
    type: listenAddress(),
    commands: ["run", "attack"],
    help: "serve figures for Prometheus at /metrics while it goes on; 127.0.0.1 unless another host is named",
  },
  otlp: {
    type: httpUrl(),
    commands: ["run", "attack"],
    help: "send figures to an OpenTelemetry collector while it goes on, such as http://127.0.0.1:4318",
  },
  markdown: { type: flag(), commands: ["compare"], help: "print the comparison as Markdown" },
  scan: {
    type: text("PARAMETER=V1,V2,…"),
    commands: ["run"],
    help: "a run for each value of a parameter of the plan, and how each contender scales: server-cpus=1,2,4",
  },
  "abort-on": {
    type: text("EXPR"),
    several: true,
    commands: ["attack"],
    help: 'stop as soon as it is true of a second: "latency.p99 > 500ms"; may be repeated',
  },
  before: {
    type: text("COMMAND"),
    commands: ["attack"],
    help: "run by the shell before the first connection; the attack needs it to succeed",
  },
  after: {
    type: text("COMMAND"),
    commands: ["attack"],
    help: "run by the shell afterwards, whatever became of the attack",
  },
  trace: {
    type: flag(),
    commands: ["attack"],
    help: "show the whole exchange of one connection with three messages, and stop",
  },
  "message-file": {
    type: text("FILE"),
    commands: ["attack"],
    help: "what is sent, in place of --message; with --binary, its bytes",
  },
  data: {
    type: text("FILE"),
    commands: ["attack"],
    help: "CSV with a header and a row for each connection, whose columns the message may name",
  },
  header: {
    type: text("NAME: VALUE"),
    several: true,
    commands: ["attack"],
    help: "sent with every upgrade; may be repeated",
  },
  cookie: {
    type: text("NAME=VALUE"),
    several: true,
    commands: ["attack"],
    help: "sent with every upgrade; may be repeated",
  },
  subprotocol: {
    type: text("NAME"),
    several: true,
    commands: ["attack"],
    help: "offered in the upgrade, and the server has to choose one; may be repeated",
  },
  origin: { type: text("URL"), commands: ["attack"], help: "the Origin header of every upgrade" },
  "source-address": {
    type: ipAddress(),
    several: true,
    commands: ["attack"],
    help: "local address to connect from, each with ports of its own; may be repeated",
  },
  adapter: {
    type: text("NAME|FILE"),
    commands: ["attack"],
    otherwise: "messages as they are",
    help: "speak a protocol: a built-in adapter by its name, or a module of your own",
  },
  "adapter-option": {
    type: text("NAME=VALUE"),
    several: true,
    commands: ["attack"],
    help: "for the adapter; may be repeated",
  },
  fleet: {
    type: text("local|URL"),
    commands: ["run", "attack"],
    help: "load by all agents of a bus, a NATS server such as nats://127.0.0.1:4222; local starts one and agents here",
  },
  agents: {
    type: count(1, 10_000),
    commands: ["run", "attack"],
    otherwise: "those that are there; 2 of a local fleet",
    help: "with --fleet: how many take part",
  },
  "server-address": {
    type: ipAddress(),
    commands: ["run"],
    otherwise: "127.0.0.1",
    help: "with --fleet: the address of this machine at which agents reach its servers",
  },
  "join-seconds": {
    type: duration(1, 3600),
    commands: ["run", "attack"],
    otherwise: "30",
    help: "with --fleet: agents that are not there after so long are missing",
  },
  "bus-away-seconds": {
    type: duration(1, 86_400),
    commands: ["run", "attack"],
    otherwise: "30",
    help: "with --fleet: a bus that is away for so long is given up, by an attack after its load",
  },
  resume: {
    type: text("RUN"),
    commands: ["attack"],
    help: "with --fleet: take over an attack whose coordinator was ended, and collect its agents' results",
  },
  bus: {
    type: text("URL"),
    commands: ["agent"],
    help: "the NATS server where attacks are announced, such as nats://127.0.0.1:4222",
  },
  keep: {
    type: text("DIR"),
    commands: ["agent"],
    otherwise: "the program's cache",
    help: "folder that a result is kept in until a coordinator has it",
  },
  once: { type: flag(), commands: ["agent"], help: "end after one attack" },
  "bus-creds": {
    type: text("FILE"),
    commands: ["run", "attack", "agent"],
    help: "the bus: a .creds file of NATS",
  },
  "bus-ca": {
    type: text("FILE"),
    commands: ["run", "attack", "agent"],
    help: "the bus: certificates in PEM, one of which has to have issued its own",
  },
  "bus-cert": {
    type: text("FILE"),
    commands: ["run", "attack", "agent"],
    help: "the bus: certificate of the client in PEM",
  },
  "bus-key": {
    type: text("FILE"),
    commands: ["run", "attack", "agent"],
    help: "the bus: key of --bus-cert in PEM",
  },
  "insecure-bus": {
    type: flag(),
    commands: ["run", "attack", "agent"],
    help: "the bus: one without a login, elsewhere than on this machine",
  },
  share: {
    type: share(),
    commands: ["attack"],
    otherwise: "all of it",
    help: "do one of N shares of the attack, such as 2/3; showdown merge adds them up",
  },
  "dry-run": { type: flag(), commands: ["run", "attack"], help: "print the plan as JSON and stop" },
  config: {
    type: text("FILE"),
    commands: configured,
    otherwise: "showdown.config.ts, .js or .json here",
    help: "the file that sets options that neither command line nor environment set",
  },
  environment: {
    type: text("NAME"),
    commands: configured,
    help: "also what the configuration says under environments.NAME, which wins over the rest of it",
  },
  "print-config": {
    type: flag(),
    commands: configured,
    help: "print the options' values and where each comes from, and stop",
  },
  json: {
    type: flag(),
    commands: [
      "run",
      "attack",
      "verify",
      "list",
      "compare",
      "merge",
      "plan",
      "history",
      "doctor",
      "calibrate",
    ],
    help: "print the result as JSON on stdout, and nothing else there",
  },
} as const satisfies Record<string, Option<unknown>>;

type ValueOf<O> = O extends { type: ValueType<infer T> }
  ? O extends { several: true }
    ? readonly T[]
    : T
  : never;
export type OptionValues = { readonly [Name in keyof typeof options]?: ValueOf<(typeof options)[Name]> };

export interface ParsedOptions {
  /** Parameters that options or the environment set otherwise than the preset. */
  readonly settings: Settings;
  /** The same of the plan of an attack. */
  readonly attack: AttackSettings;
  /** The same of what an attack's machines are planned by. */
  readonly needs: NeedsSettings;
  readonly values: OptionValues;
  readonly positionals: readonly string[];
}
