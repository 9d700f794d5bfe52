import { z } from "zod";
import { chaosSecondsType, type Fault, faultNames } from "./faults.ts";
import {
  type PhaseKind,
  type PhasePlan,
  phaseKinds,
  phaseName,
  phaseNames,
  type Workload,
  workloads,
} from "./phases.ts";
import { serverCpusType } from "./server-cpus.ts";
import { choice, count, decimal, duration, flag, list, type ValueType } from "./value-type.ts";

export const presetNames = ["smoke", "quick", "article", "full"] as const;
export type Preset = (typeof presetNames)[number];

/**
 * One thing that decides what a run does. From its entry in the table come the field of the plan and of the result
 * file, the option and its help, the environment variable, the presets, the reference in docs/options.md, and whether
 * two runs did the same work.
 */
export interface Parameter<T, Default extends T | null = T | null> {
  /** Without its dashes. */
  readonly option: string;
  /** Plain words for `--help`, at most twenty. */
  readonly help: string;
  readonly type: ValueType<T>;
  /** The value in preset `article`; null where the machine decides, which the word `auto` asks for. */
  readonly default: Default;
  /** What `null` stands for, in words. */
  readonly otherwise?: string;
  /** Where a preset differs from `article`. */
  readonly presets?: { readonly [Name in Preset]?: T };
  /** The kinds of phases and the workloads that read it; all where absent. */
  readonly kinds?: readonly PhaseKind[];
  readonly workloads?: readonly Workload[];
  /** False where no figure depends on it; else runs with other values of it did other work. */
  readonly isWork?: false;
}

function parameter<T>(entry: Parameter<T, T>): Parameter<T, T> {
  return entry;
}

function decidedByMachine<T>(entry: Omit<Parameter<T, null>, "default">): Parameter<T, null> {
  return { ...entry, default: null };
}

const phasePlanSchema: z.ZodType<PhasePlan> = z.object({
  kind: z.enum(phaseKinds),
  workload: z.enum(workloads).exactOptional(),
});
const articlePhases: readonly PhasePlan[] = [
  phaseNames.connect,
  phaseNames["burst-echo"],
  phaseNames["burst-broadcast"],
  phaseNames["endurance-echo"],
];

/**
 * Each is a field of the plan by the same name. Preset `article` has the parameters of "The Ultimate WebSocket Battle:
 * Elixir vs Go Performance Showdown" (onemoredev.io, 2025); what that article leaves open has a comment.
 */
