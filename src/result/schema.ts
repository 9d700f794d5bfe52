import { z } from "zod";
import { planSchema } from "../plan/plan.ts";
import { judgementSchema } from "./judgement.ts";
import { phaseSchema } from "./phase.ts";
import { notRunSchema, reasonSchema, warningSchema } from "./reasons.ts";

/** The version of `result.json`; raised when a reader of the old one would misread the new one. */
export const schemaVersion = 2;

const count = z.int().nonnegative();

export const roundSchema = z.object({
  contender: z.string(),
  variant: z.string(),
  /** 1-based. */
  round: z.int().positive(),
  /** 1-based place in the order in which everything ran. */
  position: z.int().positive(),
  /** As bad as its worst phase; an invalid phase makes no round invalid. */
  status: z.enum(["ok", "aborted", "failed"]),
  /** Null exactly where the status is `ok`. */
  reason: reasonSchema.nullable(),
  /** The phase that the reason is of, by its place in the plan from 0; null where no phase had begun. */
  reasonPhase: count.nullable(),
  readyMs: z.number().nullable(),
  /** RSS of the idle server, before any connection. */
  idleRssBytes: count.nullable(),
  /**
   * The unrecorded load before the first phase, with the opening of its connections. Null where there was none. `ended`
   * says why it ended: rates were `steady`; the `time` was over while one of them rose; a burst `failed`.
   */
  warmUp: z
    .object({ durationMs: z.number().nonnegative(), ended: z.enum(["steady", "time", "failed"]) })
    .nullable()
    .default(null),
  /** How it ended on SIGTERM; null when it had ended before. */
  shutdown: z.object({ graceful: z.boolean(), exitMs: z.number() }).nullable(),
  phases: z.array(phaseSchema),
  /** The end of what the server printed, when something went wrong. */
  output: z.string().nullable(),
});

/** What the conformance suite said. */
export const verificationSchema = z.object({
  competes: z.boolean(),
  failed: z.array(
    z.object({
      id: z.string(),
      rule: z.string(),
      reference: z.string(),
      grade: z.enum(["required", "strict"]),
    }),
  ),
  /** Null where every check was run; otherwise what kept the suite from it. */
  problem: z.string().nullable(),
});

/** What the generator could receive per second by itself. */
export const ceilingsSchema = z.object({ echoPerSecond: z.number(), broadcastPerSecond: z.number() });

export const contenderSchema = z.object({
  name: z.string(),
  variant: z.string(),
  title: z.string(),
  language: z.string(),
  library: z.string(),
  approach: z.enum(["raw", "idiomatic", "tuned", "framework", "article", "undeclared", "floor"]),
  /** What is said over the WebSocket: the contract's messages, or those of Phoenix Channels. */
  protocol: z.enum(["chaos-chat", "phoenix"]).default("chaos-chat"),
  routing: z.enum(["prefix", "scan", "parse", "undeclared"]),
  framing: z.enum(["single", "newline"]),
  slowConsumer: z.enum(["block", "drop-message", "drop-connection", "undeclared"]),
  env: z.record(z.string(), z.string()),
  /** Empty where it ran already. */
  start: z.array(z.string()),
  /** Where it ran already: neither started by this program nor ended by it. Absent for all others. */
  url: z.string().optional(),
  /** SHA-256 over the sources. */
  sourceDigest: z.string(),
  /** First line of what each toolchain says of its version. */
  toolchains: z.record(z.string(), z.string()),
  deployment: z.object({ singleBinary: z.boolean(), note: z.string().optional() }).nullable(),
  /** Null where the conformance suite was not asked. */
  verified: verificationSchema.nullable(),
  /** Null when it took part. */
  notRun: notRunSchema.nullable(),
});

export const environmentSchema = z.object({
  tool: z.string(),
  commit: z.string().nullable(),
  bun: z.string(),
  os: z.string(),
  kernel: z.string(),
  arch: z.string(),
  cpuModel: z.string(),
  cpuCount: z.int().positive(),
  cpuGovernor: z.string().nullable(),
  memoryBytes: count,
  descriptorLimit: z.object({ soft: count.nullable(), hard: count.nullable() }),
  portRange: z.tuple([z.number(), z.number()]).nullable(),
  /** Kernel settings that matter for sockets, by their sysctl name. */
  sysctls: z.record(z.string(), z.string()),
});

