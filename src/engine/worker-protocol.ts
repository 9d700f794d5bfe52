import type { Fault } from "../plan/faults.ts";
import type { RoomGroup, Workload } from "../plan/plan.ts";
import type { SparseHistogram } from "../stats/histogram.ts";

/** Everything between the tool and a worker is one of these, plain data, in order. */
export type Command =
  | { readonly kind: "setup"; readonly setup: WorkerSetup }
  | { readonly kind: "connect"; readonly batch: number }
  | { readonly kind: "stop-connecting" }
  | { readonly kind: "release"; readonly count: number }
  | { readonly kind: "start"; readonly order: PhaseOrder }
  | { readonly kind: "settle" }
  | { readonly kind: "mend"; readonly timeoutMs: number }
  | { readonly kind: "close" };

export type Report =
  | { readonly kind: "ready"; readonly pinFailure: string | null }
  | { readonly kind: "connecting"; readonly progress: ConnectProgress }
  | { readonly kind: "connected"; readonly report: ConnectReport }
  | { readonly kind: "released"; readonly alive: readonly number[] }
  | { readonly kind: "progress"; readonly progress: PhaseProgress }
  | { readonly kind: "settled"; readonly report: PhaseReport }
  | { readonly kind: "mended"; readonly report: MendReport }
  | { readonly kind: "closed" }
  | { readonly kind: "fault"; readonly text: string };

export interface WorkerSetup {
  /** This worker owns the connections whose index is `worker` modulo `workers`. */
  readonly worker: number;
  readonly workers: number;
  readonly connections: number;
  /** Connection i joins room `first` + i modulo `count` of each. */
  readonly joins: readonly RoomGroup[];
  readonly host: string;
  readonly port: number;
  readonly path: string;
  /** Each brings a port range of its own; empty where the system may choose only one. */
  readonly sourceAddresses: readonly string[];
  readonly messageBytes: number;
  readonly framing: "single" | "newline";
  readonly seed: number;
  /** The run's epoch on the machine's monotonic clock, in microseconds. */
  readonly epochUs: number;
  readonly cpus: readonly number[] | null;
  readonly pacing: "spin" | "timer";
  readonly connectTimeoutMs: number;
}

export interface ConnectProgress {
  readonly attempted: number;
  readonly opened: number;
  readonly failed: number;
  /** Failures since the last connection that opened. */
  readonly failedInARow: number;
}

export interface ConnectReport extends ConnectProgress {
  readonly failedByReason: Readonly<Record<string, number>>;
  /** Of connections this worker never tried, since it was told to stop. */
  readonly notAttempted: number;
  /** First attempt and last success, in microseconds since the run's epoch; null where there was none. */
  readonly firstAttemptUs: number | null;
  readonly lastOpenedUs: number | null;
  readonly tcp: SparseHistogram;
  readonly upgrade: SparseHistogram;
  readonly join: SparseHistogram;
  readonly usage: WorkerUsage;
  /** Of the worker before its first connection. */
  readonly idleRssBytes: number;
  readonly alive: readonly number[];
}

/** What one worker does in a message phase. */
export interface PhaseOrder {
  readonly workload: Workload;
  readonly pattern: BurstPattern | SteadyPattern | ClosedPattern;
  /** Start on the run's epoch. */
  readonly startUs: number;
  /** Echo: how many messages this worker sends. */
  readonly echoSends: number;
  /** Rooms workloads; null for echo. */
  readonly rooms: RoomsOrder | null;
  /** What strikes while this load goes on. */
  readonly chaos?: ChaosOrder;
}

/** Times are microseconds on the run's epoch. */
export interface ChaosOrder {
  readonly fault: Fault;
  readonly strikeUs: number;
  readonly relentUs: number;
  /** End of the load. */
  readonly endUs: number;
  /** Of all workers. They neither speak nor are they audited, and the rooms' `members` are without them. */
  readonly victims: readonly number[];
  /** Extra connections of this worker that throw garbage. */
  readonly garbage: number;
  /** Lost connections that are opened again at once; those that a storm reset are, all of them. */
  readonly rejoinBatch: number;
}

