import { z } from "zod";
import { faultNames } from "../plan/faults.ts";

/**
 * Why something is as it is, as data: a kind and its numbers. Every sentence about it is made by a view. Strings that a
 * server or a manifest said stand here as they came; views make their control characters visible.
 */

const count = z.int().nonnegative();
const us = z.number().nonnegative();
const share = z.number().nonnegative();
/** Which agent of a fleet: its place from 0, and its name. */
const whichAgent = { agent: count, name: z.string() };

/** How a process ended: one of the two is known. */
export const exitSchema = z.object({ code: z.int().nullable(), signal: z.string().nullable() });

/** Why one connection did not open, or did not stay open. */
export const connectionFailureSchema = z.discriminatedUnion("kind", [
  /** A system call failed; `code` is the errno's name, `address` what was bound or connected to. */
  z.object({ kind: z.literal("system"), code: z.string(), address: z.string().nullable() }),
  /** The generator had no descriptor left. */
  z.object({ kind: z.literal("generator-descriptors") }),
  /** Not open in time; `stage` is what was waited for. */
  z.object({ kind: z.literal("timeout"), stage: z.enum(["tcp", "tls", "upgrade", "join"]) }),
  /** TLS did not come about, or broke off; `reason` is how the TLS library calls it. */
  z.object({
    kind: z.literal("tls"),
    problem: z.enum([
      "expired",
      "not-yet-valid",
      "wrong-host",
      "self-signed",
      "unknown-issuer",
      /** The certificate is wrong in another way. */
      "untrusted",
      /** The server speaks none from TLS 1.2 on. */
      "version",
      "not-tls",
      "client-certificate-missing",
      "client-certificate-refused",
      /** The server has ended the connection in the handshake. */
      "closed",
      /** An alert of another kind. */
      "refused",
      "failed",
    ]),
    reason: z.string(),
  }),
  /** The upgrade was answered with another status. */
  z.object({ kind: z.literal("http"), status: z.int() }),
  /** The upgrade's answer, or a frame, broke RFC 6455; `rule` is a short name of what. */
  z.object({ kind: z.literal("protocol"), rule: z.string() }),
  /** A close frame; 1005 stands for one without a code. `reason` is the server's text. */
  z.object({ kind: z.literal("close"), code: z.int(), reason: z.string() }),
  /** TCP ended without a close frame. */
  z.object({ kind: z.literal("reset") }),
  z.object({ kind: z.literal("ended") }),
  /** Never tried, since a limit was reached before. */
  z.object({ kind: z.literal("not-attempted") }),
  /** What was beyond the number of reasons that are kept apart; `distinct` of them. */
  z.object({ kind: z.literal("other"), distinct: count }),
]);

/** Most frequent first; at most 12 entries, the last of which may be `other`. */
export const failuresSchema = z.array(z.object({ failure: connectionFailureSchema, count }));

/** A named resource that ran out while connections were opened. The value is in the unit of its name. */
export const limitSchema = z.discriminatedUnion("kind", [
  z.object({ kind: z.literal("generator-descriptors"), perProcess: count.nullable(), workers: count }),
  z.object({ kind: z.literal("server-descriptors"), perProcess: count, inUse: count }),
  z.object({ kind: z.literal("port-range"), ports: count.nullable(), sourceAddresses: count }),
  z.object({ kind: z.literal("memory"), freeShare: share }),
  z.object({ kind: z.literal("refused"), failure: connectionFailureSchema }),
  z.object({ kind: z.literal("accept-queue"), length: count.nullable(), overflows: count }),
  z.object({ kind: z.literal("unresponsive"), failure: connectionFailureSchema.nullable() }),
]);

