import { ShowdownError } from "../errors.ts";
import { type Parameters, type Preset, parameters, type Settings } from "./parameters.ts";
import { isSliced } from "./phases.ts";
import { agentsElsewhere, type Entrant, type PhasePlan, type Plan, roomGroup, sharesCpus } from "./plan.ts";
import { presets } from "./presets.ts";
import { countServerProcesses } from "./server-processes.ts";

export interface PlanRequest {
  readonly preset: Preset;
  readonly settings: Settings;
  /** `processes`: how a server that can share its port is told of how many it is to be; absent where it can't. */
  readonly entrants: readonly (Entrant & { readonly processes?: string | undefined })[];
  /** CPUs that may be pinned; null where nothing is. */
  readonly serverCpus: readonly number[] | null;
  readonly workerCpus: readonly number[] | null;
  /** The fleet that makes the load; absent where this machine does. */
  readonly agents?: NonNullable<Plan["agents"]>;
  /** Descriptors one worker may have, and one server; null where unknown. */
  readonly descriptorLimit: number | null;
  /** What the smallest message of such a run takes. */
  readonly leastMessageBytes: (connections: number, rooms: number) => number;
}

/** Below this, another worker costs more than it brings. */
const connectionsWorthAWorker = 500;
/** Descriptors a worker needs beyond its connections. */
const workerDescriptors = 100;

/** How many times as long as the limit of latency a step of the capacity phase has to be. */
const stepsPerLimit = 5;

/**
 * Freezes everything a run does.
 *
 * @throws {ShowdownError} `usage` for a plan that can't be carried out, saying what would
 */
export function resolvePlan(request: PlanRequest): Plan {
  const { preset, descriptorLimit, workerCpus } = request;
  const chosen = chooseRounds({ ...presets[preset], ...request.settings }, request.settings);
  const { rooms: wantedRooms, pin: _, serverCpus: __, readyMs, connectMs, quietMs, ...asked } = chosen;
  const { agents } = request;
  // A slice is over before a fleet has heard of it.
  const planned = agents === undefined ? asked : { ...asked, oneAtATime: true };
  const { connections, messageBytes } = planned;
  const roomSize = wantedRooms === null ? planned.roomSize : spreadOverRooms(wantedRooms, request, chosen);
  const rooms = roomGroup({ connections, roomSize }, "rooms")?.count ?? 1;
  const least = request.leastMessageBytes(connections, rooms);
  if (messageBytes < least) {
    throw refuse("messageBytes", messageBytes, `expected at least ${least}`, {
      hint: "a message carries its sender, number, time and checksum, which take that much",
    });
  }
  const { phases, p99LimitMs, capacityStepSeconds, warmupSeconds, warmupLimitSeconds } = planned;
  if (warmupSeconds > warmupLimitSeconds) {
    const expected = `expected at most ${warmupLimitSeconds}, as --warmup-limit has it`;
    throw refuse("warmupSeconds", warmupSeconds, expected, {
      hint: `give --warmup-limit ${warmupSeconds}, too`,
    });
  }
  // A queue that only grows stays below the limit for so long: in a short step it would pass for sustained.
  const mostLimitMs = (capacityStepSeconds * 1000) / stepsPerLimit;
  if (phases.some(({ kind }) => kind === "capacity") && p99LimitMs > mostLimitMs) {
    throw refuse(
      "p99LimitMs",
      p99LimitMs,
      `expected at most ${mostLimitMs} ms, 1/${stepsPerLimit} of a step of ${capacityStepSeconds} s`,
      { hint: `give steps of at least --capacity-seconds ${Math.ceil((p99LimitMs * stepsPerLimit) / 1000)}` },
    );
  }
  const workers = planned.workers ?? chooseWorkers(connections, request);
  const room =
    descriptorLimit === null ? Number.POSITIVE_INFINITY : workers * (descriptorLimit - workerDescriptors);
  if (connections > room) {
    const needed = leastWorkers(connections, descriptorLimit);
    throw refuse("workers", workers, `${connections} connections need at least ${needed} workers here`, {
      hint: `one process may have ${descriptorLimit} descriptors (ulimit -n)`,
    });
  }
  if (workers > connections) {
    throw refuse("workers", workers, `expected at most one per connection (${connections})`);
  }
  if (agents !== undefined && workers < agents.count) {
    throw refuse("workers", workers, `expected at least one for each of ${agents.count} agents`);
  }
  // Spinning takes a whole CPU for each worker: it pays only where nobody else needs it, as an agent does elsewhere.
  const elsewhere = agentsElsewhere(request);
  const spareCpus = elsewhere === null ? (workerCpus?.length ?? 0) : elsewhere.cpuCount - elsewhere.count;
  const canSpin = !sharesCpus(request) && workers <= spareCpus;
  return {
    preset,
    entrants: request.entrants.map((entrant) => planEntrant(entrant, connections, descriptorLimit)),
    ...planned,
    phases: planned.oneAtATime ? phases : arrangePhases(phases),
    roomSize,
    workers,
    pacing: planned.pacing ?? (canSpin ? "spin" : "timer"),
    serverCpus: request.serverCpus,
    workerCpus,
    ...(agents === undefined ? {} : { agents }),
    timeouts: { readyMs, connectMs, quietMs },
  };
}

