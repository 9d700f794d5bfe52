import { z } from "zod";
import { ShowdownError } from "../../errors.ts";
import { printable } from "../../text/printable.ts";
import { hideSecretOptions } from "../../text/secrets.ts";
import type { Parameter } from "../parameters.ts";
import { type AttackParameters, type AttackSettings, attackParameters } from "./parameters.ts";
import { type RateSegment, rateSegments } from "./rate.ts";
import { replySchema, writeReply } from "./reply.ts";
import { isNumbered, parseTemplate } from "./template.ts";

/** Whom the load goes to. */
export const attackTargetSchema = z.object({
  /** As it was typed, with `…` for the values of secrets in its query. */
  url: z.string(),
  /** A name or an address, IPv6 without brackets. */
  host: z.string(),
  port: z.int().min(1).max(65_535),
  /** With its query, without secrets as well. */
  path: z.string(),
  /** The one that all connections go to. */
  address: z.string(),
  /** All that the name has. */
  addresses: z.array(z.string()).readonly(),
  /** Null for `ws://`. Neither certificates nor keys are kept. */
  tls: z
    .object({
      /** Whether the server's certificate has to be right. */
      verify: z.boolean(),
      /** What it has to be for; also sent (SNI) where it is a name. */
      serverName: z.string(),
      /** Whom the system trusts is not trusted: `--ca` says who is. */
      ownAuthority: z.boolean(),
      clientCertificate: z.boolean(),
    })
    .nullable(),
  subprotocols: z.array(z.string()).readonly(),
  /** Names only: values are secrets as often as not. */
  headers: z.array(z.string()).readonly(),
});

export const loadSchema = z.discriminatedUnion("kind", [
  /** Open loop: every message has its moment, whatever became of those before. */
  z.object({
    kind: z.literal("open"),
    segments: z
      .array(
        z.object({
          seconds: z.number().positive(),
          fromPerSecond: z.number().nonnegative(),
          toPerSecond: z.number().nonnegative(),
        }),
      )
      .readonly(),
  }),
  /** Closed loop: each connection keeps so many messages unanswered. */
  z.object({ kind: z.literal("closed"), inFlight: z.int().positive(), seconds: z.number().positive() }),
]);

const { connections, connectRatePerSecond, message, binary, replyTimeoutMs, rooms, pingIntervalSeconds } =
  attackParameters;
const { compression, reconnect, connectTimeoutMs, pacing, seed } = attackParameters;

/** Everything that decides what an attack does. */
export const attackPlanSchema = z.object({
  target: attackTargetSchema,
  connections: schemaOf(connections),
  connectRatePerSecond: schemaOf(connectRatePerSecond),
  load: loadSchema,
  message: schemaOf(message),
  /** Of `message`: each character is a byte where it is `latin1`, as of a file of bytes. */
  messageEncoding: z.enum(["utf8", "latin1"]),
  binary: schemaOf(binary),
  reply: replySchema,
  replyTimeoutMs: schemaOf(replyTimeoutMs),
  /** Columns of `--data`. */
  columns: z.array(z.string()).readonly(),
  adapter: z
    .object({ name: z.string(), options: z.record(z.string(), z.string()) })
    .nullable()
    .describe("null where messages go as they are"),
  rooms: schemaOf(rooms),
  compression: schemaOf(compression),
  pingIntervalSeconds: schemaOf(pingIntervalSeconds).nullable(),
  reconnect: schemaOf(reconnect),
  connectTimeoutMs: schemaOf(connectTimeoutMs),
  sourceAddresses: z.array(z.string()).readonly(),
  workers: z.int().positive(),
  pacing: schemaOf(pacing),
  seed: schemaOf(seed),
});

function schemaOf<T>({ type, help }: Parameter<T>): z.ZodType<T> {
  return type.schema.describe(help);
}

type DeepReadonly<T> = T extends object ? { readonly [Key in keyof T]: DeepReadonly<T[Key]> } : T;
export type AttackPlan = DeepReadonly<z.infer<typeof attackPlanSchema>>;
export type AttackTarget = AttackPlan["target"];
export type AttackLoad = AttackPlan["load"];

/** Rows of `--data`, the first for connection 0. */
export interface DataTable {
  /** As it was typed. */
  readonly file: string;
  readonly columns: readonly string[];
  readonly rows: readonly (readonly string[])[];
}

/** What is known of an adapter before the plan is made. */
export interface PlannedAdapter {
  readonly name: string;
  readonly options: Readonly<Record<string, string>>;
  readonly subprotocols: readonly string[];
  readonly answers: {
    readonly reply: boolean;
    readonly delivery: "nobody" | "sender" | "room" | "others-in-room";
  };
}

