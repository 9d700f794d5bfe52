import { perSecondWorthAWorker, workerDescriptors } from "../plan/attack/plan.ts";
import { type NeedsParameters, type NeedsSettings, withDefaults } from "../plan/needs/parameters.ts";
import { memoryBytes } from "./doctor/checks/memory.ts";

/** What is known of the machine that agents are taken to run on; null where it does not say. */
export interface AgentMachine {
  readonly cpus: number | null;
  /** That is left. */
  readonly memoryBytes: number | null;
  readonly descriptors: number | null;
  readonly ports: number | null;
}

/** `option`: given; `machine`: read here; `default`: nobody said otherwise, and no machine tells. */
export interface Known {
  readonly value: number | null;
  readonly from: "option" | "machine" | "default";
}

export const limitNames = ["ports", "memory", "cpu", "bandwidth"] as const;
export type LimitName = (typeof limitNames)[number];

/** What an attack of so many connections needs, and what that is computed from. Bytes and bits are per second where it says so. */
export interface Needs {
  readonly demand: Pick<
    NeedsParameters,
    | "connections"
    | "ratePerSecond"
    | "messageBytes"
    | "receivers"
    | "connectRatePerSecond"
    | "tls"
    | "compression"
  >;
  readonly agent: Readonly<
    Record<"cpus" | "memoryBytes" | "descriptors" | "ports" | "addresses" | "bitsPerSecond", Known>
  >;
  /** Bytes of memory that are taken for each connection, and each worker. */
  readonly taken: {
    readonly generator: number;
    readonly kernelEnd: number;
    readonly worker: number;
    readonly serverLeast: number;
    readonly serverMost: number;
  };
  readonly agents: number;
  /** Null where they were given, or one is enough whatever the limits are. */
  readonly decidedBy: LimitName | null;
  /** How many agents each limit by itself asks for; null where it is not known, or no number is enough. */
  readonly limits: readonly {
    readonly limit: LimitName;
    readonly agents: number | null;
    readonly isKnown: boolean;
  }[];
  /** Whether the agents are enough, as far as limits are known. */
  readonly fits: boolean;
  /** Of the busiest one. */
  readonly perAgent: {
    readonly connections: number;
    readonly ratePerSecond: number;
    readonly workers: number;
    /** At which its ports are enough. */
    readonly sourceAddresses: number | null;
    readonly memoryBytes: number;
    readonly sentBitsPerSecond: number;
    readonly receivedBitsPerSecond: number;
  };
  readonly server: {
    readonly descriptors: number;
    readonly leastMemoryBytes: number;
    readonly mostMemoryBytes: number;
    readonly receivedBitsPerSecond: number;
    readonly sentBitsPerSecond: number;
  };
  readonly broker: {
    readonly connections: number;
    readonly messagesPerSecond: number;
    /** Of a short load, and of a long one. */
    readonly leastBytesPerSecond: number;
    readonly mostBytesPerSecond: number;
    /** Kept until the coordinator has them: one result of each agent; of a short load, and of a long one. */
    readonly leastStoredBytes: number;
    readonly mostStoredBytes: number;
  };
  readonly openingSeconds: number;
}

/** Memory and bandwidth are planned to this share: full ones queue. */
export const usableShare = 0.8;

/** Measured here, TLS 1.3 by OpenSSL 3, and the windows that takeover keeps (docs/method.md); upper ends. */
const tlsBytes = 32 * 1024;
const takeoverBytes = 310_000;

/** RFC 6455, section 5.2: two bytes, the length, and a client's mask. */
const maskBytes = 4;
/** RFC 8446, section 5.2: header, type and tag of a record. */
const recordBytes = 5 + 1 + 16;
/** TCP with timestamps and IPv4, in an Ethernet frame with its preamble, check and gap. */
const segmentBytes = 32 + 20 + 38;
const segmentPayload = 1448;

/**
 * What an agent tells each second while it loads, and at its end. The least was measured with NATS 2.15: 10 s of 500
 * messages per second. The most is that of 20 minutes whose latencies are spread over three orders of magnitude: sums
 * since the start grow with the buckets of their histogram, results with the seconds.
 */
export const brokerTraffic = {
  messagesPerSecond: 1,
  beatBytes: { least: 4_000, most: 65_000 },
  resultBytes: { least: 12_000, most: 1_700_000 },
} as const;

