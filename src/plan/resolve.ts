import { smallestMessageBytes } from "../engine/protocols/chaos-chat/message-format.ts";
import { UsageError } from "../errors.ts";
import { suggest } from "../text/nearest.ts";
import { type Entrant, type PhaseKind, type PhasePlan, type Plan, roomGroup, type Workload } from "./plan.ts";
import { type Parameters, type Preset, presets } from "./presets.ts";

export interface PlanRequest {
  readonly preset: Preset;
  /** What options set otherwise than the preset. */
  readonly changes: Partial<Parameters>;
  /** How many rooms there shall be, instead of their size. */
  readonly rooms?: number | undefined;
  readonly seed: number;
  readonly entrants: readonly Entrant[];
  readonly port: number;
  readonly validityRule: boolean;
  /** 0 decides by the machine. */
  readonly workers: number;
  readonly pacing: "spin" | "timer" | "auto";
  readonly serverCpus: readonly number[] | null;
  readonly workerCpus: readonly number[] | null;
  /** Descriptors one worker may have; null where unknown. */
  readonly descriptorLimit: number | null;
  readonly readyMs: number;
  readonly connectMs: number;
}

/** Below this, another worker costs more than it brings. */
const connectionsWorthAWorker = 500;
/** Descriptors a worker needs beyond its connections. */
const workerDescriptors = 100;

/** How many times as long as the limit of latency a step of the capacity phase has to be. */
const stepsPerLimit = 5;

/** All phases by their names on the command line. */
export const phaseNames = {
  connect: { kind: "connect" },
  "burst-echo": { kind: "burst", workload: "echo" },
  "burst-broadcast": { kind: "burst", workload: "broadcast" },
  "burst-rooms": { kind: "burst", workload: "rooms" },
  "endurance-echo": { kind: "endurance", workload: "echo" },
  "endurance-broadcast": { kind: "endurance", workload: "broadcast" },
  "endurance-rooms": { kind: "endurance", workload: "rooms" },
  "capacity-echo": { kind: "capacity", workload: "echo" },
  "capacity-broadcast": { kind: "capacity", workload: "broadcast" },
  "capacity-rooms": { kind: "capacity", workload: "rooms" },
  "chaos-broadcast": { kind: "chaos", workload: "broadcast" },
  "chaos-rooms": { kind: "chaos", workload: "rooms" },
} as const satisfies Record<string, PhasePlan>;

export function phaseName(phase: { readonly kind: PhaseKind; readonly workload?: Workload | null }): string {
  return phase.workload ? `${phase.kind}-${phase.workload}` : phase.kind;
}

/**
 * Reads `connect,burst-echo,…`. Every list begins with connect, which nothing can be done without.
 *
 * @throws UsageError naming the unknown phase and the nearest one
 */
export function parsePhases(list: string): PhasePlan[] {
  const phases = list.split(",").map((name): PhasePlan => {
    const phase = Object.entries(phaseNames).find(([known]) => known === name.trim())?.[1];
    if (phase === undefined) {
      const known = Object.keys(phaseNames);
      throw new UsageError(`--phases: unknown phase "${name.trim()}"${suggest(name.trim(), known)}`, {
        hint: `expected some of ${known.join(", ")}`,
      });
    }
    return phase;
  });
  return phases[0]?.kind === "connect" ? phases : [phaseNames.connect, ...phases];
}

/**
 * Freezes everything a run does.
 *
 * @throws UsageError for a plan that can't be carried out, saying what would
 */
