import { z } from "zod";
import { faultNames } from "../plan/faults.ts";

/** The version of `result.json`; raised when a reader of the old one would misread the new one. */
export const schemaVersion = 1;

const count = z.int().nonnegative();
const us = z.number().nonnegative();

/** Quantiles of a latency in microseconds. Those that the count can't support (fewer than 10 samples beyond) are null. */
export const quantilesSchema = z.object({
  count,
  min: us.nullable(),
  mean: us.nullable(),
  p50: us.nullable(),
  p90: us.nullable(),
  p99: us.nullable(),
  p999: us.nullable(),
  max: us.nullable(),
});

/** `[quantile, microseconds]` pairs, denser towards 1, as HdrHistogram's percentile output. */
const curve = z.array(z.tuple([z.number(), us]));

const bucketSchema = z.object({
  /** Start of the bucket in seconds since the phase's start. */
  second: count,
  sent: count,
  delivered: count,
  p50Us: us.nullable(),
  p99Us: us.nullable(),
  maxUs: us.nullable(),
  /** Of the server's process tree; null where no sample fell into this second. */
  serverCpuMs: z.number().nullable(),
  serverRssBytes: count.nullable(),
});

/** A named resource that ran out. */
export const limitSchema = z.object({
  /** Such as `server-descriptors`, `generator-descriptors`, `port-range`, `backlog`, `memory`, `refused`. */
  name: z.string(),
  /** The limit's value where it has one. */
  value: z.number().nullable(),
  /** One sentence with name and number. */
  text: z.string(),
});

export const findingSchema = z.object({
  /** Such as `lost`, `duplicated`, `reordered`, `corrupted`, `malformed`, `undeclared-batching`, `stall`, `crashed`, `never-ready`. */
  kind: z.string(),
  count: count,
  text: z.string(),
});

/** One fault of a chaos phase: what it did to those whom it did not strike. */
export const faultSchema = z.object({
  fault: z.enum(faultNames),
  seconds: z.object({ before: count, strike: count, after: count }),
  /** Connections struck; with `garbage` the extra ones that threw it, with `kill` none: it strikes the server. */
  victims: count,
  /** All others, whose deliveries are audited. */
  bystanders: count,
  /** Latencies of deliveries to bystanders that came before the strike, were meant before its end, or after it. */
  before: quantilesSchema,
  during: quantilesSchema,
  after: quantilesSchema,
  /** Connections of bystanders that were lost; one may be lost again after it came back. */
  lostConnections: count,
  lostByReason: z.record(z.string(), count),
  /** Deliveries to bystanders that the load asks for from the strike on, and in the 100 ms before: they may be under way. */
  planned: count,
  /** Of those, what never came, also since its sender had no connection to send it on. */
  lost: count,
  /** Of `lost`: could not be sent. */
  unsent: count,
  /** Of those from the strike on, what came later than `lateUs`, not counting the generator's own lateness. */
  late: count,
  /** Twice the p99 before, and at least 20 ms. */
  lateUs: us,
  /** The longest time without any delivery that a bystander saw, from the strike on and before it. */
  longestSilenceMs: z.number(),
  silenceBeforeMs: z.number(),
  /** Of the server's process tree: just before the strike, the most from then on, and at the end. */
  rssBeforeBytes: count.nullable(),
  rssPeakBytes: count.nullable(),
  rssAfterBytes: count.nullable(),
  /** Connections that had to come back, victims too; those that did; the slowest one, from its first attempt on. */
  rejoin: z.object({
    wanted: count,
    opened: count,
    /** Are open again, and nothing came to them. */
    unserved: count,
    slowestMs: z.number().nullable(),
  }),
  /** What became of the struck connections: lost to the server's doing, and what was delivered to them. */
  struck: z.object({ lost: count, delivered: count }),
  /**
   * From the strike until deliveries to bystanders were complete for good and in time for a second, and everyone who had to
   * come back was back and served. 0: never disturbed. Null: not before the end.
   */
  recoveredMs: z.number().nullable(),
  server: z.object({
    died: z.boolean(),
    /** How, in words, such as `exited with code 2`. */
    exit: z.string().nullable(),
    /** The end of what it printed before. */
    output: z.string().nullable(),
    /** By the harness, on the same port, to be able to go on. */
    restarted: z.boolean(),
    /** From its end until the new process answered. */
    downMs: z.number().nullable(),
  }),
  /** All of this in a sentence or two. */
  text: z.string(),
});

/** The search of a capacity phase for the highest rate that a server holds. */
export const capacitySchema = z.object({
  /** The highest rate that was held, in deliveries per second; null when none was. */
  ratePerSecond: z.number().nullable(),
  /** Nothing shows that the server could not have held more: something else, or the number of steps, set the end. */
  isLowerBound: z.boolean(),
  p99LimitMs: z.number(),
  /** The rate per processor of the server; null where it is not pinned. */
  perCore: z.number().nullable(),
  /** Deliveries per second of the server's processor time, at that rate. */
  perCpuSecond: z.number().nullable(),
  /** Every rate that was offered, in order; one that failed is offered again before it counts. */
  steps: z.array(
    z.object({
      ratePerSecond: z.number(),
      /** Deliveries per second that arrived while the load lasted. */
      heldPerSecond: z.number(),
      p99Us: us.nullable(),
      held: z.boolean(),
      /** Why it was not held. */
      reason: z.string().nullable(),
    }),
  ),
});

