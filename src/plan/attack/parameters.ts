import type { z } from "zod";
import type { Parameter } from "../parameters.ts";
import { choice, count, decimal, duration, flag, text } from "../value-type.ts";
import { type ReplyPlan, reply } from "./reply.ts";
import { stages, time } from "./stages.ts";

export function parameter<T>(entry: Parameter<T, T>): Parameter<T, T> {
  return entry;
}

export function decidedElsewhere<T>(entry: Omit<Parameter<T, null>, "default">): Parameter<T, null> {
  return { ...entry, default: null };
}

export const mostConnections = 100_000_000;
const mostPerSecond = 100_000_000;

/** What decides an attack: the same kind of table as that of a run. Each is a field of the plan by the same name. */
export const attackParameters = {
  connections: parameter({
    option: "connections",
    help: "connections to open",
    type: count(1, mostConnections),
    default: 50,
  }),
  connectRatePerSecond: parameter({
    option: "connect-rate",
    help: "connections opened per second, before the load begins",
    type: decimal(0.01, 1_000_000),
    default: 1000,
  }),
  connectBatch: decidedElsewhere({
    option: "connect-batch",
    help: "at most so many are being opened at once: a rate that the server can't keep becomes its own",
    type: count(1, 1_000_000),
    otherwise: "as many as the rate asks for",
  }),
  connectionStages: decidedElsewhere({
    option: "connection-stages",
    help: "instead of --connections, --connect-rate and --duration: how many are open, in a straight line to each number; the load goes on those that are",
    type: stages(mostConnections, true),
    otherwise: "all are opened before the load",
  }),
  ratePerSecond: parameter({
    option: "rate",
    help: "messages per second over all connections, each at its time whatever became of others (open loop)",
    type: decimal(0.001, mostPerSecond),
    default: 1000,
  }),
  inFlight: decidedElsewhere({
    option: "in-flight",
    help: "instead of --rate: messages that each connection keeps unanswered (closed loop)",
    type: count(1, 10_000),
    otherwise: "open loop",
  }),
  durationSeconds: parameter({
    option: "duration",
    help: "how long messages are sent",
    type: time(),
    default: 10,
  }),
  stages: decidedElsewhere({
    option: "stages",
    help: "instead of --rate and --duration: rates to go to, in a straight line, one after another",
    type: stages(mostPerSecond),
    otherwise: "one rate",
  }),
  message: parameter({
    option: "message",
    help: "what is sent; {{connection}}, {{sequence}}, {{id}}, {{time}}, {{random:N}} and columns of --data are filled in",
    type: text("TEXT"),
    default: "hello {{sequence}} of {{connection}}",
  }),
  binary: parameter({
    option: "binary",
    help: "send binary messages, not text",
    type: flag(),
    default: false,
  }),
  reply: parameter<ReplyPlan>({
    option: "reply",
    help: "what answers a message: echo, json:/pointer, regex:PATTERN, order, none or ping",
    type: reply(),
    default: { kind: "echo" },
  }),
  replyTimeoutMs: parameter({
    option: "reply-timeout",
    help: "a reply is awaited for so long after the last message, and in a closed loop after each",
    type: duration(0.1, 600),
    default: 5000,
  }),
  rooms: parameter({
    option: "rooms",
    help: "rooms, topics or channels that an adapter shares the connections out to",
    type: count(1, mostConnections),
    default: 1,
  }),
  compression: parameter<"none" | "no-takeover" | "takeover">({
    option: "compression",
    help: "permessage-deflate: each message by itself, or with takeover of those before it, as browsers ask for",
    type: choice(["none", "no-takeover", "takeover"]),
    default: "none",
  }),
  pingIntervalSeconds: decidedElsewhere({
    option: "ping-interval",
    help: "a ping on each connection this often, beside the load",
    type: time(),
    otherwise: "none",
  }),
  reconnect: parameter({
    option: "reconnect",
    help: "open connections again that the server or the network has closed",
    type: flag(),
    default: false,
  }),
  connectTimeoutMs: parameter({
    option: "connect-timeout",
    help: "a connection must be open within this time",
    type: duration(0.1, 600),
    default: 10_000,
  }),
  workers: decidedElsewhere({
    option: "workers",
    help: "generator processes",
    type: count(1, 1024),
    otherwise: "by connections, rate and CPUs",
  }),
  pacing: parameter<"spin" | "timer" | "tick">({
    option: "pacing",
    help: "how sends are timed: timer sleeps until each, tick sends together what is due in a millisecond and needs the least CPU, spin busy-waits and needs a CPU per worker",
    type: choice(["spin", "timer", "tick"]),
    default: "timer",
  }),
  seed: parameter({
    option: "seed",
    help: "decides the order of senders, random text and masks",
    type: count(0, 4_294_967_295),
    default: 1,
  }),
};

export type AttackParameterName = keyof typeof attackParameters;
type ValueOf<Name extends AttackParameterName> = z.infer<(typeof attackParameters)[Name]["type"]["schema"]>;

/** All of them with their values; null where something else decides. */
export type AttackParameters = {
  readonly [Name in AttackParameterName]: ValueOf<Name> | (typeof attackParameters)[Name]["default"];
};
/** What options and the environment set. */
export type AttackSettings = Partial<AttackParameters>;