export interface AttackRequest {
  readonly target: AttackTarget;
  readonly settings: AttackSettings;
  /** Of `--message-file`, in place of `settings.message`. */
  readonly messageFile: { readonly text: string; readonly encoding: "utf8" | "latin1" } | null;
  readonly data: DataTable | null;
  readonly adapter: PlannedAdapter | null;
  readonly sourceAddresses: readonly string[];
  /** CPUs that this process may use; null where unknown. */
  readonly cpus: number | null;
  /** Descriptors one worker may have; null where unknown. */
  readonly descriptorLimit: number | null;
  /** Machines that attack together, each with so many CPUs and descriptors; one where absent. */
  readonly agents?: number;
}

/** Below this, another worker costs more than it brings. */
export const perSecondWorthAWorker = 50_000;
const connectionsWorthAWorker = 5000;
/** Descriptors a worker needs beyond its connections. */
export const workerDescriptors = 100;
/** Streams of a receiver and a sender each that one attack audits: 4 bytes each. */
const mostStreams = 50_000_000;
const stampedMessage = "{{stamp}}";

/**
 * Freezes everything an attack does.
 *
 * @throws {ShowdownError} `usage` for one that can't be carried out, saying what would
 */
export function resolveAttack(request: AttackRequest): AttackPlan {
  const { settings, target, data, adapter, sourceAddresses } = request;
  const defaults = Object.fromEntries(
    Object.entries(attackParameters).map(([name, { default: value }]) => [name, value]),
  ) as AttackParameters;
  const chosen = { ...defaults, ...settings };
  const load = chooseLoad(chosen, settings);
  const isStamped = adapter !== null && adapter.answers.delivery !== "nobody";
  const usual = isStamped ? stampedMessage : chosen.message;
  const message = request.messageFile?.text ?? settings.message ?? usual;
  const reply = adapter === null ? chosen.reply : ({ kind: "adapter" } as const);
  checkMessage(request, { message, reply, isStamped });
  if (data !== null && data.rows.length < chosen.connections) {
    throw new ShowdownError(
      "usage",
      `--data ${data.file}: ${data.rows.length} rows for ${chosen.connections} connections; expected a row for each`,
      { hint: `add rows, or give --connections ${Math.max(1, data.rows.length)}` },
    );
  }
  if (chosen.rooms > chosen.connections) {
    throw refuse("rooms", chosen.rooms, `expected at most one per connection (${chosen.connections})`);
  }
  if (isStamped && (chosen.connections * chosen.connections) / chosen.rooms > mostStreams) {
    throw refuse("rooms", chosen.rooms, `${chosen.connections} connections need more rooms to be audited`, {
      hint: `give at least --rooms ${Math.ceil((chosen.connections * chosen.connections) / mostStreams)}`,
    });
  }
  const { agents = 1 } = request;
  if (agents > chosen.connections) {
    throw refuse("connections", chosen.connections, `expected at least one for each of ${agents} agents`);
  }
  const workers =
    chosen.workers ?? agents * chooseWorkers(Math.ceil(chosen.connections / agents), load, request);
  if (workers < agents) {
    throw refuse("workers", workers, `expected at least one for each of ${agents} agents`);
  }
  if (workers > chosen.connections) {
    throw refuse("workers", workers, `expected at most one per connection (${chosen.connections})`);
  }
  const room = request.descriptorLimit === null ? null : request.descriptorLimit - workerDescriptors;
  if (room !== null && chosen.connections > workers * room) {
    const needed = Math.ceil(chosen.connections / Math.max(1, room));
    throw refuse(
      "workers",
      workers,
      `${chosen.connections} connections need at least ${needed} workers here`,
      {
        hint: `one process may have ${request.descriptorLimit} descriptors (ulimit -n)`,
      },
    );
  }
  return {
    target,
    connections: chosen.connections,
    connectRatePerSecond: chosen.connectRatePerSecond,
    load,
    message,
    messageEncoding: request.messageFile?.encoding ?? "utf8",
    binary: chosen.binary,
    reply,
    replyTimeoutMs: chosen.replyTimeoutMs,
    columns: data?.columns ?? [],
    adapter: adapter === null ? null : { name: adapter.name, options: adapter.options },
    rooms: chosen.rooms,
    compression: chosen.compression,
    pingIntervalSeconds: chosen.pingIntervalSeconds,
    reconnect: chosen.reconnect,
    connectTimeoutMs: chosen.connectTimeoutMs,
    sourceAddresses,
    workers,
    pacing: chosen.pacing,
    seed: chosen.seed,
  };
}

