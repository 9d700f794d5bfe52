import type { PhaseKind } from "../../plan/plan.ts";
import { phaseName } from "../../plan/resolve.ts";
import type { Phase, Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { overRounds, type PhaseMeasure, measures as reported, stepOf, valuesOf } from "../report/measure.ts";
import { listSections, okPhases, type Participant, ranPhases } from "../report/section.ts";

/** `latency` and `cpu` are in microseconds, `bytes` in bytes, `share` from 0 to 1. */
export type Unit = "count" | "perSecond" | "latency" | "cpu" | "bytes" | "share";

/** A measure as the command line, the history and the tables of a comparison name it. */
export interface NamedMeasure {
  readonly name: string;
  readonly unit: Unit;
  /** Kinds of phase that have it. */
  readonly kinds: readonly PhaseKind[];
  /** Kinds of phase in whose comparison it is shown without being asked for. */
  readonly shown: readonly PhaseKind[];
  /** Does not hang on how fast the machine is, so that two machines may be compared by it. */
  readonly acrossMachines: boolean;
  readonly measure: PhaseMeasure;
}

const connect = ["connect"] as const;
const loaded = ["burst", "endurance"] as const;
const capacity = ["capacity"] as const;
const chaos = ["chaos"] as const;
const all = ["connect", "burst", "endurance"] as const;

/** The worst round counts: a loss is not made good by a round without one. */
function fault(header: string, meaning: string, pick: (phase: Phase) => number | undefined): PhaseMeasure {
  return {
    header,
    meaning,
    better: "lower",
    pick: (phase) => pick(phase) ?? null,
    format: format.formatCount,
    over: "worst",
    step: () => 1,
  };
}

const lost = fault("lost", "Deliveries owed that never arrived.", ({ messages }) => messages?.lost);

/** Every measure that can be named, in the order in which tables show them. */
export const namedMeasures: readonly NamedMeasure[] = [
  named("connections", "count", connect, reported.opened, { shown: connect, acrossMachines: true }),
  named("connections.share", "share", connect, reported.openedShare, { acrossMachines: true }),
  named(
    "connections.failed",
    "count",
    connect,
    { ...reported.failed, over: "worst", step: () => 1 },
    { acrossMachines: true },
  ),
  named("connections.rate", "perSecond", connect, reported.connectRate, { shown: connect }),
  named("tcp.p50", "latency", connect, reported.tcpP50),
  named("tcp.p99", "latency", connect, reported.tcpP99),
  named("upgrade.p50", "latency", connect, reported.upgradeP50),
  named("upgrade.p99", "latency", connect, reported.upgradeP99, { shown: connect }),
  named("join.p99", "latency", connect, reported.joinP99),
  named("throughput", "perSecond", loaded, reported.throughput, { shown: ["burst"] }),
  named("held", "perSecond", ["endurance"], reported.held, { shown: ["endurance"] }),
  named("held.share", "share", ["endurance"], reported.heldShare),
  named("capacity", "perSecond", capacity, reported.capacity, { shown: capacity }),
  named("capacity.per-core", "perSecond", capacity, reported.capacityPerCore),
  named("capacity.per-cpu-second", "count", capacity, reported.capacityPerCpuSecond),
  named("others.in-time", "share", chaos, reported.inTime, { shown: chaos }),
  named(
    "others.lost",
    "count",
    chaos,
    { ...reported.lostNeighbours, over: "worst", step: () => 1 },
    { shown: chaos },
  ),
  named("back-after-kill", "latency", chaos, reported.backAfterKill, { shown: chaos }),
  named("latency.p50", "latency", loaded, reported.p50, { shown: ["endurance"] }),
  named("latency.p99", "latency", loaded, reported.p99, { shown: loaded }),
  named("latency.p99.9", "latency", loaded, reported.p999),
  named("latency.max", "latency", loaded, reported.max),
  named("receiver.first", "latency", ["burst"], reported.firstReceiver),
  named("receiver.median", "latency", ["burst"], reported.medianReceiver),
  named("receiver.last", "latency", ["burst"], reported.lastReceiver),
  named("cpu-per-connection", "cpu", connect, reported.cpuPerConnection),
  named("cpu-per-delivery", "cpu", loaded, reported.cpuPerDelivery, { shown: loaded }),
  named("peak-memory", "bytes", all, reported.peakMemory, { shown: loaded }),
  named("memory-per-connection", "bytes", all, reported.memoryPerConnection, { shown: connect }),
  named("lost", "count", loaded, lost, { acrossMachines: true }),
  named(
    "lost.share",
    "share",
    loaded,
    {
      ...lost,
      pick: ({ messages }) =>
        messages === null || messages.expected === 0 ? null : messages.lost / messages.expected,
      format: format.formatShare,
      step: () => 0,
    },
    { acrossMachines: true },
  ),
  named(
    "duplicated",
    "count",
    loaded,
    fault("duplicated", "Deliveries that came twice.", ({ messages }) => messages?.duplicated),
    { acrossMachines: true },
  ),
  named(
    "reordered",
    "count",
    loaded,
    fault("reordered", "Deliveries that overtook another.", ({ messages }) => messages?.reordered),
    { acrossMachines: true },
  ),
  named(
    "corrupted",
    "count",
    loaded,
    fault("corrupted", "Deliveries with other bytes than were sent.", ({ messages }) => messages?.corrupted),
    { acrossMachines: true },
  ),
];

function named(
  name: string,
  unit: Unit,
  kinds: readonly PhaseKind[],
  measure: PhaseMeasure,
  { shown = [], acrossMachines = false }: Partial<Pick<NamedMeasure, "shown" | "acrossMachines">> = {},
): NamedMeasure {
  return { name, unit, kinds, shown, acrossMachines, measure };
}

/** What one entrant measured of one thing in one phase, over all rounds of a run. */
export interface Figure {
  /** `go-gorilla:tuned` */
  readonly contender: string;
  /** `burst-echo`; its second occurrence in a plan is `burst-echo#2`. */
  readonly phase: string;
  readonly measure: NamedMeasure;
  /** Of the rounds that count, in their order. */
  readonly values: readonly number[];
  /** What stands for all rounds: their median, of faults the worst; null when no round counts. */
  readonly value: number | null;
  /** Why `value` is null. */
  readonly missing: string | null;
  /** The step in which the values come, in their unit. */
  readonly step: number;
}

/** Every figure of a result: phases in the order of the plan, then contenders, then measures. */
export function listFigures(result: Result): Figure[] {
  const names = phasesOf(result.plan.phases);
  return listSections(result).flatMap(({ kind, index, participants }) =>
    participants.flatMap((participant) =>
      namedMeasures
        .filter(({ kinds }) => kinds.includes(kind))
        .map((measure) => figureOf(participant, names[index]?.name ?? kind, measure)),
    ),
  );
}

/** A phase of a plan by its name on the command line. */
export interface NamedPhase {
  readonly name: string;
  readonly kind: PhaseKind;
}

export function phasesOf(phases: Result["plan"]["phases"]): NamedPhase[] {
  const seen = new Map<string, number>();
  return phases.map((phase) => {
    const name = phaseName(phase);
    const occurrence = (seen.get(name) ?? 0) + 1;
    seen.set(name, occurrence);
    return { name: occurrence === 1 ? name : `${name}#${occurrence}`, kind: phase.kind };
  });
}

function figureOf(participant: Participant, phase: string, measure: NamedMeasure): Figure {
  const value = overRounds(participant, measure.measure);
  return {
    contender: participant.name,
    phase,
    measure,
    values: valuesOf(participant, measure.measure).filter((one) => one !== null),
    value,
    missing: value === null ? whyMissing(participant) : null,
    step: stepOf([participant], measure.measure),
  };
}

/**
 * A value as tables write it. Processor time comes in ticks: of less than one it is only known to be less, while a
 * count of zero is zero.
 */
export function writeValue({ unit, measure }: NamedMeasure, value: number | null, step: number): string {
  const isBelow = unit === "cpu" && value !== null && value < step;
  return isBelow ? `< ${measure.format(step)}` : measure.format(value);
}

function whyMissing(participant: Participant): string {
  if (okPhases(participant).length > 0) return "not measured, or too few samples for it";
  const phase = ranPhases(participant).at(-1);
  return phase === undefined
    ? "it did not come to this phase"
    : `${phase.status}: ${phase.reason ?? "no reason given"}`;
}