/** What a fault did, as far as one worker saw it. */
export interface ChaosReport {
  /** Latencies of deliveries to bystanders that came before the strike, were meant before it was over, or after. */
  readonly windows: readonly SparseHistogram[];
  /** Deliveries to bystanders by slot of intended time and latency, see `Impact`. */
  readonly slots: Uint32Array;
  readonly longestSilenceUs: number;
  readonly silenceBeforeUs: number;
  /** Of the victims. */
  readonly struckLost: number;
  readonly struckDelivered: number;
  /** Connections that came back and were given nothing. */
  readonly unserved: number;
}

/** After a fault: which connections had to come back, and did. */
export interface MendReport {
  readonly wanted: number;
  readonly opened: number;
  /** From the moment it wished to be back; null when none came back. */
  readonly slowestUs: number | null;
  readonly alive: readonly number[];
}

/** Offered `batch` at a time, the next batch as soon as the system took the last one. */
export interface BurstPattern {
  readonly kind: "burst";
  readonly batch: number;
}

/** Open loop: every message has its moment, whatever became of those before. */
export interface SteadyPattern {
  readonly kind: "steady";
  readonly seconds: number;
}

/** Rooms are numbered from 0 within their group here. */
/**
 * Closed loop, echo only: each connection sends its next message when the last has come back. It measures
 * what generator and server can do together, never a latency: a slow server is asked less often
 * (coordinated omission).
 */
export interface ClosedPattern {
  readonly kind: "closed";
  readonly seconds: number;
}

export interface RoomsOrder {
  readonly group: RoomGroup;
  /** Sends over all workers and rooms; send g goes to room g modulo their count. */
  readonly sends: number;
  /** Per room, the connections that speak in turn. */
  readonly senders: readonly (readonly number[])[];
  /** Per room and sender, the sequence number it used last. */
  readonly lastSeqs: readonly (readonly number[])[];
  /** Per room, its members alive at the start. */
  readonly members: readonly number[];
}

export interface SecondReport {
  readonly second: number;
  readonly sent: number;
  readonly delivered: number;
  readonly latency: SparseHistogram;
}

export interface PhaseProgress {
  readonly sent: number;
  /** Deliveries owed for what this worker sent. */
  readonly expected: number;
  /** Distinct intact messages this worker received. */
  readonly delivered: number;
  readonly corrupted: number;
  /** What counts towards the error threshold. */
  readonly errors: number;
  readonly finishedSending: boolean;
  /** Of any bytes at all, on the run's epoch; 0 before the first. */
  readonly lastArrivalUs: number;
  /** Seconds that ended since the last report. */
  readonly seconds: readonly SecondReport[];
}

export interface PhaseReport extends PhaseProgress {
  readonly planned: number;
  readonly unsent: number;
  readonly duplicated: number;
  readonly reordered: number;
  readonly malformed: number;
  readonly misrouted: number;
  readonly late: number;
  readonly frames: number;
  readonly undeclaredBatches: number;
  readonly errorReplies: number;
  readonly firstErrorReply: string | null;
  readonly died: number;
  readonly diedByReason: Readonly<Record<string, number>>;
  /** Of those that died, what tells how much was lost with them; `sent` is null in rooms, where others sent. */
  readonly closed: readonly {
    readonly room: number;
    readonly sent: number | null;
    readonly delivered: number;
  }[];
  readonly alive: readonly number[];
  readonly firstSendUs: number | null;
  readonly lastSendUs: number | null;
  readonly lastDeliveryUs: number | null;
  readonly uncorrected: SparseHistogram;
  readonly sendLag: SparseHistogram;
  /** `[from, to]` on the run's epoch in which nothing arrived here although something was owed. */
  readonly silences: readonly (readonly [number, number])[];
  /** Per broadcast of a small burst, when its receivers here had it; else empty. */
  readonly receivers: readonly SparseHistogram[];
  /** Sends per room by this worker's connections; null for echo. */
  readonly sentByRoom: readonly number[] | null;
  /** `[connection, last seq]` of this worker's senders. */
  readonly lastSeqs: readonly (readonly [number, number])[];
  readonly usage: WorkerUsage;
  readonly chaos?: ChaosReport;
}

export interface WorkerUsage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** How late the event loop's timers fired. */
  readonly loopDelay: SparseHistogram;
}
