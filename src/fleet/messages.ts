import { z } from "zod";
import type { Target } from "../engine/target.ts";
import { readToolVersion } from "../machine/environment.ts";
import { placeSchema } from "../machine/place.ts";
import { attackPlanSchema } from "../plan/attack/plan.ts";
import { machineSchema } from "../result/schema.ts";

/**
 * Everything that is said over the bus. Each message has the program's version, the attack it is of and that attack's
 * epoch: whoever was left over from another one is told from those who belong here. Moments are microseconds on the
 * clock of the agent's machine.
 */
const version = readToolVersion();
const count = z.int().nonnegative();

const head = { version: z.literal(version), run: z.string(), epoch: z.string() };

/** As a worker tells of its connections, of an agent's. */
const connectSchema = z.object({
  attempted: count,
  opened: count,
  failed: count,
  failedInARow: count,
  died: count,
  reconnected: count,
});

const histogramSchema = z.object({
  count,
  min: z.number(),
  max: z.number(),
  sum: z.number(),
  buckets: z.array(z.number()),
});

/** How the load is at the moment. Sums since its start, so that a lost or doubled message does no harm. */
const liveSchema = z.object({
  sent: count,
  expected: count,
  delivered: count,
  errors: count,
  finishedSending: z.boolean(),
  lastArrivalUs: z.number(),
  /** Of the seconds that have ended. */
  ended: z.object({ seconds: count, sent: count, delivered: count, latency: histogramSchema }),
});

/** Made by the same version, and checked where it was made. */
const accessSchema = z.custom<Target>((value) => typeof value === "object" && value !== null);

const stateSchema = z.enum(["claimed", "opening", "ready", "loading", "done"]);

export const messageSchema = z.discriminatedUnion("kind", [
  /** To all: who is there? With `resume`, whoever has a result of this attack is to offer it again. */
  z.object({ ...head, kind: z.literal("call"), resume: z.boolean() }),
  z.object({
    ...head,
    kind: z.literal("offer"),
    /** Of the agent's process. */
    id: z.string(),
    name: z.string(),
    /** Where it runs: agents of one place share what the place has. */
    place: placeSchema,
    machine: machineSchema,
    descriptors: count.nullable(),
    /** The attack that it is in; null where it is free. */
    busyWith: z.string().nullable(),
  }),
  /** It belongs to this attack. It leaves by itself when it hears nothing more. */
  z.object({ ...head, kind: z.literal("claim") }),
  /** What time is it? */
  z.object({ ...head, kind: z.literal("clock") }),
  z.object({
    ...head,
    kind: z.literal("assign"),
    /** Its place among so many. */
    agent: count,
    agents: z.int().positive(),
    plan: attackPlanSchema,
    access: accessSchema,
    /** Of `--data`: index of the connection, and its row. */
    rows: z.array(z.tuple([count, z.array(z.string())])),
    awaitsOthers: z.boolean(),
  }),
  z.object({ ...head, kind: z.literal("start"), startUs: z.number(), members: z.array(count) }),
  z.object({ ...head, kind: z.literal("stop") }),
  /** Of a run: what its workers are told, in order (`run/work.ts`). Said again until it is answered, and done once. */
  z.object({
    ...head,
    kind: z.literal("work"),
    agent: count,
    agents: z.int().positive(),
    number: count,
    /** So long its coordinator waits for a bus that went away. */
    awayMs: z.number().positive(),
    data: z.string(),
  }),
  /** Of a run: it goes on, and so many bundles of reports are here; of each worker, so many seconds. */
  z.object({
    ...head,
    kind: z.literal("hold"),
    bundles: count,
    seconds: z.array(z.object({ pool: count, worker: count, taken: count })),
  }),
  /** Its result is in the coordinator's hands. */
  z.object({ ...head, kind: z.literal("acknowledge") }),
  /** To all of these. `problem` is null where it was done. */
  z.object({ ...head, kind: z.literal("answer"), problem: z.string().nullable(), clockUs: z.number() }),
  /** Each second, and whenever the state changes. */
  z.object({
    ...head,
    kind: z.literal("beat"),
    agent: count,
    id: z.string(),
    number: count,
    clockUs: z.number(),
    state: stateSchema,
    /** Ready connections of each room; null before they are opened. */
    members: z.array(count).nullable(),
    connect: connectSchema,
    live: liveSchema.nullable(),
    /** Why it can't do its part. */
    problem: z.string().nullable(),
  }),
  /** Of a run: how its workers' load is at the moment, and how many bundles of reports there are. */
  z.object({
    ...head,
    kind: z.literal("pulse"),
    agent: count,
    id: z.string(),
    number: count,
    bundles: count,
    data: z.string(),
    problem: z.string().nullable(),
  }),
  /** Of a run: a piece of a bundle of reports. */
  z.object({
    ...head,
    kind: z.literal("bundle"),
    agent: count,
    number: count,
    part: count,
    parts: z.int().positive(),
    data: z.string(),
  }),
  /** A piece of an agent's final result, see `final-result.ts`. */
  z.object({
    ...head,
    kind: z.literal("final"),
    agent: count,
    part: count,
    parts: z.int().positive(),
    data: z.string(),
  }),
]);

