import type { z } from "zod";
import { decidedElsewhere, mostConnections, parameter } from "../attack/parameters.ts";
import type { Parameter } from "../parameters.ts";
import { choice, count, decimal, flag } from "../value-type.ts";

const thisMachine = "as this machine";

/** What decides how many machines an attack needs, and of what size: the same kind of table as that of the attack. */
export const needsParameters = {
  connections: parameter({
    option: "connections",
    help: "connections of all agents together",
    type: count(1, mostConnections),
    default: 1_000_000,
  }),
  ratePerSecond: parameter({
    option: "rate",
    help: "messages per second of all agents together",
    type: decimal(0, 1_000_000_000),
    default: 1000,
  }),
  messageBytes: parameter({
    option: "message-bytes",
    help: "payload of a message, and of what the server sends for it",
    type: count(1, 16_777_216),
    default: 32,
  }),
  receivers: parameter({
    option: "receivers",
    help: "connections that the server hands each message to; 1 is an echo, a room has its members",
    type: count(0, 1_000_000_000),
    default: 1,
  }),
  connectRatePerSecond: parameter({
    option: "connect-rate",
    help: "connections opened per second by all agents together",
    type: decimal(0.01, 100_000_000),
    default: 1000,
  }),
  tls: parameter({
    option: "tls",
    help: "the server is at wss://",
    type: flag(),
    default: false,
  }),
  compression: parameter<"none" | "no-takeover" | "takeover">({
    option: "compression",
    help: "permessage-deflate, as the attack would ask for it; messages are counted as if it saved nothing",
    type: choice(["none", "no-takeover", "takeover"]),
    default: "none",
  }),
  agents: decidedElsewhere({
    option: "agents",
    help: "so many machines there are; whether they do is told",
    type: count(1, 1_000_000),
    otherwise: "as many as needed",
  }),
  agentCpus: decidedElsewhere({
    option: "agent-cpus",
    help: "CPUs of an agent's machine",
    type: count(1, 4096),
    otherwise: thisMachine,
  }),
  agentMemoryGb: decidedElsewhere({
    option: "agent-memory",
    help: "memory that an agent's machine has left, in GB",
    type: decimal(0.1, 100_000, "GB"),
    otherwise: thisMachine,
  }),
  agentDescriptors: decidedElsewhere({
    option: "agent-descriptors",
    help: "descriptors that one process of an agent may have (ulimit -n)",
    type: count(256, 1_000_000_000),
    otherwise: thisMachine,
  }),
  agentPorts: decidedElsewhere({
    option: "agent-ports",
    help: "local ports of each source address",
    type: count(1, 65_535),
    otherwise: thisMachine,
  }),
  agentAddresses: parameter({
    option: "agent-addresses",
    help: "source addresses of an agent's machine: each brings its local ports",
    type: count(1, 1_000_000),
    default: 1,
  }),
  agentMbit: decidedElsewhere({
    option: "agent-bandwidth",
    help: "bandwidth of an agent's machine each way, in Mbit/s",
    type: decimal(0.001, 10_000_000, "MBIT"),
    otherwise: "no limit",
  }),
  serverBytes: decidedElsewhere({
    option: "server-bytes",
    help: "memory of the server's processes per connection, as a run measured it (connect, memory per connection)",
    type: count(1, 1_000_000_000),
    otherwise: "from the leanest to the heaviest contender",
  }),
};

type Name = keyof typeof needsParameters;
type ValueOf<One extends Name> = z.infer<(typeof needsParameters)[One]["type"]["schema"]>;

/** All of them with their values; null where the machine, or nothing, decides. */
export type NeedsParameters = {
  readonly [One in Name]: ValueOf<One> | (typeof needsParameters)[One]["default"];
};
/** What options and the environment set. */
export type NeedsSettings = Partial<NeedsParameters>;

export function withDefaults(settings: NeedsSettings): NeedsParameters {
  const usual = Object.entries<Parameter<unknown>>(needsParameters).map(([name, entry]) => [
    name,
    entry.default,
  ]);
  return { ...(Object.fromEntries(usual) as NeedsParameters), ...settings };
}
