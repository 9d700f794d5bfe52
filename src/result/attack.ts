import { z } from "zod";
import { attackPlanSchema } from "../plan/attack/plan.ts";
import { readBuckets } from "../stats/bucket-text.ts";
import { bucketCount } from "../stats/histogram.ts";
import { generatorSchema, quantilesSchema, timelineSchema } from "./phase.ts";
import { failuresSchema, reasonSchema, warningSchema } from "./reasons.ts";
import { scenarioSchema } from "./scenario.ts";
import { environmentSchema, machineSchema, schemaVersion } from "./schema.ts";

const count = z.int().nonnegative();
const us = z.number().nonnegative();

const ownReasonSchema = z.discriminatedUnion("kind", [
  ...reasonSchema.options,
  /** A condition of `--abort-on` came true; `value` is in the unit of its measure. */
  z.object({
    kind: z.literal("abort-on"),
    expression: z.string(),
    measure: z.string(),
    value: z.number(),
    afterMs: z.number(),
  }),
  /** Of a scenario: all iterations that ended threw. */
  z.object({ kind: z.literal("no-iteration-finished") }),
]);

/**
 * Only figures of `ok` are those of the attack. `partial`: parts of it are missing, and the figures are those of the
 * others, which are sound. `invalid`: the generator may have been measured, or there is no part. `failed`: no connection
 * opened, or all were closed. `aborted`: by the user, or by `--abort-on`.
 */
export const attackStatusSchema = z.enum(["ok", "partial", "invalid", "failed", "aborted"]);

/** Why an attack did not end as `ok`. */
export const attackReasonSchema = z.discriminatedUnion("kind", [
  ...ownReasonSchema.options,
  /** Of several machines' parts: the gravest of those that are not `ok`. */
  z.object({
    kind: z.literal("part"),
    part: z.string(),
    status: attackStatusSchema,
    reason: ownReasonSchema,
  }),
  /** Of so many shares of one attack, these are not there; the first is 0. */
  z.object({ kind: z.literal("parts-missing"), missing: z.array(count), of: z.int().positive() }),
]);
export type AttackReason = z.infer<typeof attackReasonSchema>;

/** How those attacked together who are the attack's parts. */
export const fleetSchema = z.object({
  /** Of this attack only: what an agent says of another one is not taken for it. */
  epoch: z.string(),
  /** Without secrets. */
  bus: z.string(),
  /** The common start; null before it. */
  start: z
    .object({
      /** From its announcement. */
      leadMs: z.number().nonnegative(),
      /** How far apart agents began, by their clocks as they were estimated over the bus … */
      skewUs: us,
      /** … and how far that may be off: half the quickest round trips of the two that are off most. */
      errorUs: us,
    })
    .nullable(),
});
export type FleetFacts = z.infer<typeof fleetSchema>;

/** What one machine did of an attack that several did together: share `index`, from 0, of `of`. */
const shareSchema = z.object({ index: count, of: z.int().positive() });

/** All values, to their buckets; `buckets` as `src/stats/bucket-text.ts` writes them. */
const histogramSchema = z
  .object({
    count,
    min: count,
    max: z.number().nonnegative(),
    sum: z.number().nonnegative(),
    buckets: z.string(),
  })
  .refine(({ buckets, count: all }) => countIn(buckets) === all, {
    error: "expected buckets of as many values as its count",
  });

function countIn(buckets: string): number | null {
  const pairs = readBuckets(buckets, bucketCount);
  return pairs === null ? null : pairs.reduce((all, value, at) => (at % 2 === 1 ? all + value : all), 0);
}

/**
 * What the figures of an attack are made of, and do not tell: with it, those of several machines are added up exactly.
 * Moments are in microseconds.
 */
const totalsSchema = z.object({
  /** As counted by each generator process; `messages` mends what one can't know of another. */
  planned: count,
  expected: count,
  lostOnClosed: count,
  deliveries: z.object({ expected: count, arrived: count }),
  /** Since the attack's beginning. */
  firstAttemptUs: z.number().nullable(),
  lastOpenedUs: z.number().nullable(),
  /** Since the load's. */
  lastSendUs: z.number().nullable(),
  lastAnswerUs: z.number().nullable(),
  /** Whether all was sent that was planned, or could not be. */
  finishedSending: z.boolean(),
  /** CPU time that the generator used, and had; null where it never came to a load. */
  cpu: z.object({ usedUs: count, hadUs: count }).nullable(),
  histograms: z.object({
    latency: histogramSchema,
    uncorrectedLatency: histogramSchema,
    sendLag: histogramSchema,
    tcp: histogramSchema,
    tls: histogramSchema,
    upgrade: histogramSchema,
    join: histogramSchema,
    eventLoopDelay: histogramSchema,
  }),
  /** Latencies of each bucket of `timeline`, to 1/64. */
  timeline: z.array(z.string()),
});

