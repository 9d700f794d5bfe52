import { z } from "zod";
import {
  exitSchema,
  failuresSchema,
  faultSchema,
  findingSchema,
  limitSchema,
  reasonSchema,
  stepReasonSchema,
} from "./reasons.ts";

const count = z.int().nonnegative();
const us = z.number().nonnegative();
const share = z.number().nonnegative();

/**
 * Quantiles of a latency in microseconds, over all that was owed. Null: those beyond `count / owed`, and those that too
 * few samples support (fewer than 10 beyond).
 */
export const quantilesSchema = z.object({
  /** Values that came. */
  count,
  /** Values that should have come. What never came is infinitely late: a quantile beyond it is null. */
  owed: count,
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

/** Equal stretches of time from the phase's start; wider where a phase is long, so that their number is bounded. */
export const timelineSchema = z.object({
  bucketSeconds: z.int().positive(),
  buckets: z.array(
    z.object({
      sent: count,
      delivered: count,
      p50Us: us.nullable(),
      p99Us: us.nullable(),
      maxUs: us.nullable(),
      /** Of the server's process tree; null where no sample fell into this bucket. */
      serverCpuMs: z.number().nullable(),
      serverRssBytes: count.nullable(),
    }),
  ),
});

const serverSchema = z.object({
  /** User and system time of the whole process tree. */
  cpuMs: z.number().nullable(),
  /** The two parts of `cpuMs`, found by the kernel's clock tick; null where there is no telling. */
  cpuUserMs: z.number().nullable(),
  cpuSystemMs: z.number().nullable(),
  /** How often its threads gave up a CPU, since they waited or since others wanted it; null where unknown. */
  contextSwitches: z.object({ voluntary: count, involuntary: count }).nullable(),
  /** Share of its CPUs' time that other processes took; null where it has none to itself, or that is unknown. */
  otherCpuShare: share.nullable(),
  /** Share of its CPUs' time in which nobody used them; null as above. */
  idleCpuShare: share.nullable(),
  peakRssBytes: count.nullable(),
  cpuUsPerDelivery: z.number().nullable(),
  /** The garbage collector's share of `cpuMs`, as the runtime tells it; absent where it has none or does not tell. */
  collectorCpuShare: share.exactOptional(),
  /** Kernel memory of all TCP sockets of the machine, both ends, which RSS does not show. */
  kernelSocketBytes: count.nullable(),
  openDescriptors: count.nullable(),
  descriptorLimit: count.nullable(),
  processes: count.nullable(),
});

export const generatorSchema = z.object({
  cpuMs: z.number(),
  peakRssBytes: count,
  /** Shares of its CPUs' time: its own, other processes', nobody's; null where unknown. */
  cpuShare: share,
  otherCpuShare: share.nullable(),
  idleCpuShare: share.nullable(),
  /** What the workers could receive of this workload, by their CPU time per delivery against a null server. */
  ceilingPerSecond: z.number().nullable(),
  /** Ceiling by throughput: 1 is the ceiling. */
  headroom: z.number().nullable(),
  eventLoopDelayUs: quantilesSchema,
});

/** What an agent of a fleet did of a load. */
const agentPartSchema = z.object({
  /** Its place from 0. */
  agent: count,
  name: z.string(),
  sent: count,
  delivered: count,
  latencyUs: quantilesSchema,
  sendLagUs: quantilesSchema,
  generator: generatorSchema,
});

/** What every phase that ran has. */
const ran = {
  /** Only `ok` may be compared. `aborted`: too many errors, or the user stopped it. `failed`: the server's doing. */
  status: z.enum(["ok", "invalid", "failed", "aborted"]),
  /** Null exactly where the status is `ok`. */
  reason: reasonSchema.nullable(),
  startedAt: z.string(),
  durationMs: z.number(),
  server: serverSchema,
  generator: generatorSchema,
  findings: z.array(findingSchema),
  /** Other contenders' servers that were alive meanwhile, and what they used without any load; absent where none was. */
  neighbours: z
    .object({
      servers: z.int().positive(),
      /** Of all of them. */
      cpuMsPerSecond: z.number(),
      /** By their names, such as `go-gorilla:tuned`. */
      each: z.array(z.object({ contender: z.string(), cpuMsPerSecond: z.number() })).default([]),
    })
    .exactOptional(),
};

/** Connections that a message phase works with. */
const connectionsUsed = z.object({
  /** Alive at the phase's start. */
  open: count,
  /** Closed by the server or the network while the phase ran. */
  died: count,
  failures: failuresSchema,
});

/** `expected = delivered + lost` and `planned = sent + unsent`, always. */
export const messagesSchema = z.object({
  planned: count,
  sent: count,
  /** Their connection was closed or took no more bytes, or the phase was ended before. */
  unsent: count,
  /** Deliveries owed for what was sent. */
  expected: count,
  /** Distinct intact messages that arrived as text at whom they were for. */
  delivered: count,
  /** Owed deliveries that did not come as `delivered`. */
  lost: count,
  /** Of `lost`: owed to connections that closed. */
  lostOnClosed: count,
  duplicated: count,
  reordered: count,
  /** Arrivals with other bytes than were sent. They never stand for a delivery. */
  corrupted: count,
  /** Intact arrivals in binary frames. They never stand for a delivery. */
  binary: count,
  /** Arrivals that are no ChaosChat message at all. */
  malformed: count,
  /** Intact arrivals of this phase at a connection they were not for. */
  misrouted: count,
  /** Intact arrivals of an earlier phase, by the phase number in their stamp. */
  late: count,
  /** The growth of `dropped` in the server's `/stats`; null where it didn't answer or went back. */
  declaredDropped: count.nullable(),
  /** WebSocket messages that carried the deliveries. */
  frames: count,
});

/** TCP segments with data that came to a sample of the connections, and what was delivered in them. */
const segmentsSchema = z.object({ connections: count, segments: count, deliveries: count });

/** What every phase of a load has. */
const load = {
  connections: connectionsUsed,
  messages: messagesSchema,
  /** Null where the status is not `ok`. */
  throughput: z
    .object({
      deliveriesPerSecond: z.number(),
      sendsPerSecond: z.number(),
      /** From the first send to the last delivery. */
      spanMs: z.number(),
      /** From the first send to the last. */
      sendSpanMs: z.number().nullable(),
    })
    .nullable(),
  /** From the intended send time, which does not hide a stall (coordinated omission). */
  latencyUs: quantilesSchema.extend({ curve }),
  /** From the actual send time, to be seen beside it. */
  uncorrectedLatencyUs: quantilesSchema,
  /** Actual minus intended send time: the generator's own lateness. */
  sendLagUs: quantilesSchema,
  /** Null where the system doesn't tell. */
  segments: segmentsSchema.nullable(),
  /** The longest time in which nothing at all arrived although something was owed. */
  longestSilenceMs: z.number().nullable(),
  timeline: timelineSchema,
  /** Of a fleet; absent where one machine made the load. */
  agents: z.array(agentPartSchema).exactOptional(),
  /**
   * Where deliveries went from one agent to another: how far the clocks of the two may be apart. No quantile below it is
   * told. Absent where every latency is by one clock.
   */
  clockErrorUs: us.exactOptional(),
};

/**
 * A part of a phase that contenders did in turns. `block` counts the turns of everyone from 0; `place` is the slice's
 * among those of its block. Every slice of a phase has the same work, whoever does it.
 */
export const sliceSchema = z.object({
  block: count,
  place: count,
  deliveriesPerSecond: z.number(),
  spanMs: z.number(),
  cpuUsPerDelivery: z.number().nullable(),
  p50Us: us.nullable(),
  p99Us: us.nullable(),
  delivered: count,
  expected: count,
});

/**
 * Of a phase that was measured in slices; absent where it was measured in one block. `messages` and `findings` are of
 * all slices, every other figure of those that are listed.
 */
const sliced = {
  slices: z.array(sliceSchema).exactOptional(),
  /** Slices left out, since something else than the server may have been measured in them. */
  invalidSlices: count.exactOptional(),
};

const workload = z.enum(["echo", "broadcast", "rooms"]);
const offered = z.object({
  offeredPerSecond: z.number(),
  sustainedPerSecond: z.number(),
  sustainedShare: z.number(),
});

/** What a connection adds to a memory, in bytes: the slope of that memory over the open connections while they open. */
const slopeSchema = z.discriminatedUnion("kind", [
  /** With its 95 % limits, each within a quarter of it. */
  z.object({
    kind: z.literal("resolved"),
    bytesPerConnection: z.number(),
    low: z.number(),
    high: z.number(),
  }),
  z.object({
    kind: z.literal("unresolved"),
    /** `wide`: the limits; `bent`: the first and the second half of the connections differ; `unknown`: no such figure here. */
    reason: z.enum(["wide", "bent", "too-few-points", "unknown"]),
    /** Limits as far as they are known. */
    low: z.number().nullable(),
    high: z.number().nullable(),
    /** Of `bent`: the slopes of the two halves. */
    halves: z.tuple([z.number(), z.number()]).exactOptional(),
  }),
]);

const memorySchema = z.object({
  /** Resident memory after the warm-up, before the first connection of the plan. */
  baselineRssBytes: count.nullable(),
  /** Of the server's process tree. */
  rss: slopeSchema,
  /** Of the whole machine's kernel: socket buffers and slabs, both ends of a loopback connection. */
  kernel: slopeSchema,
  /** Of all workers, before the first connection and with all of them; absent in results of older versions. */
  generator: z.object({ idleRssBytes: count, rssBytes: count }).exactOptional(),
});

/** Connections that were held, each proven alive by an echo before and after. Absent where none were. */
const holdSchema = z.object({
  /** Without any message. */
  seconds: z.number().positive(),
  /** By how much the machine's memory in use had grown since before the server and the workers began, the kernel's with it; null where unknown. */
  machineBytes: count.nullable(),
  /** Before the hold, and after it; the second is missing where the first did not come to its end. */
  sweeps: z.array(
    z.object({
      /** Connections at its start, each of which is asked for one echo. */
      open: count,
      sent: count,
      /** Echoes that came, each intact and on the connection that had asked for it: so many are proven alive. */
      answered: count,
      /** Since the sweep before, or the opening. */
      died: count,
      deaths: failuresSchema,
      spanMs: z.number(),
      latencyUs: quantilesSchema,
      serverCpuUsPerEcho: z.number().nullable(),
      generatorCpuUsPerEcho: z.number().nullable(),
    }),
  ),
});

export const connectPhaseSchema = z.object({
  kind: z.literal("connect"),
  workload: z.null(),
  ...ran,
  connections: z.object({
    requested: count,
    /** Upgraded and joined at some time in the phase. */
    opened: count,
    /** Of them, those still open at its end. */
    open: count,
    failed: count,
    /** Of those that never opened. */
    failures: failuresSchema,
    /** Opened, and closed by the server or the network before the phase's end: `opened - open`. */
    died: count,
    deaths: failuresSchema,
  }),
  limit: limitSchema.nullable(),
  connectionsPerSecond: z.number(),
  memory: memorySchema,
  tcpUs: quantilesSchema,
  /** The TLS handshake, after TCP; absent where no TLS is spoken. */
  tlsUs: quantilesSchema.exactOptional(),
  upgradeUs: quantilesSchema,
  joinUs: quantilesSchema,
  hold: holdSchema.exactOptional(),
});

export const burstPhaseSchema = z.object({
  kind: z.literal("burst"),
  workload,
  ...ran,
  ...load,
  ...sliced,
  /** Broadcast: over a sample of the broadcasts, when the first, the median and the last member had it. */
  receiversUs: z
    .object({ first: quantilesSchema, median: quantilesSchema, last: quantilesSchema })
    .nullable(),
});

/** An open loop at a rate that everybody should bear: what is asked is latency and CPU time per delivery. */
export const steadyPhaseSchema = z.object({
  kind: z.literal("steady"),
  workload,
  ...ran,
  ...load,
  ...sliced,
  /** Null where the status is not `ok`. */
  rate: offered.nullable(),
});

export const endurancePhaseSchema = z.object({
  kind: z.literal("endurance"),
  workload,
  ...ran,
  ...load,
  /** Null where the status is not `ok`. */
  rate: offered.nullable(),
  /** Major collections of the server's garbage collector meanwhile; absent where it has none or does not tell. */
  majorCollections: count.exactOptional(),
});

/** One rate of a capacity search, in deliveries per second. One that fails is offered again before it counts. */
export const capacityStepSchema = z.object({
  ratePerSecond: z.number(),
  /** Deliveries per second that arrived while the load lasted. */
  arrivedPerSecond: z.number(),
  p99Us: us.nullable(),
  /** `unknown`: not sustained, but by the generator's or other processes' doing. */
  outcome: z.enum(["sustained", "failed", "unknown"]),
  /** Null exactly where it was sustained. */
  reason: stepReasonSchema.nullable(),
});

/** All figures but `capacity` are those of the highest rate sustained, findings those of all steps. */
export const capacityPhaseSchema = z.object({
  kind: z.literal("capacity"),
  workload,
  ...ran,
  ...load,
  rate: offered.nullable(),
  capacity: z.object({
    /** The highest rate sustained, in deliveries per second; null when none was. */
    ratePerSecond: z.number().nullable(),
    /** Nothing shows that the server could not have sustained more. */
    isLowerBound: z.boolean(),
    p99LimitMs: z.number(),
    /** The rate per CPU of the server; null where it is not pinned. */
    perCpu: z.number().nullable(),
    /** Deliveries per second of the server's CPU time, at that rate. */
    perCpuSecond: z.number().nullable(),
    steps: z.array(capacityStepSchema),
    /** The step whose findings, of each kind, were the worst: its rate by kind. */
    findingRates: z.record(z.string(), z.number()),
  }),
});

/** One fault of a chaos phase, and what it did to the unaffected clients. */
export const faultReportSchema = z.object({
  fault: faultSchema,
  seconds: z.object({ before: count, under: count, after: count }),
  /** Faulty clients; with `garbage` the extra ones that send it, with `kill` none: it is the server that is killed. */
  faultyClients: count,
  /** All others, whose deliveries are audited. */
  unaffectedClients: count,
  /** Latencies of deliveries to unaffected clients before the fault, under it and after it. */
  before: quantilesSchema,
  under: quantilesSchema,
  after: quantilesSchema,
  /** Connections of unaffected clients that were lost; one may be lost again after it came back. */
  lostConnections: count,
  failures: failuresSchema,
  /** Deliveries to unaffected clients that the load asks for from the fault on, and in the 100 ms before. */
  planned: count,
  /** Of those, what never came. */
  lost: count,
  /** Of `lost`: could not be sent. */
  unsent: count,
  /** Of those from the fault on, what came later than `lateUs`, not counting the generator's own lateness. */
  late: count,
  /** Twice the p99 before, and at least 20 ms. */
  lateUs: us,
  /** The longest time without any delivery that an unaffected client saw, from the fault on and before it. */
  longestSilenceMs: z.number(),
  silenceBeforeMs: z.number(),
  /** Of the server's process tree: just before the fault, the most from then on, and at the end. */
  rssBeforeBytes: count.nullable(),
  rssPeakBytes: count.nullable(),
  rssAfterBytes: count.nullable(),
  /** Connections that had to come back, faulty ones too; those that did; the slowest one, from its first attempt on. */
  reconnect: z.object({
    wanted: count,
    opened: count,
    /** Are open again, and nothing came to them. */
    unserved: count,
    slowestMs: z.number().nullable(),
  }),
  /** What became of the faulty clients: lost to the server's doing, and what was delivered to them. */
  faulty: z.object({ lost: count, delivered: count }),
  /** Until deliveries were complete for good and in time for a second, and everyone was back. 0: never disturbed. Null: not before the end. */
  recoveredMs: z.number().nullable(),
  server: z.object({
    /** Null while it lived. */
    exit: exitSchema.nullable(),
    /** The end of what it printed before. */
    output: z.string().nullable(),
    /** By the harness, on the same port, to be able to go on. */
    restarted: z.boolean(),
    /** From its end until the new process answered. */
    downMs: z.number().nullable(),
  }),
});

export const chaosPhaseSchema = z.object({
  kind: z.literal("chaos"),
  workload: z.enum(["broadcast", "rooms"]),
  ...ran,
  connections: connectionsUsed,
  sendLagUs: quantilesSchema,
  faults: z.array(faultReportSchema),
  /** Faults of the plan that were left out; absent where all were injected, or the phase did not come to its end. */
  notInjected: z.array(z.object({ fault: faultSchema, reason: reasonSchema })).optional(),
});

/** A phase that the round did not come to: it has a reason and no figures. */
function notRun<K extends string, W extends z.ZodType>(kind: K, which: W) {
  return z.object({
    kind: z.literal(kind),
    workload: which,
    status: z.literal("not-run"),
    reason: reasonSchema,
  });
}

export const phaseSchema = z.discriminatedUnion("kind", [
  z.discriminatedUnion("status", [notRun("connect", z.null()), connectPhaseSchema]),
  z.discriminatedUnion("status", [notRun("burst", workload), burstPhaseSchema]),
  z.discriminatedUnion("status", [notRun("steady", workload), steadyPhaseSchema]),
  z.discriminatedUnion("status", [notRun("endurance", workload), endurancePhaseSchema]),
  z.discriminatedUnion("status", [notRun("capacity", workload), capacityPhaseSchema]),
  z.discriminatedUnion("status", [notRun("chaos", workload), chaosPhaseSchema]),
]);

/** How a phase that ran ended. */
export type Ending = Pick<z.infer<typeof connectPhaseSchema>, "status" | "reason">;
export type Quantiles = z.infer<typeof quantilesSchema>;
export type Timeline = z.infer<typeof timelineSchema>;
export type TimelineBucket = Timeline["buckets"][number];
export type ServerFigures = z.infer<typeof serverSchema>;
export type GeneratorFigures = z.infer<typeof generatorSchema>;
export type Segments = z.infer<typeof segmentsSchema>;
export type ConnectMemory = z.infer<typeof memorySchema>;
export type MemorySlope = z.infer<typeof slopeSchema>;
export type Messages = z.infer<typeof messagesSchema>;
export type ConnectPhase = z.infer<typeof connectPhaseSchema>;
export type BurstPhase = z.infer<typeof burstPhaseSchema>;
export type SteadyPhase = z.infer<typeof steadyPhaseSchema>;
export type Slice = z.infer<typeof sliceSchema>;
export type EndurancePhase = z.infer<typeof endurancePhaseSchema>;
export type CapacityPhase = z.infer<typeof capacityPhaseSchema>;
export type CapacityStep = z.infer<typeof capacityStepSchema>;
export type ChaosPhase = z.infer<typeof chaosPhaseSchema>;
export type FaultReport = z.infer<typeof faultReportSchema>;
export type Phase = z.infer<typeof phaseSchema>;
/** A phase with figures. */
export type RanPhase = Exclude<Phase, { status: "not-run" }>;
/** A phase that carried an audited load to all its connections. */
export type LoadPhase = BurstPhase | SteadyPhase | EndurancePhase | CapacityPhase;