export const phaseSchema = z.object({
  kind: z.enum(["connect", "burst", "endurance", "capacity", "chaos"]),
  workload: z.enum(["echo", "broadcast", "rooms"]).nullable(),
  /**
   * `ok`: everything was done. `aborted`: errors passed the threshold, or the user stopped it.
   * `failed`: the server died, hung or never got ready. `void`: the generator was the bottleneck.
   * Only `ok` has a throughput that may be compared.
   */
  status: z.enum(["ok", "aborted", "failed", "void"]),
  /** Why the status is not `ok`. */
  reason: z.string().nullable(),
  startedAt: z.string(),
  durationMs: z.number(),
  connections: z.object({
    requested: count,
    /** Connect: opened in this phase. Later phases: alive at the phase's start. */
    opened: count,
    failed: count,
    failedByReason: z.record(z.string(), count),
    /** Closed by the server or the network while the phase ran. */
    died: count,
  }),
  limit: limitSchema.nullable(),
  /** Connect only. */
  connect: z
    .object({
      connectionsPerSecond: z.number(),
      tcpUs: quantilesSchema,
      upgradeUs: quantilesSchema,
      joinUs: quantilesSchema,
    })
    .nullable(),
  /** `expected = delivered + lost`, always. Null for connect. */
  messages: z
    .object({
      planned: count,
      sent: count,
      /** Deliveries owed for what was sent. */
      expected: count,
      /** Distinct messages that arrived, damaged ones included. */
      delivered: count,
      lost: count,
      duplicated: count,
      reordered: count,
      /** Arrived, with other bytes than were sent; not in the throughput. */
      corrupted: count,
      /** Arrivals that are no ChaosChat message at all. */
      malformed: count,
      /** Intact arrivals at a connection they were not for. */
      misrouted: count,
      /** Arrivals of an earlier phase, already counted as lost there. */
      late: count,
      /** Of `lost`: owed to connections that closed. */
      lostOnClosed: count,
      /** The growth of `dropped` in the server's `/stats`; null where it didn't answer. */
      declaredDropped: count.nullable(),
      /** WebSocket messages that carried the deliveries. */
      frames: count,
      /** `planned = sent + unsent`: their connection was closed or took no more bytes, or the phase was ended before. */
      unsent: count,
    })
    .nullable(),
  throughput: z
    .object({
      deliveriesPerSecond: z.number(),
      sendsPerSecond: z.number(),
      /** From the first send to the last delivery. */
      spanMs: z.number(),
      /** From the first send to the last; null in results from before it was kept. */
      sendSpanMs: z.number().nullable().default(null),
    })
    .nullable(),
  /** Endurance: what was asked for and what was held. */
  rate: z
    .object({ offeredPerSecond: z.number(), heldPerSecond: z.number(), heldShare: z.number() })
    .nullable(),
  /** From the intended send time, which does not hide a stall (coordinated omission). */
  latencyUs: quantilesSchema.extend({ curve }).nullable(),
  /** From the actual send time, to be seen beside it. */
  uncorrectedLatencyUs: quantilesSchema.nullable(),
  /** Actual minus intended send time: the generator's own lateness. */
  sendLagUs: quantilesSchema.nullable(),
  /** Burst broadcast: over the broadcasts, when the first, the median and the last member had it. */
  receiversUs: z
    .object({ first: quantilesSchema, median: quantilesSchema, last: quantilesSchema })
    .nullable(),
  /** The longest time in which nothing at all arrived although something was owed. */
  longestSilenceMs: z.number().nullable(),
  server: z.object({
    /** User and system time of the whole process tree. */
    cpuMs: z.number().nullable(),
    /** Share of its processors' time that other processes took; null where it is not pinned, or that is unknown. */
    othersCpuShare: z.number().nullable().default(null),
    /** Share of its processors' time in which nobody used them; null as above. */
    idleCpuShare: z.number().nullable().default(null),
    peakRssBytes: count.nullable(),
    rssBytesPerConnection: z.number().nullable(),
    cpuUsPerDelivery: z.number().nullable(),
    /** Kernel memory of all TCP sockets of the machine, both ends, which RSS does not show. */
    kernelSocketBytes: count.nullable(),
    openDescriptors: count.nullable(),
    descriptorLimit: count.nullable(),
    processes: count.nullable(),
  }),
  /** Null for a phase that was not run. */
  generator: z
    .object({
      cpuMs: z.number(),
      peakRssBytes: count,
      /** Share of its processors' time. */
      cpuShare: z.number(),
      /** Share of its processors' time that other processes took; null where that is unknown. */
      othersCpuShare: z.number().nullable().default(null),
      /** Share of its processors' time in which nobody used them; null where that is unknown. */
      idleCpuShare: z.number().nullable().default(null),
      /** What the workers could receive of this workload, by their processor time per delivery against a null server. */
      ceilingPerSecond: z.number().nullable(),
      /** Ceiling by throughput: 1 is the ceiling. */
      headroom: z.number().nullable(),
      eventLoopDelayUs: quantilesSchema,
    })
    .nullable(),
  /** Capacity only. All other figures of the phase are then those of the rate held, its findings those of all steps. */
  capacity: capacitySchema.nullable().default(null),
  /** Chaos only: one entry per fault, in order. */
  chaos: z
    .object({ workload: z.enum(["broadcast", "rooms"]), faults: z.array(faultSchema) })
    .nullable()
    .default(null),
  findings: z.array(findingSchema),
  timeline: z.array(bucketSchema),
});