export const fields = {
  phases: parameter<readonly PhasePlan[]>({
    option: "phases",
    help: "phases to run, in order, after connect",
    type: list<PhasePlan>(phaseNames, phasePlanSchema, {
      // Without connections nothing can be done.
      arrange: (phases) => (phases[0]?.kind === "connect" ? phases : [phaseNames.connect, ...phases]),
      nameOf: phaseName,
    }),
    default: articlePhases,
    presets: {
      quick: [
        phaseNames.connect,
        phaseNames["burst-echo"],
        phaseNames["burst-broadcast"],
        phaseNames["steady-echo"],
      ],
      full: [
        ...articlePhases,
        phaseNames["burst-rooms"],
        // Beside the burst, in which whoever writes several messages at once wins by that.
        phaseNames["steady-broadcast"],
        phaseNames["endurance-rooms"],
        phaseNames["capacity-echo"],
        phaseNames["capacity-broadcast"],
        phaseNames["capacity-rooms"],
        phaseNames["chaos-rooms"],
      ],
    },
    isWork: false,
  }),
  rounds: parameter({
    option: "rounds",
    help: "rounds per contender, in a balanced order; with --until, the fewest",
    type: count(1, 1000),
    default: 1,
    // Enough for intervals.
    presets: { quick: 3, full: 5 },
    isWork: false,
  }),
  /** The run ends when every pair of every measure that decides is a lead or equal within so much; null for fixed rounds. */
  untilPercent: decidedByMachine({
    option: "until",
    help: "more rounds until contenders are told apart or equal within so many per cent",
    type: decimal(0.1, 100, "PERCENT"),
    otherwise: "never, exactly --rounds",
    presets: { quick: 5 },
    isWork: false,
  }),
  /** From the first round's duration it follows how many rounds there may be: fixed before any ratio is seen. */
  maxMinutes: parameter({
    option: "max-minutes",
    help: "time for rounds beyond the fewest, with --until",
    type: decimal(0.01, 10_000, "MINUTES"),
    default: 10,
    presets: { quick: 2 },
    isWork: false,
  }),
  connections: parameter({
    option: "connections",
    help: "connections to open",
    type: count(1, 2_000_000),
    default: 25_000,
    presets: { smoke: 50, quick: 1000, full: 10_000 },
  }),
  connectBatch: parameter({
    option: "connect-batch",
    help: "connections opened at once",
    type: count(1, 100_000),
    default: 100,
    presets: { smoke: 10 },
    kinds: ["connect"],
  }),
  holdSeconds: parameter({
    option: "hold-seconds",
    help: "time without messages, before and after which each connection proves itself by an echo; 0 for none",
    type: decimal(0, 86_400, "S"),
    default: 0,
    kinds: ["connect"],
  }),
  oneAtATime: parameter({
    option: "one-at-a-time",
    help: "run contenders one after another, not in slices side by side",
    type: flag(),
    default: false,
  }),
  sliceMs: parameter({
    option: "slice-ms",
    help: "work of one slice, in milliseconds of the fastest contender",
    type: count(10, 10_000, "MS"),
    default: 80,
    presets: { smoke: 20 },
    kinds: ["burst", "steady"],
  }),
  slicedSeconds: parameter({
    option: "sliced-seconds",
    help: "work of a phase, in seconds of the fastest contender",
    type: decimal(0.1, 3600, "S"),
    // Nothing shorter than a second is ranked, and a dozen blocks average out what one slice differs by.
    default: 1.2,
    presets: { smoke: 0.1 },
    kinds: ["burst", "steady"],
  }),
  steadyRatePerSecond: parameter({
    option: "steady-rate",
    help: "target in deliveries per second, over all connections",
    type: count(1, 100_000_000),
    default: 15_000,
    presets: { smoke: 1000, quick: 10_000 },
    kinds: ["steady", "connect"],
  }),
  /** Burst echo: messages each connection sends. Burst broadcast: messages each connection receives. */
  messagesPerConnection: parameter({
    option: "messages",
    help: "messages per connection; in slices, the least",
    type: count(1, 100_000),
    default: 15,
    // 15 to a thousand connections are over in a tenth of a second, too short to tell 10 % apart.
    presets: { smoke: 10, quick: 100 },
    kinds: ["burst"],
  }),
  messageBatch: parameter({
    option: "message-batch",
    help: "messages sent at once, over all workers",
    type: count(1, 1_000_000),
    default: 1000,
    presets: { smoke: 100 },
    kinds: ["burst"],
  }),
  /** Size of one JSON message in bytes, the payload of its frame. */
  messageBytes: parameter({
    option: "message-bytes",
    help: "size of one JSON message",
    type: count(1, 65_536),
    // "Standard JSON, not inflated": the contract's keys, and a few words of text.
    default: 120,
    kinds: ["burst", "steady", "endurance", "capacity", "chaos"],
  }),
  enduranceSeconds: parameter({
    option: "endurance-seconds",
    help: "how long the load lasts",
    type: count(1, 86_400, "S"),
    default: 60,
    presets: { smoke: 1, quick: 6, full: 30 },
    kinds: ["endurance"],
  }),
  enduranceRatePerSecond: parameter({
    option: "endurance-rate",
    help: "target in deliveries per second, over all connections",
    type: count(1, 100_000_000),
    // The article does not state its pace: this is what its better side sustained.
    default: 15_000,
    presets: { smoke: 1000, quick: 10_000 },
    kinds: ["endurance", "chaos"],
  }),
  // The article has neither capacity nor chaos nor rooms.
  capacityStepSeconds: parameter({
    option: "capacity-seconds",
    help: "how long each rate of the search lasts",
    type: count(1, 3600, "S"),
    default: 5,
    presets: { smoke: 1 },
    kinds: ["capacity"],
  }),
  capacityStartRatePerSecond: parameter({
    option: "capacity-start",
    help: "first rate of the search, in deliveries per second",
    type: count(1, 100_000_000),
    default: 2000,
    presets: { smoke: 1000 },
    kinds: ["capacity"],
    isWork: false,
  }),
  p99LimitMs: parameter({
    option: "p99-limit",
    help: "highest p99 latency at which a rate counts as sustained",
    type: decimal(0.1, 60_000, "MS"),
    default: 100,
    kinds: ["steady", "capacity"],
  }),
  faults: parameter<readonly Fault[]>({
    option: "faults",
    help: "faults to inject, one after another",
    type: list<Fault>(Object.fromEntries(faultNames.map((name) => [name, name])), z.enum(faultNames), {
      arrange: (faults) => faultNames.filter((name) => faults.includes(name)),
      nameOf: (fault) => fault,
    }),
    default: faultNames,
    kinds: ["chaos"],
  }),
  chaosSeconds: parameter({
    option: "chaos-seconds",
    help: "seconds before, under and after each fault",
    type: chaosSecondsType,
    default: { before: 3, under: 10, after: 5 },
    presets: { smoke: { before: 1, under: 1, after: 1 } },
    kinds: ["chaos"],
  }),
  roomSize: parameter({
    option: "room-size",
    help: "members of a room",
    type: count(1, 2_000_000),
    default: 50,
    workloads: ["rooms"],
  }),
  sendersPerRoom: parameter({
    option: "senders",
    help: "members of a room that send",
    type: count(1, 1000),
    default: 15,
    workloads: ["broadcast", "rooms"],
  }),
  errorThreshold: parameter({
    option: "error-threshold",
    help: "a phase with more errors is aborted",
    type: count(0, 1_000_000_000),
    default: 5000,
    presets: { smoke: 50, quick: 500 },
    isWork: false,
  }),
  warmupSeconds: parameter({
    option: "warmup-seconds",
    help: "least time of unrecorded load before a round, which goes on until rates are steady; 0 for none",
    type: decimal(0, 600, "S"),
    default: 2,
    presets: { smoke: 0, quick: 0.3 },
  }),
  warmupLimitSeconds: parameter({
    option: "warmup-limit",
    help: "most time of that load; whose rate still rises then is named in a warning",
    type: decimal(0, 3600, "S"),
    default: 10,
    presets: { quick: 2 },
  }),
  /** Differences up to it don't matter: of ratios from 1 / 1.05 to 1.05 with 5. */
  marginPercent: parameter({
    option: "margin",
    help: "contenders that differ by less count as equal, in per cent",
    type: decimal(0.1, 100, "PERCENT"),
    default: 5,
    isWork: false,
  }),
  /** Whether a phase counts as invalid in which something else than the server may have been measured. */
  validityRule: parameter({
    option: "keep-invalid",
    help: "keep results of phases that the generator or other processes may have distorted",
    type: flag(false),
    default: true,
    isWork: false,
  }),
  workers: decidedByMachine({
    option: "workers",
    help: "generator processes",
    type: count(1, 1024),
    otherwise: "by connections and CPUs",
  }),
  pacing: decidedByMachine({
    option: "pacing",
    help: "how sends are timed: spin busy-waits and needs a CPU per worker, timer sleeps",
    type: choice(["spin", "timer"]),
    otherwise: "spin where each worker has a CPU",
  }),
  seed: parameter({
    option: "seed",
    help: "decides the order of rounds, the senders and the masks",
    type: count(0, 4_294_967_295),
    default: 1,
    isWork: false,
  }),
  port: parameter({
    option: "port",
    help: "loopback port of the servers; 0 picks a free one",
    type: count(0, 65_535),
    default: 0,
    isWork: false,
  }),
};