/** Computes it; touches nothing. */
export function computeNeeds(settings: NeedsSettings, machine: AgentMachine): Needs {
  const asked = withDefaults(settings);
  const { connections, ratePerSecond, messageBytes, receivers, connectRatePerSecond, tls, compression } =
    asked;
  const demand = {
    connections,
    ratePerSecond,
    messageBytes,
    receivers,
    connectRatePerSecond,
    tls,
    compression,
  };
  const agent = {
    cpus: known(asked.agentCpus, machine.cpus),
    memoryBytes: known(asked.agentMemoryGb === null ? null : asked.agentMemoryGb * 1e9, machine.memoryBytes),
    descriptors: known(asked.agentDescriptors, machine.descriptors),
    ports: known(asked.agentPorts, machine.ports),
    addresses: {
      value: asked.agentAddresses,
      from: settings.agentAddresses === undefined ? "default" : "option",
    },
    bitsPerSecond: known(asked.agentMbit === null ? null : asked.agentMbit * 1e6, null),
  } as const;
  const extra = (tls ? tlsBytes : 0) + (compression === "takeover" ? takeoverBytes : 0);
  const taken = {
    generator: memoryBytes.generator + extra,
    kernelEnd: memoryBytes.kernel / 2,
    worker: memoryBytes.workerBase,
    serverLeast: (asked.serverBytes ?? memoryBytes.leanServer) + memoryBytes.kernel / 2,
    serverMost: (asked.serverBytes ?? memoryBytes.heavyServer) + memoryBytes.kernel / 2,
  };
  const given = { demand, agent, taken };
  const limits = limitNames.map((limit) => ({ limit, ...agentsFor(limit, given) }));
  const most = limits.reduce((one, other) => ((other.agents ?? 0) > (one.agents ?? 0) ? other : one));
  const needed = Math.max(1, most.agents ?? 1);
  const agents = asked.agents ?? Math.min(needed, connections);
  const { workers, ...share } = shareOf(given, agents);
  return {
    ...given,
    agents,
    decidedBy: asked.agents === null && needed > 1 ? most.limit : null,
    limits,
    fits: agents >= needed && limits.every((one) => !one.isKnown || one.agents !== null),
    perAgent: {
      connections: share.connections,
      ratePerSecond: share.ratePerSecond,
      workers,
      sourceAddresses: agent.ports.value === null ? null : Math.ceil(share.connections / agent.ports.value),
      memoryBytes: share.memoryBytes,
      sentBitsPerSecond: share.sentBitsPerSecond,
      receivedBitsPerSecond: share.receivedBitsPerSecond,
    },
    server: {
      descriptors: connections,
      leastMemoryBytes: memoryBytes.serverBase + connections * taken.serverLeast,
      mostMemoryBytes: memoryBytes.serverBase + connections * taken.serverMost,
      receivedBitsPerSecond: ratePerSecond * wireBits(demand, maskBytes),
      sentBitsPerSecond: ratePerSecond * receivers * wireBits(demand, 0),
    },
    broker: {
      connections: agents + 1,
      messagesPerSecond: agents * brokerTraffic.messagesPerSecond,
      leastBytesPerSecond: agents * brokerTraffic.messagesPerSecond * brokerTraffic.beatBytes.least,
      mostBytesPerSecond: agents * brokerTraffic.messagesPerSecond * brokerTraffic.beatBytes.most,
      leastStoredBytes: agents * brokerTraffic.resultBytes.least,
      mostStoredBytes: agents * brokerTraffic.resultBytes.most,
    },
    openingSeconds: connections / connectRatePerSecond,
  };
}

function known(given: number | null, read: number | null): Known {
  return given === null
    ? { value: read, from: read === null ? "default" : "machine" }
    : { value: given, from: "option" };
}

type Given = Pick<Needs, "demand" | "agent" | "taken">;

/** What the busiest of so many agents has to do and hold. */
function shareOf({ demand, agent, taken }: Given, agents: number) {
  const connections = Math.ceil(demand.connections / agents);
  const ratePerSecond = demand.ratePerSecond / agents;
  const perWorker =
    agent.descriptors.value === null ? connections : agent.descriptors.value - workerDescriptors;
  const workers = Math.max(
    1,
    Math.ceil(connections / Math.max(1, perWorker)),
    Math.ceil(ratePerSecond / perSecondWorthAWorker),
  );
  return {
    connections,
    ratePerSecond,
    workers,
    memoryBytes: workers * taken.worker + connections * (taken.generator + taken.kernelEnd),
    sentBitsPerSecond: ratePerSecond * wireBits(demand, maskBytes),
    receivedBitsPerSecond: ratePerSecond * demand.receivers * wireBits(demand, 0),
  };
}

/** The fewest agents that a limit by itself allows. */
function agentsFor(
  limit: LimitName,
  given: Given,
): { readonly agents: number | null; readonly isKnown: boolean } {
  const fits = checkOf(limit, given);
  if (fits === null) return { agents: null, isKnown: false };
  let [low, high] = [1, given.demand.connections];
  // Half of an agent's work never needs more than all of it.
  if (!fits(high)) return { agents: null, isKnown: true };
  while (low < high) {
    const middle = Math.floor((low + high) / 2);
    if (fits(middle)) high = middle;
    else low = middle + 1;
  }
  return { agents: low, isKnown: true };
}

/** Whether so many agents are enough; null where the limit is not known. */
function checkOf(limit: LimitName, given: Given): ((agents: number) => boolean) | null {
  const { agent } = given;
  const share = (agents: number) => shareOf(given, agents);
  const { cpus, memoryBytes: memory, ports, addresses, bitsPerSecond } = agent;
  switch (limit) {
    case "ports": {
      const all = ports.value === null ? null : ports.value * (addresses.value ?? 1);
      return all === null ? null : (agents) => share(agents).connections <= all;
    }
    case "memory": {
      const left = memory.value === null ? null : memory.value * usableShare;
      return left === null ? null : (agents) => share(agents).memoryBytes <= left;
    }
    case "cpu": {
      const most = cpus.value === null ? null : cpus.value * perSecondWorthAWorker;
      return most === null ? null : (agents) => share(agents).ratePerSecond <= most;
    }
    case "bandwidth": {
      const most = bitsPerSecond.value === null ? null : bitsPerSecond.value * usableShare;
      return most === null
        ? null
        : (agents) => {
            const { sentBitsPerSecond: sent, receivedBitsPerSecond: received } = share(agents);
            return Math.max(sent, received) <= most;
          };
    }
  }
}

/** Of one message in segments of its own, without acknowledgements. */
function wireBits({ messageBytes, tls }: Needs["demand"], mask: number): number {
  const lengthBytes = messageBytes > 65_535 ? 8 : messageBytes > 125 ? 2 : 0;
  const bytes = messageBytes + 2 + lengthBytes + mask + (tls ? recordBytes : 0);
  return 8 * (bytes + Math.ceil(bytes / segmentPayload) * segmentBytes);
}