/** An attack on one server that runs already, and what came of it: facts only. */
const attackSchema = z.object({
  schema: z.literal(schemaVersion),
  id: z.string(),
  startedAt: z.string(),
  /** Tells it from the result of a run. */
  kind: z.literal("attack"),
  finishedAt: z.string().nullable(),
  /** `running` until it ends: a file found in that state belongs to an attack that was cut off. */
  progress: z.enum(["running", "ended"]),
  /** As typed; values of headers, cookies and secrets in the URL are left out. */
  command: z.array(z.string()),
  plan: attackPlanSchema,
  environment: environmentSchema,
  warnings: z.array(warningSchema),
  status: attackStatusSchema,
  /** Null exactly where the status is `ok`. */
  reason: attackReasonSchema.nullable(),
  connections: z.object({
    /** Of stages all openings: one that was closed on the way down is opened again on the next way up. */
    requested: count,
    opened: count,
    failed: count,
    /** Of those that never opened. */
    failures: failuresSchema,
    notAttempted: count,
    /** Opened, and closed by the server or the network before the end. */
    died: count,
    deaths: failuresSchema,
    /** Open ones that the stages of the load closed. */
    released: count,
    reconnected: count,
    reconnectFailures: failuresSchema,
    openAtEnd: count,
    /** From the first attempt to the last that opened; null where fewer than two opened. */
    perSecond: z.number().nullable(),
    tcpUs: quantilesSchema,
    /** The TLS handshake; null for `ws://`. */
    tlsUs: quantilesSchema.nullable(),
    upgradeUs: quantilesSchema,
    /** What an adapter says before it may publish. */
    joinUs: quantilesSchema,
  }),
  /** Those that began, in order: they add up to the whole. Null where all connections were opened before the load. */
  connectionStages: z
    .array(
      z.object({
        seconds: z.number().positive(),
        from: count,
        to: count,
        opened: count,
        failed: count,
        died: count,
        released: count,
        /** At its end, of those that messages may be sent on. */
        open: count,
        sent: count,
        answered: count,
        /** Of the seconds that begin in it, by what came; the last has those after it, too. */
        latencyUs: quantilesSchema,
      }),
    )
    .nullable(),
  /** The first answer to an upgrade of each status other than 101. */
  refusals: z.array(z.object({ status: z.int(), location: z.string().nullable(), body: z.string() })),
  /** What an adapter's server refused, by reason. */
  rejections: z.array(z.object({ reason: z.string(), count })),
  /** `expected = answered + lost` and `planned = sent + unsent`, always. */
  messages: z.object({
    planned: count,
    sent: count,
    /** No connection was open, or the server had not read for too long, or the load was ended before. */
    unsent: count,
    /** Replies and deliveries owed for what was sent. */
    expected: count,
    answered: count,
    lost: count,
    /** Of `lost`: owed on connections that closed. */
    lostOnClosed: count,
    duplicated: count,
    /** Of `answered`: after the answer to a later message of the same sender. */
    reordered: count,
    /** Messages of the server that answer nothing. */
    unmatched: count,
    /** All messages of the server. */
    received: count,
    /** Of payload. */
    bytesSent: count,
    bytesReceived: count,
    /** Of `expected` and `answered`, where an adapter's messages are both replied to and handed on; else null. */
    deliveries: z.object({ expected: count, arrived: count }).nullable(),
  }),
  /** Of `unmatched`: what an adapter told of, and nobody waited for. */
  strays: z.array(
    z.object({
      rule: z.enum(["reply-to-nothing", "delivery-without-stamp", "delivery-of-another-room"]),
      count,
    }),
  ),
  /** Null where permessage-deflate was not asked for. */
  compression: z
    .object({
      /** Connections that opened and whose server agreed to it. Only their bytes are counted, from the load's start. */
      agreed: count,
      /** Those whose server did not: their messages are plain. */
      declined: count,
      sentPayloadBytes: count,
      /** Frames with their headers, control frames too. */
      sentWireBytes: count,
      receivedPayloadBytes: count,
      receivedWireBytes: count,
    })
    .nullable(),
  /** The first messages that answered nothing; `text` is in hexadecimal where it was binary. */
  samples: z.array(
    z.object({ isText: z.boolean(), text: z.string(), bytes: count, awaited: z.string().nullable() }),
  ),
  /** Null where nothing was sent. */
  rate: z
    .object({
      /** Over the whole load; null in a closed loop. */
      askedPerSecond: z.number().nullable(),
      sentPerSecond: z.number(),
      answeredPerSecond: z.number(),
      /** From the load's start to the last send, or its planned end. */
      sendSpanMs: z.number(),
      /** To the last answer. */
      spanMs: z.number(),
    })
    .nullable(),
  /** From the intended send time, which does not hide a stall (coordinated omission). */
  latencyUs: quantilesSchema.extend({ curve: z.array(z.tuple([z.number(), z.number().nonnegative()])) }),
  /** From the actual send time, to be seen beside it. */
  uncorrectedLatencyUs: quantilesSchema,
  /**
   * Of a fleet with rooms, from the intended send time at one agent to the arrival at another: in no other latency. Null
   * where no agent was owed what another one sent.
   */
  oneWay: z
    .object({
      /** What lies below the error is null. */
      latencyUs: quantilesSchema,
      /** How far apart the clocks of two agents may be after all that is known of them; null where nothing is. */
      clockErrorUs: us.nullable(),
    })
    .nullable()
    .default(null),
  /** Actual minus intended send time: the generator's own lateness. */
  sendLagUs: quantilesSchema,
  generator: generatorSchema.nullable(),
  timeline: timelineSchema,
  /** Null where messages were sent without one. */
  scenario: scenarioSchema.nullable(),
  /** Absent where no fleet attacked. */
  fleet: fleetSchema.exactOptional(),
  /** Null in the files of versions that did not keep it. */
  totals: totalsSchema.nullable().default(null),
  /** Null where it is a whole attack. */
  share: shareSchema.nullable().default(null),
});