export type Message = z.output<typeof messageSchema>;
export type MessageOf<K extends Message["kind"]> = Extract<Message, { kind: K }>;
type WithoutHead<M> = M extends Message ? Omit<M, "version" | "run" | "epoch"> : never;
/** Without what every message has. */
export type Said = WithoutHead<Message>;

/** An attack, and which of its starts. */
export interface Start {
  readonly run: string;
  readonly epoch: string;
}

/** What came over the bus: a message, or one of another version, of which only this is known. */
export type Received =
  | { readonly kind: "message"; readonly message: Message }
  | {
      readonly kind: "foreign";
      readonly version: string;
      readonly said: string;
      readonly start: Start;
      readonly id: string;
      readonly name: string;
    };

const foreignSchema = z.object({
  version: z.string(),
  run: z.string(),
  epoch: z.string(),
  kind: z.string(),
  id: z.string().catch(""),
  name: z.string().catch(""),
});

export function say({ run, epoch }: Start, said: Said): Message {
  return { version, run, epoch, ...said } as Message;
}

export function writeMessage(message: Message): Uint8Array {
  return new TextEncoder().encode(JSON.stringify(message));
}

/** Null for what is no message at all: the bus may be used for other things. */
export function readMessage(data: Uint8Array): Received | null {
  let value: unknown;
  try {
    value = JSON.parse(new TextDecoder().decode(data));
  } catch {
    return null;
  }
  const read = messageSchema.safeParse(value);
  if (read.success) return { kind: "message", message: read.data };
  const foreign = foreignSchema.safeParse(value);
  if (!foreign.success || foreign.data.version === version) return null;
  const { run, epoch, kind: said, id, name } = foreign.data;
  return { kind: "foreign", version: foreign.data.version, said, start: { run, epoch }, id, name };
}

/** Where each thing is said. An epoch is of letters and digits, as is an agent's id. */
export const subjects = {
  call: "showdown.call",
  offers: ({ epoch }: Start) => `showdown.offer.${epoch}`,
  agent: (id: string) => `showdown.agent.${id}`,
  beat: ({ epoch }: Start, agent: number) => `showdown.beat.${epoch}.${agent}`,
  beats: ({ epoch }: Start) => `showdown.beat.${epoch}.*`,
  final: ({ epoch }: Start, agent: number, part: number) => `showdown.final.${epoch}.${agent}.${part}`,
  /** The stream of final results takes them, too. */
  bundle: ({ epoch }: Start, agent: number, number: number, part: number) =>
    `showdown.final.${epoch}.${agent}.${number}.${part}`,
};
