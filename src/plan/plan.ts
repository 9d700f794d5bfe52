import type { ChaosSeconds, Fault } from "./faults.ts";

/** What a phase does with the connections. */
export type PhaseKind = "connect" | "burst" | "endurance" | "capacity" | "chaos";

/**
 * Who receives a message: `echo`, its sender alone; `broadcast`, everyone, all in one room;
 * `rooms`, the members of the sender's room.
 */
export type Workload = "echo" | "broadcast" | "rooms";

export interface PhasePlan {
  readonly kind: PhaseKind;
  /** Absent for `connect`, which sends no messages. */
  readonly workload?: Workload;
}

/** One entry of the showdown: a contender in one of its variants. */
export interface Entrant {
  readonly contender: string;
  /** `default`, or a key of the manifest's `variants`. */
  readonly variant: string;
}

/** Everything that decides what a run does, the same for every contender, and printable before it starts. */
export interface Plan {
  readonly preset: string;
  /** Decides the order of rounds, the senders and the masks. */
  readonly seed: number;
  readonly entrants: readonly Entrant[];
  readonly phases: readonly PhasePlan[];
  readonly rounds: number;
  readonly connections: number;
  /** Connections opened at once. */
  readonly connectBatch: number;
  /** Burst echo: messages each connection sends. Burst broadcast: messages each connection receives. */
  readonly messagesPerConnection: number;
  /** Burst: messages offered at once, over all workers. */
  readonly messageBatch: number;
  /** Size of one JSON message in bytes, the payload of its frame. */
  readonly messageBytes: number;
  readonly enduranceSeconds: number;
  /** Offered load in deliveries per second over all connections, the same for every contender. */
  readonly enduranceRatePerSecond: number;
  /** Capacity: how long each rate of the search is offered, and the first one in deliveries per second. */
  readonly capacityStepSeconds: number;
  readonly capacityStartRatePerSecond: number;
  /** Capacity: a rate counts as held with a latency p99 up to this. */
  readonly p99LimitMs: number;
  /** Chaos: what strikes, one after another, under the load of endurance. */
  readonly faults: readonly Fault[];
  readonly chaosSeconds: ChaosSeconds;
  /** Rooms workload: members of each room. */
  readonly roomSize: number;
  /** Broadcast and rooms: how many members of a room speak. */
  readonly sendersPerRoom: number;
  /** Errors past this end a phase as aborted. */
  readonly errorThreshold: number;
  /** Seconds of unrecorded load on a few connections before the first phase of a round. */
  readonly warmupSeconds: number;
  /** Whether a phase in which something else than the server may have been measured is void, as it should be. */
  readonly validityRule: boolean;
  readonly workers: number;
  readonly pacing: "spin" | "timer";
  /** Processors of the server and of the workers; null where they are not pinned. */
  readonly serverCpus: readonly number[] | null;
  readonly workerCpus: readonly number[] | null;
  /** Loopback port of the server; 0 picks a free one. */
  readonly port: number;
  readonly timeouts: {
    readonly readyMs: number;
    readonly connectMs: number;
    /** A phase ends when nothing arrived for this long. */
    readonly quietMs: number;
  };
}

/** Rooms by number: 0 is the lobby, where `broadcast` takes place, those of `rooms` follow. */
export interface RoomGroup {
  readonly first: number;
  readonly count: number;
}

/** The rooms in which a workload takes place: connection i is a member of room `first` + i modulo `count`. */
export function roomGroup(
  plan: Pick<Plan, "connections" | "roomSize">,
  workload: Workload,
): RoomGroup | null {
  switch (workload) {
    case "echo":
      return null;
    case "broadcast":
      return { first: 0, count: 1 };
    case "rooms":
      return { first: 1, count: Math.max(1, Math.ceil(plan.connections / plan.roomSize)) };
  }
}