/** Fields of the plan's `timeouts`, in milliseconds. */
export const timeouts = {
  readyMs: parameter({
    option: "ready-seconds",
    help: "a server must be ready within this time",
    type: duration(0.1, 600),
    default: 15_000,
    isWork: false,
  }),
  connectMs: parameter({
    option: "connect-seconds",
    help: "a connection must be open within this time",
    type: duration(0.1, 600),
    default: 10_000,
    isWork: false,
  }),
  quietMs: parameter({
    option: "quiet-seconds",
    help: "a phase ends when nothing has arrived for this long",
    type: duration(0.1, 600),
    default: 5000,
    presets: { smoke: 2000, quick: 3000 },
    isWork: false,
  }),
};

/** What decides fields of other names. */
const shorthands = {
  rooms: decidedByMachine({
    option: "rooms",
    help: "number of rooms, instead of --room-size",
    type: count(1, 2_000_000),
    otherwise: "connections / room size",
    workloads: ["rooms"],
    isWork: false,
  }),
  serverCpus: decidedByMachine({
    option: "server-cpus",
    help: "how many CPUs the server has, or which, as in 0-1,4; the generator has the others",
    type: serverCpusType,
    otherwise: "half of the cores",
    isWork: false,
  }),
  pin: parameter({
    option: "no-pin",
    help: "do not give server and generator CPUs of their own",
    type: flag(false),
    default: true,
    isWork: false,
  }),
};

/** The one table of what decides a run. A new entry of `fields` needs nothing more but its use. */
export const parameters = { ...fields, ...shorthands, ...timeouts };
export type ParameterName = keyof typeof parameters;

/** What an option gives a parameter. */
export type ValueOf<Name extends ParameterName> = z.infer<(typeof parameters)[Name]["type"]["schema"]>;
/** What options and the environment set otherwise than the preset; null leaves it to the machine. */
export type Settings = Partial<Parameters>;
/** All parameters with their values; null where the machine decides. */
export type Parameters = {
  readonly [Name in ParameterName]: ValueOf<Name> | (typeof parameters)[Name]["default"];
};