/** Why a phase is invalid: something else than the server may have been measured (src/trust). */
const invalidReasons = [
  z.object({ kind: z.literal("generator-late"), sendLagP99Us: us, allowedUs: us }),
  z.object({ kind: z.literal("generator-contention"), otherCpuShare: share }),
  z.object({ kind: z.literal("generator-paused"), pauseMs: z.number(), spanMs: z.number() }),
  /** The server's share is null where nobody knows it: in an attack. */
  z.object({
    kind: z.literal("generator-bottleneck"),
    generatorCpuShare: share,
    serverCpuShare: share.nullable(),
  }),
  z.object({ kind: z.literal("server-contention"), otherCpuShare: share }),
  /** A generator process ended on its own; `SIGKILL` is most often the kernel short of memory. */
  z.object({ kind: z.literal("worker-exited"), worker: count, exit: exitSchema }),
  z.object({ kind: z.literal("worker-fault"), worker: count, message: z.string() }),
  /**
   * Nothing was heard of an agent for so long: it was killed, frozen or cut off. What it measured is in no figure, even
   * where it came back.
   */
  z.object({ kind: z.literal("agent-lost"), ...whichAgent, silentMs: z.number(), cameBack: z.boolean() }),
  /** An agent can't have done its part: `problem` is what it said. */
  z.object({ kind: z.literal("agent-failed"), ...whichAgent, problem: z.string() }),
  /** The bus was away for so long. */
  z.object({ kind: z.literal("bus-lost"), silentMs: z.number() }),
] as const;

const endReasons = [
  z.object({ kind: z.literal("server-exited"), exit: exitSchema, connections: count.nullable() }),
  z.object({ kind: z.literal("server-hung"), quietMs: z.number(), missing: count }),
  z.object({ kind: z.literal("server-not-ready"), problem: z.string() }),
  z.object({ kind: z.literal("server-not-restarted"), problem: z.string() }),
  z.object({ kind: z.literal("server-busy"), afterMs: z.number() }),
  z.object({ kind: z.literal("no-connection-opened"), failure: connectionFailureSchema.nullable() }),
  z.object({ kind: z.literal("all-connections-closed") }),
  z.object({ kind: z.literal("too-many-errors"), errors: count, allowed: count }),
  z.object({ kind: z.literal("stopped-by-user") }),
] as const;

/** Why the part of an agent of a fleet did not end as `ok`. */
export const agentReasonSchema = z.discriminatedUnion("kind", [...invalidReasons, ...endReasons]);

/** The part of an agent of a fleet did not end well. */
const agentPart = z.object({ kind: z.literal("agent-part"), ...whichAgent, reason: agentReasonSchema });

/** Why a phase or a round did not end as `ok`. */
export const reasonSchema = z.discriminatedUnion("kind", [
  ...invalidReasons,
  ...endReasons,
  agentPart,
  /** Capacity: of no rate that was offered could be told whether the server sustains it. */
  z.object({ kind: z.literal("no-valid-step") }),
  /** Not run: a phase before it in the same round failed; `phase` is its place in the plan, from 0. */
  z.object({ kind: z.literal("earlier-phase"), phase: count }),
  /** Not run: it would end the server, and only who started it can start it again. */
  z.object({ kind: z.literal("not-our-process") }),
]);

/** Why a rate of a capacity search was not sustained, or can't be told to be. */
export const stepReasonSchema = z.discriminatedUnion("kind", [
  ...invalidReasons,
  ...endReasons,
  agentPart,
  z.object({ kind: z.literal("nothing-sent") }),
  z.object({ kind: z.literal("closed"), connections: count }),
  z.object({ kind: z.literal("unsent"), messages: count }),
  z.object({ kind: z.literal("lost"), deliveries: count, expected: count }),
  z.object({ kind: z.literal("corrupted"), deliveries: count }),
  z.object({ kind: z.literal("backlog"), arrivedShare: share }),
  z.object({ kind: z.literal("latency"), quantile: z.enum(["p99", "max"]), latencyUs: us }),
]);

const counted = z.enum([
  /** Deliveries that never came and that the server did not count in `/stats` as dropped. */
  "lost",
  "dropped",
  "overdeclared",
  "duplicated",
  "reordered",
  "corrupted",
  /** Intact deliveries in binary frames; the contract says text. */
  "binary",
  "malformed",
  "misrouted",
  "late",
  "undeclared-batching",
  "unsent",
  "lost-before-fault",
]);

