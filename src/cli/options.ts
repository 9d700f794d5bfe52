import { parseArgs } from "node:util";
import { UsageError } from "../errors.ts";
import { suggest } from "../text/nearest.ts";

interface OptionBase {
  /** What it does, for --help and the README. */
  readonly help: string;
  /** The commands that take it. */
  readonly commands: readonly string[];
  /** What holds without it, in words; absent where that is obvious or the preset's matter. */
  readonly otherwise?: string;
}
interface Flag extends OptionBase {
  readonly type: "flag";
}
interface Text extends OptionBase {
  readonly type: "text";
  readonly value: string;
  readonly several?: boolean;
}
interface Choice extends OptionBase {
  readonly type: "choice";
  readonly choices: readonly string[];
}
interface Count extends OptionBase {
  readonly type: "count";
  readonly value: string;
  readonly min: number;
  readonly max: number;
  /** Fractions allowed. */
  readonly fraction?: boolean;
}
export type Option = Flag | Text | Choice | Count;

const run = ["run"];
/** What decides the plan. */
const planned = ["run", "doctor", "calibrate"];

/** The one table of options: parser, help and README are made from it. */
export const options = {
  preset: {
    type: "choice",
    choices: ["smoke", "quick", "article", "full"],
    commands: planned,
    otherwise: "quick",
    help: "the parameters to start from; every option below changes one of them",
  },
  phases: {
    type: "text",
    value: "LIST",
    commands: planned,
    help: "phases in order, of connect, burst-echo, burst-broadcast, burst-rooms, endurance-echo, endurance-broadcast, endurance-rooms, capacity-echo, capacity-broadcast, capacity-rooms, chaos-broadcast, chaos-rooms",
  },
  rounds: {
    type: "count",
    value: "N",
    min: 1,
    max: 1000,
    commands: planned,
    help: "rounds of every contender, in a balanced order",
  },
  connections: {
    type: "count",
    value: "N",
    min: 1,
    max: 2_000_000,
    commands: planned,
    help: "connections to open",
  },
  "connect-batch": {
    type: "count",
    value: "N",
    min: 1,
    max: 100_000,
    commands: planned,
    help: "connections opened at once",
  },
  messages: {
    type: "count",
    value: "N",
    min: 1,
    max: 100_000,
    commands: planned,
    help: "burst: messages per connection",
  },
  "message-batch": {
    type: "count",
    value: "N",
    min: 1,
    max: 1_000_000,
    commands: planned,
    help: "burst: messages offered at once",
  },
  "message-bytes": {
    type: "count",
    value: "N",
    min: 1,
    max: 65_536,
    commands: planned,
    help: "size of one JSON message",
  },
  "endurance-seconds": {
    type: "count",
    value: "S",
    min: 1,
    max: 86_400,
    commands: planned,
    help: "endurance: how long",
  },
  "endurance-rate": {
    type: "count",
    value: "N",
    min: 1,
    max: 100_000_000,
    commands: planned,
    help: "endurance: deliveries per second offered, over all connections",
  },
  "capacity-seconds": {
    type: "count",
    value: "S",
    min: 1,
    max: 3600,
    commands: run,
    help: "capacity: how long each rate of the search is offered",
  },
  "capacity-start": {
    type: "count",
    value: "N",
    min: 1,
    max: 100_000_000,
    commands: run,
    help: "capacity: deliveries per second that the search begins with",
  },
  "p99-limit": {
    type: "count",
    value: "MS",
    min: 0.1,
    max: 60_000,
    fraction: true,
    commands: run,
    help: "capacity: a rate is held with a latency p99 up to this many milliseconds",
  },
  faults: {
    type: "text",
    value: "LIST",
    commands: run,
    otherwise: "all",
    help: "chaos: what strikes, of slow-readers, resets, garbage, storm, crash, kill",
  },
  "chaos-seconds": {
    type: "text",
    value: "S/S/S",
    commands: run,
    help: "chaos: seconds before, under and after each fault",
  },
  rooms: {
    type: "count",
    value: "N",
    min: 1,
    max: 2_000_000,
    commands: planned,
    otherwise: "connections / room size",
    help: "rooms workload: how many rooms the connections are spread over, instead of --room-size",
  },
  "room-size": {
    type: "count",
    value: "N",
    min: 1,
    max: 2_000_000,
    commands: planned,
    help: "rooms workload: members of a room",
  },
  senders: {
    type: "count",
    value: "N",
    min: 1,
    max: 1000,
    commands: planned,
    help: "broadcast and rooms: members of a room that speak",
  },
  "error-threshold": {
    type: "count",
    value: "N",
    min: 0,
    max: 1e9,
    commands: planned,
    help: "more errors than this end a phase as aborted",
  },
  "warmup-seconds": {
    type: "count",
    value: "S",
    min: 0,
    max: 600,
    fraction: true,
    commands: planned,
    help: "unrecorded load before a round's first phase",
  },
  "quiet-seconds": {
    type: "count",
    value: "S",
    min: 0.1,
    max: 600,
    fraction: true,
    commands: planned,
    help: "a phase ends when nothing arrived for this long",
  },
  "ready-seconds": {
    type: "count",
    value: "S",
    min: 0.1,
    max: 600,
    fraction: true,
    commands: planned,
    otherwise: "15",
    help: "a server must be ready within this",
  },
  "connect-seconds": {
    type: "count",
    value: "S",
    min: 0.1,
    max: 600,
    fraction: true,
    commands: planned,
    otherwise: "10",
    help: "a connection must be open within this",
  },
  seed: {
    type: "count",
    value: "N",
    min: 0,
    max: 4_294_967_295,
    commands: planned,
    otherwise: "1",
    help: "decides the order of rounds, the senders and the masks",
  },
  port: {
    type: "count",
    value: "N",
    min: 1,
    max: 65_535,
    commands: planned,
    otherwise: "a free one",
    help: "the port servers listen on",
  },
  workers: {
    type: "count",
    value: "N",
    min: 1,
    max: 1024,
    commands: planned,
    otherwise: "by the machine",
    help: "generator processes",
  },
  pacing: {
    type: "choice",
    choices: ["auto", "spin", "timer"],
    commands: planned,
    otherwise: "auto",
    help: "how endurance keeps its moments: spin watches the clock and wants a processor per worker, timer sleeps until the next send is due",
  },
  "no-pin": {
    type: "flag",
    commands: planned,
    help: "do not give server and generator processors of their own",
  },
  contenders: {
    type: "text",
    value: "DIR",
    several: true,
    commands: ["run", "build", "verify", "list", "doctor", "calibrate"],
    otherwise: "none",
    help: "another folder of contenders, besides the project's own; may be repeated",
  },
  results: {
    type: "text",
    value: "DIR",
    commands: ["run", "compare", "history", "report", "live", "calibrate"],
    otherwise: "results",
    help: "where runs are written and looked for",
  },
  live: { type: "flag", commands: run, help: "serve a page that shows the run while it goes on" },
  "live-port": {
    type: "count",
    value: "N",
    min: 1,
    max: 65_535,
    commands: ["run", "live"],
    otherwise: "a free one",
    help: "the port of the live page",
  },
  "no-install": {
    type: "flag",
    commands: ["run", "build", "verify", "calibrate"],
    help: "never install a missing toolchain",
  },
  "no-void": {
    type: "flag",
    commands: planned,
    help: "keep the figures of phases in which something else than the server may have been measured",
  },
  "no-verify": {
    type: "flag",
    commands: run,
    help: "measure contenders that fail the conformance suite too",
  },
  handicap: {
    type: "count",
    value: "PERCENT",
    min: 0.5,
    max: 90,
    fraction: true,
    commands: ["calibrate"],
    otherwise: "10",
    help: "how much of its processors is taken from the slowed entry",
  },
  slow: {
    type: "flag",
    commands: ["verify"],
    help: "also the checks that take minutes, such as 120 s of silence",
  },
  yes: {
    type: "flag",
    commands: ["run", "build", "verify", "doctor", "calibrate"],
    help: "install missing toolchains, or change settings, without asking",
  },
  "sizing-users": {
    type: "count",
    value: "N",
    min: 1,
    max: 1_000_000_000,
    commands: ["run", "report"],
    otherwise: "100,000",
    help: "how many users the reports size processors and memory for",
  },
  "sizing-rate": {
    type: "count",
    value: "N",
    min: 0.001,
    max: 100_000,
    fraction: true,
    commands: ["run", "report"],
    otherwise: "1",
    help: "deliveries to each of those users per second",
  },
  threshold: {
    type: "text",
    value: "EXPR",
    several: true,
    commands: run,
    otherwise: "none",
    help: 'exit with 12 when the run does not meet it, such as "endurance-echo latency.p99 < 50ms" or "go-gorilla lost = 0"; may be repeated',
  },
  "fail-on": {
    type: "text",
    value: "EXPR",
    several: true,
    commands: ["compare"],
    help: 'exit with 12 when B is worse than A by at least that much, beyond doubt: "[CONTENDER] [PHASE] MEASURE -N%" (or +N%); needs two rounds in both; may be repeated',
  },
  contender: {
    type: "text",
    value: "CONTENDER[:VARIANT]",
    commands: ["history"],
    help: "the trend of its figures over the runs of one plan on one machine",
  },
  measure: {
    type: "text",
    value: "MEASURE",
    commands: ["history"],
    help: 'only this one, with its numbers, such as "burst-echo throughput"',
  },
  rebuild: {
    type: "flag",
    commands: ["history"],
    help: "make the history anew from the result files, whatever became of it",
  },
  csv: {
    type: "text",
    value: "DIR",
    commands: ["report"],
    help: "also write contenders.csv, phases.csv and timeline.csv there",
  },
  markdown: { type: "flag", commands: ["compare"], help: "the comparison as Markdown" },
  apply: {
    type: "flag",
    commands: ["doctor"],
    help: "change the settings that need no password and can be put back, and keep the old values",
  },
  undo: { type: "flag", commands: ["doctor"], help: "put back what --apply changed" },
  "dry-run": { type: "flag", commands: run, help: "print the resolved plan as JSON and do nothing" },
  json: {
    type: "flag",
    commands: ["run", "verify", "list", "compare", "history", "doctor", "calibrate"],
    help: "the result as JSON on stdout, and nothing else there",
  },
  help: {
    type: "flag",
    commands: [
      "run",
      "build",
      "verify",
      "list",
      "compare",
      "history",
      "report",
      "live",
      "doctor",
      "calibrate",
    ],
    help: "show this",
  },
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof options;
type Value<O extends Option> = O extends Flag
  ? boolean
  : O extends Count
    ? number
    : O extends Choice
      ? O["choices"][number]
      : O extends { several: true }
        ? readonly string[]
        : string;
export type OptionValues = { readonly [Name in OptionName]?: Value<(typeof options)[Name]> };

export interface ParsedOptions {
  readonly values: OptionValues;
  readonly positionals: readonly string[];
}

/**
 * Reads a command's arguments. All problems are told at once.
 *
 * @throws UsageError naming each unknown option with the nearest known one, and each value that is not possible
 */
export function parseOptions(command: string, args: readonly string[]): ParsedOptions {
  const table = Object.entries<Option>(options).filter(([, option]) => option.commands.includes(command));
  const { tokens } = parseArgs({
    args: [...args],
    options: Object.fromEntries(
      table.map(([name, { type }]) => [
        name,
        { type: type === "flag" ? ("boolean" as const) : ("string" as const) },
      ]),
    ),
    strict: false,
    allowPositionals: true,
    tokens: true,
  });
  const problems: string[] = [];
  const values: Record<string, unknown> = {};
  const positionals: string[] = [];
  for (const token of tokens) {
    if (token.kind === "positional") positionals.push(token.value);
    if (token.kind !== "option") continue;
    const option = table.find(([name]) => name === token.name)?.[1];
    if (option === undefined) {
      problems.push(
        `unknown option "${token.rawName}"${suggest(
          token.name,
          table.map(([name]) => name),
        )}`,
      );
    } else if (option.type === "flag") {
      if (token.value === undefined) values[token.name] = true;
      else problems.push(`--${token.name} takes no value, got "${token.value}"`);
    } else if (token.value === undefined || (token.inlineValue !== true && token.value.startsWith("--"))) {
      problems.push(`--${token.name}: expected a value`);
    } else {
      const read = readValue(token.name, option, token.value);
      if ("problem" in read) problems.push(read.problem);
      else if (option.type === "text" && option.several) {
        values[token.name] = [...((values[token.name] as string[] | undefined) ?? []), read.value];
      } else values[token.name] = read.value;
    }
  }
  if (problems.length > 0) {
    throw new UsageError(problems.join("\n       "), { hint: `see "showdown ${command} --help"` });
  }
  return { values: values as OptionValues, positionals };
}

function readValue(
  name: string,
  option: Exclude<Option, Flag>,
  text: string,
): { readonly value: string | number } | { readonly problem: string } {
  switch (option.type) {
    case "text":
      return text === "" ? { problem: `--${name}: expected a value, got nothing` } : { value: text };
    case "choice":
      return option.choices.includes(text)
        ? { value: text }
        : {
            problem: `--${name} ${text}: expected one of ${option.choices.join(", ")}${suggest(text, option.choices)}`,
          };
    case "count": {
      const { min, max, fraction = false } = option;
      const pattern = fraction ? /^\d+(\.\d+)?$/ : /^\d{1,3}([_,]?\d{3})*$|^\d+$/;
      const value = pattern.test(text) ? Number(text.replaceAll(/[_,]/g, "")) : Number.NaN;
      if (value >= min && value <= max) return { value };
      const kind = fraction ? "a number" : "a whole number";
      return {
        problem: `--${name} ${text}: expected ${kind} from ${min.toLocaleString("en")} to ${max.toLocaleString("en")}`,
      };
    }
  }
}