function planEntrant(
  { contender, variant, processes }: PlanRequest["entrants"][number],
  connections: number,
  descriptorLimit: number | null,
): Plan["entrants"][number] {
  const count = processes === undefined ? 1 : countServerProcesses(connections, descriptorLimit);
  return { contender, variant, ...(count === 1 ? {} : { processes: count }) };
}

/** What is done in slices comes first, while everyone is as fresh as the next: the rest takes minutes, or kills servers. */
function arrangePhases([first, ...others]: readonly PhasePlan[]): PhasePlan[] {
  return [
    ...(first === undefined ? [] : [first]),
    ...others.filter(({ kind }) => isSliced(kind)),
    ...others.filter(({ kind }) => !isSliced(kind)),
  ];
}

/** Fewer say nothing of their spread that is worth a look. */
const fewestUntilLook = 3;

/** Who asks for a number of rounds gets it, unless --until is asked for too. */
function chooseRounds(chosen: Parameters, asked: Settings): Parameters {
  const isFixed = asked.untilPercent === undefined && asked.rounds !== undefined;
  if (isFixed || chosen.untilPercent === null) {
    if (asked.maxMinutes !== undefined) {
      throw refuse("maxMinutes", asked.maxMinutes, "expected --until, too: other runs do all their rounds");
    }
    return { ...chosen, untilPercent: null };
  }
  const margin = asked.untilPercent ?? asked.marginPercent ?? chosen.untilPercent;
  if (asked.marginPercent !== undefined && asked.marginPercent !== margin) {
    throw refuse("marginPercent", asked.marginPercent, `expected ${margin} or nothing, as --until has it`);
  }
  const rounds = asked.rounds ?? Math.max(fewestUntilLook, chosen.rounds);
  return { ...chosen, untilPercent: margin, marginPercent: margin, rounds };
}

function refuse(
  name: keyof Parameters,
  value: number,
  expected: string,
  details?: { readonly hint: string },
): ShowdownError {
  return new ShowdownError("usage", `--${parameters[name].option} ${value}: ${expected}`, details);
}

/** The size of so many rooms, each as large as the next. */
function spreadOverRooms(rooms: number, { settings }: PlanRequest, { connections }: Parameters): number {
  if (rooms > connections) {
    throw refuse("rooms", rooms, `expected at most one per connection (${connections})`);
  }
  const roomSize = Math.ceil(connections / rooms);
  if (settings.roomSize !== undefined && settings.roomSize !== roomSize) {
    throw new ShowdownError(
      "usage",
      `--rooms ${rooms} of --room-size ${settings.roomSize}: ${connections} connections make rooms of ${roomSize}`,
      { hint: `give one of the two, or --connections ${rooms * settings.roomSize}` },
    );
  }
  const made = Math.ceil(connections / roomSize);
  if (made !== rooms) {
    throw refuse(
      "rooms",
      rooms,
      `${connections} connections in rooms of at most ${roomSize} make ${made} rooms`,
      { hint: `give --rooms ${made}, or --connections ${rooms * roomSize}` },
    );
  }
  return roomSize;
}

function chooseWorkers(connections: number, request: PlanRequest): number {
  const { descriptorLimit, workerCpus, agents } = request;
  // Of what is shared, the server needs as much.
  const here = Math.ceil((workerCpus?.length ?? 1) / (sharesCpus(request) ? 2 : 1));
  const cpus = agentsElsewhere(request)?.cpuCount ?? here;
  const worthwhile = Math.max(1, Math.ceil(connections / connectionsWorthAWorker));
  const least = Math.max(agents?.count ?? 1, leastWorkers(connections, descriptorLimit));
  return Math.max(least, Math.min(cpus, worthwhile));
}

function leastWorkers(connections: number, descriptorLimit: number | null): number {
  return descriptorLimit === null
    ? 1
    : Math.ceil(connections / Math.max(1, descriptorLimit - workerDescriptors));
}