/** What tells machines apart that did one thing together. */
export const machineSchema = environmentSchema.pick({
  os: true,
  kernel: true,
  cpuModel: true,
  cpuCount: true,
  memoryBytes: true,
});

export const calibrationSchema = z.object({
  at: z.string(),
  preset: z.string(),
  contender: z.string(),
  rounds: z.int().positive(),
  durationMs: z.number().nonnegative(),
  /** The smallest difference of two contenders that nine of ten such runs would find, as a share; null where it can't be told. */
  resolvableShare: z.number().nullable(),
  /** What had to come out: nothing between two of the same, and the handicap. */
  holds: z.object({ noFalseDifference: z.boolean(), differenceFound: z.boolean() }),
});

/** A run that goes on until everything is decided looks at its ratios as often as was planned when it had seen none. */
export const looksSchema = z.object({
  /** After how many rounds. The last is the most that the time allowed; it follows from how long the first round took. */
  planned: z.array(z.int().positive()),
  taken: z.array(z.int().positive()),
  /** Pairs of all measures that decide, at the last look taken; and those of them that were decided. */
  pairs: count,
  decided: count,
  /**
   * Null while it goes on. `decided`: every pair was. `nothing-to-compare`: there was no pair. `time`: it was over, or so
   * were the rounds that it allowed. `stopped`: by the user.
   */
  ended: z.enum(["decided", "nothing-to-compare", "time", "stopped"]).nullable(),
});

/** Agents that make the load of a run. */
const runFleetSchema = z.object({
  /** Without secrets. */
  bus: z.string(),
  /** Where they reached the servers. */
  serverAddress: z.string(),
  agents: z.array(
    z.object({
      /** Its place from 0: worker w of the plan is of agent w modulo their count. */
      agent: z.int().nonnegative(),
      /** Of its process. */
      id: z.string(),
      name: z.string(),
      cpuCount: z.int().positive(),
      /** Its clock against the coordinator's; null where it could not be asked. */
      clock: z
        .object({
          offsetUs: z.number(),
          errorUs: z.number().nonnegative(),
          roundTripUs: z.number().nonnegative(),
        })
        .nullable(),
    }),
  ),
});

export const resultSchema = z.object({
  schema: z.literal(schemaVersion),
  id: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  /** `running` until it ends: a file found in that state belongs to a run that was cut off. */
  status: z.enum(["running", "finished", "aborted"]),
  command: z.array(z.string()),
  plan: planSchema,
  environment: environmentSchema,
  /** Who made the load; absent where the machine of `environment` did. */
  fleet: runFleetSchema.exactOptional(),
  /** The generator's own; null where they were not measured. */
  ceilings: ceilingsSchema.nullable(),
  contenders: z.array(contenderSchema),
  rounds: z.array(roundSchema),
  /** Null where the rounds are fixed by the plan, and until the first of them has ended. */
  looks: looksSchema.nullable(),
  warnings: z.array(warningSchema),
  /** What the last `showdown calibrate` on this machine said; null where there was none. */
  calibration: calibrationSchema.nullable(),
  /** What may be concluded, one for each measure that decides and phase; empty while the run goes on. */
  judgements: z.array(judgementSchema),
});

export type Result = z.infer<typeof resultSchema>;
export type RunFleet = z.infer<typeof runFleetSchema>;
export type Looks = z.infer<typeof looksSchema>;
export type Round = z.infer<typeof roundSchema>;
export type ContenderFacts = z.infer<typeof contenderSchema>;
export type Verification = z.infer<typeof verificationSchema>;
export type Ceilings = z.infer<typeof ceilingsSchema>;
export type KeptCalibration = z.infer<typeof calibrationSchema>;
export type Environment = z.infer<typeof environmentSchema>;
export type Machine = z.infer<typeof machineSchema>;