export const roundSchema = z.object({
  contender: z.string(),
  variant: z.string(),
  /** 1-based. */
  round: z.int().positive(),
  /** 1-based place in the order in which everything ran. */
  position: z.int().positive(),
  status: z.enum(["ok", "aborted", "failed"]),
  reason: z.string().nullable(),
  readyMs: z.number().nullable(),
  /** RSS of the idle server, before any connection. */
  idleRssBytes: count.nullable(),
  /** How it ended on SIGTERM; null when it had ended before. */
  shutdown: z.object({ graceful: z.boolean(), exitMs: z.number() }).nullable(),
  phases: z.array(phaseSchema),
  /** The end of what the server printed, when something went wrong. */
  output: z.string().nullable(),
});

export const contenderSchema = z.object({
  name: z.string(),
  variant: z.string(),
  title: z.string(),
  language: z.string(),
  library: z.string(),
  approach: z.enum(["raw", "idiomatic", "tuned", "framework"]),
  routing: z.enum(["prefix", "parse"]),
  framing: z.enum(["single", "newline"]),
  slowConsumer: z.enum(["block", "drop-message", "drop-connection"]),
  env: z.record(z.string(), z.string()),
  start: z.array(z.string()),
  /** SHA-256 over the sources. */
  sourceDigest: z.string(),
  /** First line of what each toolchain says of its version. */
  toolchains: z.record(z.string(), z.string()),
  deployment: z.object({ singleBinary: z.boolean(), note: z.string().optional() }).nullable(),
  /** What the conformance suite said; null where it was not asked. */
  verified: z
    .object({
      competes: z.boolean(),
      failed: z.array(
        z.object({
          id: z.string(),
          rule: z.string(),
          reference: z.string(),
          grade: z.enum(["required", "strict"]),
        }),
      ),
      reason: z.string().nullable(),
    })
    .nullable(),
  /** Null when it took part; otherwise why not, such as `toolchain missing: go`. */
  notRun: z.string().nullable(),
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

export const calibrationSchema = z.object({
  at: z.string(),
  preset: z.string(),
  contender: z.string(),
  rounds: z.int().positive(),
  /** The smallest difference that nine of ten such runs would find, as a share; null where it can't be told. */
  resolvableShare: z.number().nullable(),
  /** What had to come out: nothing between two of the same, and the handicap. */
  holds: z.object({ noFalseDifference: z.boolean(), differenceFound: z.boolean() }),
});

export const resultSchema = z.object({
  schema: z.literal(schemaVersion),
  id: z.string(),
  startedAt: z.string(),
  finishedAt: z.string().nullable(),
  /** `running` until it ends: a file found in that state belongs to a run that was cut off. */
  status: z.enum(["running", "finished", "aborted"]),
  command: z.array(z.string()),
  plan: z.custom<import("../plan/plan.ts").Plan>((value) => typeof value === "object" && value !== null),
  environment: environmentSchema,
  /** The generator's own; null where they were not measured. */
  ceilings: z.object({ echoPerSecond: z.number(), broadcastPerSecond: z.number() }).nullable(),
  contenders: z.array(contenderSchema),
  rounds: z.array(roundSchema),
  warnings: z.array(z.object({ kind: z.string(), text: z.string() })),
  /** What the last `showdown calibrate` on this machine said; null where there was none. */
  calibration: calibrationSchema.nullable().default(null),
});

export type Result = z.infer<typeof resultSchema>;
export type Round = z.infer<typeof roundSchema>;
export type Phase = z.infer<typeof phaseSchema>;
export type FaultReport = z.infer<typeof faultSchema>;
export type Capacity = z.infer<typeof capacitySchema>;
export type Finding = z.infer<typeof findingSchema>;
export type Limit = z.infer<typeof limitSchema>;
export type Quantiles = z.infer<typeof quantilesSchema>;
export type TimelineBucket = z.infer<typeof bucketSchema>;
export type ContenderFacts = z.infer<typeof contenderSchema>;
export type Verification = NonNullable<ContenderFacts["verified"]>;
export type KeptCalibration = z.infer<typeof calibrationSchema>;
export type Environment = z.infer<typeof environmentSchema>;