/** What a part of an attack came to, as it does for the whole. */
const partFiguresSchema = attackSchema.pick({ sendLagUs: true, generator: true, rate: true }).extend({
  connections: attackSchema.shape.connections.pick({
    requested: true,
    opened: true,
    failed: true,
    died: true,
    openAtEnd: true,
  }),
  messages: attackSchema.shape.messages.pick({
    planned: true,
    sent: true,
    unsent: true,
    answered: true,
    lost: true,
    duplicated: true,
    unmatched: true,
  }),
  latencyUs: quantilesSchema,
});

/** What one machine did of an attack that several did: an agent of a fleet, or whoever made a result that was merged. */
export const attackPartSchema = z.object({
  /** Of the agent's process, or of the result. */
  id: z.string(),
  /** An agent's; null of a result. */
  name: z.string().nullable(),
  /** Null where it was a whole attack. */
  share: shareSchema.nullable(),
  machine: machineSchema,
  /** An agent's against the coordinator's; null where it was not asked, or could not be. */
  clock: z.object({ offsetUs: z.number(), errorUs: us, roundTripUs: us }).nullable(),
  /** `lost`: it is in no figure of the attack. Null while it is not known. */
  status: z.enum([...attackStatusSchema.options, "lost"]).nullable(),
  /** Null exactly where the status is null or `ok`. */
  reason: ownReasonSchema.nullable(),
  /** Null where it is lost, or not known yet. */
  figures: partFiguresSchema.nullable(),
});

export const attackResultSchema = attackSchema.extend({
  /** In the order of their shares; empty where one machine did it all. */
  parts: z.array(attackPartSchema).default([]),
});

export type AttackResult = z.infer<typeof attackResultSchema>;
export type AttackPart = z.infer<typeof attackPartSchema>;
export type StoredTotals = z.infer<typeof totalsSchema>;

/** What a reader calls it: `agent 2 (host-7/4711)`, `share 3/4`, or the id of a result. */
export function nameOfPart({ name, share, id }: Pick<AttackPart, "name" | "share" | "id">): string {
  if (share === null) return id;
  return name === null ? `share ${share.index + 1}/${share.of}` : nameAgent({ agent: share.index, name });
}

export function nameAgent({ agent, name }: { readonly agent: number; readonly name: string }): string {
  return `agent ${agent} (${name})`;
}
