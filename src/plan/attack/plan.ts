import { z } from "zod";
import { ShowdownError } from "../../errors.ts";
import { printable } from "../../text/printable.ts";
import { hideSecretOptions } from "../../text/secrets.ts";
import type { Parameter } from "../parameters.ts";
import { type ConnectionStage, connectionStages, mostOpen } from "./connection-stages.ts";
import { type AttackParameters, type AttackSettings, attackParameters } from "./parameters.ts";
import { loadSeconds, type RateSegment, rateSegments, secondsOf } from "./rate.ts";
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

const {
  connections,
  connectRatePerSecond,
  connectBatch,
  message,
  binary,
  replyTimeoutMs,
  rooms,
  pingIntervalSeconds,
} = attackParameters;
const { compression, reconnect, connectTimeoutMs, pacing, seed } = attackParameters;

/** Everything that decides what an attack does. */
export const attackPlanSchema = z.object({
  target: attackTargetSchema,
  /** Of stages the most that are open at a time. */
  connections: schemaOf(connections),
  connectRatePerSecond: schemaOf(connectRatePerSecond).nullable().describe("null where stages say it"),
  connectBatch: z
    .int()
    .positive()
    .nullable()
    .default(null)
    .describe(`null for as many as the rate asks for: ${connectBatch.help}`),
  connectionStages: z
    .array(
      z.object({
        seconds: z.number().positive(),
        from: z.int().nonnegative(),
        to: z.int().nonnegative(),
      }),
    )
    .readonly()
    .nullable()
    .describe("null where all connections are opened before the load"),
  load: loadSchema,
  /** Empty with a scenario. */
  message: z.string().describe(message.help),
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
  scenario: z
    .string()
    .nullable()
    .describe("the module that each connection's user goes through, in place of messages; null without"),
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
  /** A file, relative to the current folder or absolute; absent or null: messages are sent. */
  readonly scenario?: string | null;
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

/** What in a plan one machine has to carry out, since what it comes to is not added up; null where there is nothing. */
export function nameUnshared({
  scenario,
  connectionStages,
}: Pick<AttackPlan, "scenario" | "connectionStages">): string | null {
  if (scenario !== null) return "a scenario";
  return connectionStages === null ? null : "--connection-stages";
}

/**
 * Freezes everything an attack does.
 *
 * @throws {ShowdownError} `usage` for one that can't be carried out, saying what would
 */
export function resolveAttack(request: AttackRequest): AttackPlan {
  const { settings, target, data, adapter, sourceAddresses, scenario = null } = request;
  const defaults = Object.fromEntries(
    Object.entries(attackParameters).map(([name, { default: value }]) => [name, value]),
  ) as AttackParameters;
  if (scenario !== null) refuseMessages(request);
  const isStamped = adapter !== null && adapter.answers.delivery !== "nobody";
  const stages = chooseConnectionStages(settings, isStamped ? adapter : null);
  const chosen = { ...defaults, ...settings, ...(stages === null ? {} : { connections: mostOpen(stages) }) };
  const lastsSeconds = stages === null ? null : secondsOf(stages);
  const load = chooseLoad(chosen, settings, { lastsSeconds, isScenario: scenario !== null });
  const usual = isStamped ? stampedMessage : chosen.message;
  const message = scenario === null ? (request.messageFile?.text ?? settings.message ?? usual) : "";
  const reply: AttackPlan["reply"] =
    scenario !== null ? { kind: "scenario" } : adapter === null ? chosen.reply : { kind: "adapter" };
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
  const { agents } = request;
  const unshared = nameUnshared({ scenario, connectionStages: stages });
  if (agents !== undefined && unshared !== null) {
    throw new ShowdownError("usage", `${unshared}: one machine carries it out, and several can't share it`, {
      hint: "leave --fleet and --share out",
    });
  }
  const machines = agents ?? 1;
  if (machines > chosen.connections) {
    throw refuse("connections", chosen.connections, `expected at least one for each of ${machines} agents`);
  }
  const workers =
    chosen.workers ?? machines * chooseWorkers(Math.ceil(chosen.connections / machines), load, request);
  if (workers < machines) {
    throw refuse("workers", workers, `expected at least one for each of ${machines} agents`);
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
    connectRatePerSecond: stages === null ? chosen.connectRatePerSecond : null,
    connectBatch: chosen.connectBatch,
    connectionStages: stages,
    load,
    message,
    messageEncoding: request.messageFile?.encoding ?? "utf8",
    binary: chosen.binary,
    reply,
    replyTimeoutMs: chosen.replyTimeoutMs,
    columns: data?.columns ?? [],
    adapter: adapter === null ? null : { name: adapter.name, options: adapter.options },
    scenario,
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

/** A scenario says itself what is sent, when and where: what others say of it would be of no effect. */
function refuseMessages({ settings, messageFile, adapter }: AttackRequest): void {
  const names = [
    "message",
    "binary",
    "reply",
    "inFlight",
    "rooms",
    "pingIntervalSeconds",
    "reconnect",
    "connectBatch",
    "connectionStages",
  ] as const;
  const given = names.flatMap((name) => {
    const value = settings[name] ?? null;
    return value === null || value === false ? [] : [`--${attackParameters[name].option}`];
  });
  if (messageFile !== null) given.push("--message-file");
  if (adapter !== null) given.push("--adapter");
  if (given.length === 0) return;
  throw new ShowdownError(
    "usage",
    `${given.join(", ")}: not with a scenario, which says itself what is sent`,
  );
}

function chooseConnectionStages(
  settings: AttackSettings,
  delivering: PlannedAdapter | null,
): ConnectionStage[] | null {
  const given = settings.connectionStages ?? null;
  if (given === null) return null;
  const option = `--${attackParameters.connectionStages.option}`;
  for (const name of ["connections", "connectRatePerSecond", "connectBatch", "durationSeconds"] as const) {
    if (settings[name] === undefined) continue;
    throw new ShowdownError(
      "usage",
      `--${attackParameters[name].option} and ${option}: expected one of them`,
      {
        hint: "stages say how many connections are open, how fast they open, and how long the load lasts",
      },
    );
  }
  if (given[0]?.value === 0) {
    const text = attackParameters.connectionStages.type.write(given);
    throw new ShowdownError("usage", `${option} ${text}: the first stage opens nothing`, {
      hint: "expected a number above 0 in it",
    });
  }
  if (delivering !== null) {
    throw new ShowdownError(
      "usage",
      `${option}: the adapter ${delivering.name} hands messages on, and who is there to get them would change`,
      { hint: "give --connections" },
    );
  }
  return connectionStages(given);
}

interface LoadTerms {
  /** Of connection stages; null where there are none. */
  readonly lastsSeconds: number | null;
  /** Without a rate each user begins again when it is through. */
  readonly isScenario: boolean;
}

function chooseLoad(
  chosen: AttackParameters,
  settings: AttackSettings,
  { lastsSeconds, isScenario }: LoadTerms,
): AttackLoad {
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
    const load = { kind: "open", segments: rateSegments(chosen.stages) } as const;
    if (lastsSeconds !== null && Math.abs(loadSeconds(load) - lastsSeconds) > 1e-6) {
      throw new ShowdownError(
        "usage",
        `--stages last ${loadSeconds(load)} s and --connection-stages ${lastsSeconds} s: expected the same`,
        { hint: "both begin and end with the load" },
      );
    }
    return load;
  }
  const seconds = lastsSeconds ?? chosen.durationSeconds;
  if (chosen.inFlight !== null) return { kind: "closed", inFlight: chosen.inFlight, seconds };
  if (isScenario && settings.ratePerSecond === undefined) return { kind: "closed", inFlight: 1, seconds };
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
  if (reply.kind === "none" && settings.inFlight != null) {
    throw new ShowdownError(
      "usage",
      `--in-flight ${settings.inFlight} and --reply none: expected a reply, after which the next message goes`,
      { hint: "give --rate where nothing is answered" },
    );
  }
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
