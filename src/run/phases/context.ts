import type { WorkerPool } from "../../engine/worker-pool.ts";
import type { Fault } from "../../plan/faults.ts";
import type { Plan, Workload } from "../../plan/plan.ts";
import type { RestartableServer } from "../../process/restartable-server.ts";
import type { Phase } from "../../result/schema.ts";
import type { ProgressBoard } from "./progress-board.ts";
import type { ServerWatch } from "./server-watch.ts";

/** What a phase in progress looks like from outside, a few times a second. */
export interface PhaseView {
  readonly kind: Phase["kind"];
  readonly workload: Phase["workload"];
  readonly elapsedMs: number;
  /** Done of total: connections opened, or deliveries. */
  readonly done: number;
  readonly total: number;
  /** In the last second: connections or deliveries. */
  readonly ratePerSecond: number;
  /** Of the last whole second with deliveries. */
  readonly p50Us: number | null;
  readonly p99Us: number | null;
  readonly errors: number;
  /** Capacity: the step under way, whose rate is being tried. */
  readonly step?: StepView;
  /** Chaos: the fault under way. */
  readonly fault?: FaultView;
}

export interface StepView {
  readonly number: number;
  readonly ratePerSecond: number;
  /** So far; null when none was held. */
  readonly highestHeldPerSecond: number | null;
}

export interface FaultView {
  readonly name: Fault;
  /** 1-based place among the plan's faults. */
  readonly number: number;
  readonly count: number;
  /** Before it strikes, while it lasts, or after it. */
  readonly window: "before" | "under" | "after";
}

/** A round under way: what every phase works with. */
export interface RoundContext {
  readonly plan: Plan;
  readonly pool: WorkerPool;
  readonly board: ProgressBoard;
  readonly server: RestartableServer;
  readonly watch: ServerWatch;
  readonly framing: "single" | "newline";
  readonly idleRssBytes: number | null;
  /** The share of the server's processors that is taken from it on purpose. */
  readonly handicapShare: number;
  /** Open connections by index, as of the last phase. */
  alive: readonly number[];
  /** Per workload, the last sequence number each sender used in its room. */
  readonly saySeqs: Readonly<Record<Workload, Map<number, number>>>;
  readonly sourceAddresses: number;
  /** Microseconds since the run's epoch. */
  readonly clockUs: () => number;
  readonly signal: AbortSignal;
  readonly onView: (view: PhaseView) => void;
}

export const nothingConnected: Phase["connections"] = {
  requested: 0,
  opened: 0,
  failed: 0,
  failedByReason: {},
  died: 0,
};

/** A phase that has not measured anything (yet). */
export function emptyPhase(kind: Phase["kind"], workload: Phase["workload"]): Phase {
  return {
    kind,
    workload,
    status: "ok",
    reason: null,
    startedAt: new Date().toISOString(),
    durationMs: 0,
    connections: nothingConnected,
    limit: null,
    connect: null,
    messages: null,
    throughput: null,
    rate: null,
    latencyUs: null,
    uncorrectedLatencyUs: null,
    sendLagUs: null,
    receiversUs: null,
    longestSilenceMs: null,
    server: {
      cpuMs: null,
      othersCpuShare: null,
      idleCpuShare: null,
      peakRssBytes: null,
      rssBytesPerConnection: null,
      cpuUsPerDelivery: null,
      kernelSocketBytes: null,
      openDescriptors: null,
      descriptorLimit: null,
      processes: null,
    },
    generator: null,
    capacity: null,
    chaos: null,
    findings: [],
    timeline: [],
  };
}