/** What a phase found against the contract. `count` is of deliveries, messages, frames or connections. */
export const findingSchema = z.discriminatedUnion("kind", [
  z.object({ kind: counted, count }),
  z.object({ kind: z.literal("closed"), count, failures: failuresSchema }),
  z.object({ kind: z.literal("error-replies"), count, first: z.string() }),
  z.object({ kind: z.literal("stall"), count, silenceMs: z.number() }),
  /** `/stats` gave no answer: nothing can be called declared. */
  z.object({ kind: z.literal("no-counters"), count }),
  /** A counter of `/stats` that may only grow went back. */
  z.object({
    kind: z.literal("counter-decreased"),
    count,
    counter: z.string(),
    from: z.number(),
    to: z.number(),
  }),
  z.object({ kind: z.literal("limit"), count, limit: limitSchema }),
]);

/** Why a contender takes no part. */
export const notRunSchema = z.discriminatedUnion("kind", [
  z.object({
    kind: z.literal("toolchain-missing"),
    tools: z.array(
      z.object({ tool: z.string(), minimum: z.string().nullable(), found: z.string().nullable() }),
    ),
  }),
  /** What its build downloads from did not answer. */
  z.object({ kind: z.literal("download-unreachable"), host: z.string() }),
  z.object({ kind: z.literal("build-failed"), problem: z.string() }),
  /** It is said to run already, and no handshake and echo succeeded. */
  z.object({ kind: z.literal("unreachable"), problem: z.string() }),
  z.object({
    kind: z.literal("breaks-contract"),
    checks: z.array(z.string()),
    problem: z.string().nullable(),
  }),
]);

/** What a reader should know of the run as a whole. */
export const warningSchema = z.discriminatedUnion("kind", [
  /** A check of this machine (src/machine/doctor): its id, and the values that its text is made of. */
  z.object({
    kind: z.literal("machine"),
    check: z.string(),
    state: z.enum(["tight", "insufficient"]),
    values: z.record(z.string(), z.union([z.string(), z.number(), z.null()])),
  }),
  /** Server and generator share CPUs, or a worker could not be pinned. */
  z.object({ kind: z.literal("not-pinned"), problem: z.string() }),
  /** Not all contenders could be alive together: each ran alone, as `--one-at-a-time` asks for. */
  z.object({
    kind: z.literal("one-at-a-time"),
    cause: z.discriminatedUnion("kind", [
      /** The plan has one port for all. */
      z.object({ kind: z.literal("port"), port: count }),
      z.object({ kind: z.literal("memory"), neededBytes: count, availableBytes: count }),
    ]),
  }),
  /** After so long its rate still rose by more than a few per cent. */
  z.object({
    kind: z.literal("not-warmed-up"),
    contender: z.string(),
    variant: z.string(),
    seconds: z.number(),
  }),
  /** An agent of its fleet was lost: the run ended before its time. */
  z.object({ kind: z.literal("fleet-lost"), reason: agentReasonSchema }),
  /** A command that an attack was to run afterwards ended otherwise than with 0. */
  z.object({ kind: z.literal("command-failed"), command: z.string(), exit: exitSchema }),
  z.object({ kind: z.literal("cache-read-only"), folder: z.string(), problem: z.string() }),
  /** The run was ended by an error of the tool or the system. */
  z.object({ kind: z.literal("ended-by-error"), message: z.string() }),
]);

export const faultSchema = z.enum(faultNames);

export type Exit = z.infer<typeof exitSchema>;
export type ConnectionFailure = z.infer<typeof connectionFailureSchema>;
export type Failures = z.infer<typeof failuresSchema>;
export type Limit = z.infer<typeof limitSchema>;
export type Reason = z.infer<typeof reasonSchema>;
export type StepReason = z.infer<typeof stepReasonSchema>;
export type Finding = z.infer<typeof findingSchema>;
export type NotRun = z.infer<typeof notRunSchema>;
export type Warning = z.infer<typeof warningSchema>;
/** Why something else than the server may have been measured. */
export type InvalidReason = z.infer<(typeof invalidReasons)[number]>;