export function resolvePlan(request: PlanRequest): Plan {
  const { preset, changes, descriptorLimit, workerCpus } = request;
  const parameters = spreadOverRooms({ ...presets[preset], ...changes }, request);
  const { connections, messageBytes, roomSize } = parameters;
  const rooms = roomGroup({ connections, roomSize }, "rooms")?.count ?? 1;
  const least = smallestMessageBytes(connections, rooms);
  if (messageBytes < least) {
    throw new UsageError(`--message-bytes ${messageBytes}: expected at least ${least}`, {
      hint: "a message carries its sender, number, time and checksum, which take that much",
    });
  }
  const { phases, p99LimitMs, capacityStepSeconds } = parameters;
  // A queue that only grows stays below the limit for so long: in a short step it would pass for held.
  const mostLimitMs = (capacityStepSeconds * 1000) / stepsPerLimit;
  if (phases.some(({ kind }) => kind === "capacity") && p99LimitMs > mostLimitMs) {
    throw new UsageError(
      `--p99-limit ${p99LimitMs}: expected at most ${mostLimitMs} ms, 1/${stepsPerLimit} of a step of ${capacityStepSeconds} s`,
      { hint: `give steps of at least --capacity-seconds ${Math.ceil((p99LimitMs * stepsPerLimit) / 1000)}` },
    );
  }
  const workers = request.workers === 0 ? chooseWorkers(connections, request) : request.workers;
  const room =
    descriptorLimit === null ? Number.POSITIVE_INFINITY : workers * (descriptorLimit - workerDescriptors);
  if (connections > room) {
    throw new UsageError(
      `--workers ${workers}: ${connections} connections need at least ${leastWorkers(connections, descriptorLimit)} workers here`,
      { hint: `one process may have ${descriptorLimit} descriptors (ulimit -n)` },
    );
  }
  if (workers > connections) {
    throw new UsageError(`--workers ${workers}: expected at most one per connection (${connections})`);
  }
  // Spinning takes a whole processor for each worker: it pays only where nobody else needs it.
  const canSpin = workerCpus !== null && workers <= workerCpus.length;
  const { quietMs, ...planned } = parameters;
  return {
    preset,
    seed: request.seed,
    entrants: request.entrants.map(({ contender, variant }) => ({ contender, variant })),
    ...planned,
    validityRule: request.validityRule,
    workers,
    pacing: request.pacing === "auto" ? (canSpin ? "spin" : "timer") : request.pacing,
    serverCpus: request.serverCpus,
    workerCpus,
    port: request.port,
    timeouts: { readyMs: request.readyMs, connectMs: request.connectMs, quietMs },
  };
}

/** So many rooms, each as large as the next: the room size that makes them. */
function spreadOverRooms(parameters: Parameters, { rooms, changes }: PlanRequest): Parameters {
  if (rooms === undefined) return parameters;
  const { connections } = parameters;
  if (rooms > connections) {
    throw new UsageError(`--rooms ${rooms}: expected at most one per connection (${connections})`);
  }
  const roomSize = Math.ceil(connections / rooms);
  if (changes.roomSize !== undefined && changes.roomSize !== roomSize) {
    throw new UsageError(
      `--rooms ${rooms} of --room-size ${changes.roomSize}: ${connections} connections make rooms of ${roomSize}`,
      { hint: `give one of the two, or --connections ${rooms * changes.roomSize}` },
    );
  }
  const made = Math.ceil(connections / roomSize);
  if (made !== rooms) {
    throw new UsageError(
      `--rooms ${rooms}: ${connections} connections in rooms of at most ${roomSize} make ${made} rooms`,
      { hint: `give --rooms ${made}, or --connections ${rooms * roomSize}` },
    );
  }
  return { ...parameters, roomSize };
}

function chooseWorkers(connections: number, { descriptorLimit, workerCpus }: PlanRequest): number {
  const processors = workerCpus?.length ?? 1;
  const worthwhile = Math.max(1, Math.ceil(connections / connectionsWorthAWorker));
  return Math.max(leastWorkers(connections, descriptorLimit), Math.min(processors, worthwhile));
}

function leastWorkers(connections: number, descriptorLimit: number | null): number {
  return descriptorLimit === null
    ? 1
    : Math.ceil(connections / Math.max(1, descriptorLimit - workerDescriptors));
}