function chooseLoad(chosen: AttackParameters, settings: AttackSettings): AttackLoad {
  const given = (["stages", "inFlight", "ratePerSecond"] as const).filter(
    (name) => settings[name] !== undefined && settings[name] !== null,
  );
  if (given.length > 1) {
    const names = given.map((name) => `--${attackParameters[name].option}`);
    throw new ShowdownError("usage", `${names.join(" and ")}: expected one of them`, {
      hint: "a rate and stages are of an open loop, messages in flight of a closed one",
    });
  }
  if (chosen.stages !== null) {
    if (settings.durationSeconds !== undefined) {
      throw new ShowdownError("usage", "--duration and --stages: expected one of them", {
        hint: "stages say how long each of them lasts",
      });
    }
    return { kind: "open", segments: rateSegments(chosen.stages) };
  }
  const seconds = chosen.durationSeconds;
  if (chosen.inFlight !== null) return { kind: "closed", inFlight: chosen.inFlight, seconds };
  const { ratePerSecond } = chosen;
  return { kind: "open", segments: [{ seconds, fromPerSecond: ratePerSecond, toPerSecond: ratePerSecond }] };
}

function checkMessage(
  { data, adapter, settings }: AttackRequest,
  {
    message,
    reply,
    isStamped,
  }: { readonly message: string; readonly reply: AttackPlan["reply"]; readonly isStamped: boolean },
): void {
  const parts = parseTemplate(message, data?.columns ?? []);
  if (adapter !== null && settings.reply !== undefined) {
    throw new ShowdownError(
      "usage",
      `--reply ${writeReply(settings.reply)}: the adapter ${adapter.name} tells replies`,
      {
        hint: "leave one of the two out",
      },
    );
  }
  if (isStamped && !parts.some(({ kind }) => kind === "stamp")) {
    throw new ShowdownError(
      "usage",
      `the message has no {{stamp}}, by which deliveries of ${adapter?.name} are audited`,
      {
        hint: "put it anywhere into --message",
      },
    );
  }
  const needsNumber = reply.kind === "json" || (reply.kind === "regex" && hasGroup(reply.pattern));
  if (needsNumber && !isNumbered(parts)) {
    throw new ShowdownError(
      "usage",
      `--reply ${writeReply(reply)}: the message has neither {{sequence}} nor {{id}} that a reply could repeat`,
      { hint: `such as --message '{"id":{{sequence}}}', or give --reply order` },
    );
  }
}

/** Whether there is something in brackets to take. */
export function hasGroup(pattern: string): boolean {
  return (new RegExp(`${pattern}|`, "u").exec("")?.length ?? 1) > 1;
}

function chooseWorkers(
  count: number,
  load: AttackLoad,
  { cpus, descriptorLimit, agents = 1 }: Pick<AttackRequest, "cpus" | "descriptorLimit" | "agents">,
): number {
  const least =
    descriptorLimit === null ? 1 : Math.ceil(count / Math.max(1, descriptorLimit - workerDescriptors));
  const peak = load.kind === "closed" ? 0 : peakOf(load.segments);
  const worthwhile = Math.max(
    1,
    Math.ceil(peak / agents / perSecondWorthAWorker),
    Math.ceil(count / connectionsWorthAWorker),
  );
  // The target may be on this machine: it needs as much.
  return Math.max(least, Math.min(count, Math.max(1, Math.floor((cpus ?? 2) / 2)), worthwhile));
}

function peakOf(segments: readonly RateSegment[]): number {
  return Math.max(...segments.map(({ fromPerSecond, toPerSecond }) => Math.max(fromPerSecond, toPerSecond)));
}

/** The highest rate that is asked for, in messages per second; null in a closed loop, which has none. */
export function peakRate({ load }: Pick<AttackPlan, "load">): number | null {
  return load.kind === "open" ? peakOf(load.segments) : null;
}

function refuse(
  name: keyof AttackParameters,
  value: number,
  expected: string,
  details?: { readonly hint: string },
): ShowdownError {
  return new ShowdownError("usage", `--${attackParameters[name].option} ${value}: ${expected}`, details);
}

/** `NAME=VALUE` of `--adapter-option`. */
export function readAdapterOptions(given: readonly string[]): Record<string, string> {
  return Object.fromEntries(
    given.map((text) => {
      const at = text.indexOf("=");
      if (at > 0) return [text.slice(0, at), text.slice(at + 1)];
      throw new ShowdownError("usage", `--adapter-option ${printable(text)}: expected NAME=VALUE`);
    }),
  );
}

/** The plan as others may read it. */
export function withoutSecrets(plan: AttackPlan): AttackPlan {
  const { adapter } = plan;
  return adapter === null
    ? plan
    : { ...plan, adapter: { ...adapter, options: hideSecretOptions(adapter.options) } };
}
