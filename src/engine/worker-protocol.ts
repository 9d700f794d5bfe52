import type { Fault } from "../plan/faults.ts";
import type { RoomGroup, Workload } from "../plan/plan.ts";
import type { Failures } from "../result/reasons.ts";
import type { ContenderFacts } from "../result/schema.ts";
import type { SparseHistogram } from "../stats/histogram.ts";
import type { AttackReport, AttackSetup, OpenReport } from "./attack/attack-orders.ts";
import type { CompressionBytes } from "./compression.ts";
import type { Liveness } from "./liveness.ts";
import type { ScenarioProgress } from "./scenario/scenario-report.ts";
import type { SegmentCount } from "./segment-sample.ts";
import type { Target } from "./target.ts";

/**
 * Everything between the tool and a worker is one of these: plain data, in order. A connection's `index` counts over
 * all workers. Moments are microseconds on the run's epoch where nothing else is said.
 */
export type Command =
  | { readonly kind: "setup"; readonly setup: WorkerSetup }
  | { readonly kind: "connect"; readonly batch: number }
  | { readonly kind: "stop-connecting" }
  | { readonly kind: "release"; readonly count: number }
  /** Builds all that a phase needs; answered by `prepared`. */
  | { readonly kind: "prepare"; readonly order: PhaseOrder }
  /** Begins the prepared phase at that moment. */
  | { readonly kind: "start"; readonly startUs: number }
  | { readonly kind: "settle" }
  | { readonly kind: "reconnect"; readonly timeoutMs: number }
  /** Of an attack, in place of `setup`; answered by `ready`, too. */
  | { readonly kind: "setup-attack"; readonly setup: AttackSetup }
  /** Opens its connections at their rate from then on; answered by `opened`. */
  | { readonly kind: "open"; readonly startUs: number }
  | ({ readonly kind: "attack" } & AttackStart)
  | { readonly kind: "settle-attack" }
  /** Before all else: loads a scenario to see whether it can be; answered by `scenario`. */
  | { readonly kind: "load-scenario"; readonly file: string }
  | { readonly kind: "close" };

export type Report =
  | { readonly kind: "ready"; readonly ready: WorkerReady }
  | { readonly kind: "connecting"; readonly progress: ConnectProgress }
  | { readonly kind: "connected"; readonly report: ConnectReport }
  | { readonly kind: "released"; readonly alive: Liveness }
  | { readonly kind: "prepared" }
  | { readonly kind: "progress"; readonly progress: PhaseProgress }
  | { readonly kind: "settled"; readonly report: PhaseReport }
  | { readonly kind: "reconnected"; readonly report: ReconnectReport }
  | { readonly kind: "opened"; readonly report: OpenReport }
  | { readonly kind: "attacked"; readonly report: AttackReport }
  | { readonly kind: "closed" }
  | {
      readonly kind: "scenario";
      readonly loaded:
        | { readonly url: string | null }
        | { readonly problem: string; readonly hint: string | null };
    }
  /** Its last word: it ends itself. */
  | { readonly kind: "fault"; readonly message: string };

/** When a load begins, and who is in each room: over all machines, and on this one. */
export interface AttackStart {
  readonly startUs: number;
  readonly members: readonly number[];
  readonly near: readonly number[];
}

export interface WorkerSetup {
  /** This worker owns the connections whose index is `worker` modulo `workers`. */
  readonly worker: number;
  readonly workers: number;
  /** Workers of one machine are those whose numbers are the same modulo so many. */
  readonly machines: number;
  readonly connections: number;
  /** Connection i joins room `first` + i modulo `count` of each. */
  readonly joins: readonly RoomGroup[];
  readonly target: Target;
  readonly protocol: ContenderFacts["protocol"];
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

export interface WorkerReady {
  /** Why it does not run on the CPUs that it should; null when it does. */
  readonly pinFailure: string | null;
  /**
   * Those it connects from: of the setup's those that exist here, or 127.0.0.1 where none of them does. All of the
   * setup's when that one can't be bound either: then every connection fails, and tells why.
   */
  readonly sourceAddresses: readonly string[];
}

export interface ConnectProgress {
  readonly attempted: number;
  /** At some time. */
  readonly opened: number;
  readonly failed: number;
  /** Failures since the last connection that opened. */
  readonly failedInARow: number;
  /** Opened, and closed since then by the server or the network. */
  readonly died: number;
  /** Of those that died: open again. Absent where none is opened again. */
  readonly reconnected?: number;
  /** Closed by this side, since the stages of the load say so. Absent where there are none. */
  readonly released?: number;
}

/** How a worker's connections opened. */
export interface OpeningReport extends ConnectProgress {
  /** Of those that never opened, but for `notAttempted`. */
  readonly failures: Failures;
  /** Connections this worker never tried, since it was told to stop. */
  readonly notAttempted: number;
  /** First attempt and last success; null where there was none. */
  readonly firstAttemptUs: number | null;
  readonly lastOpenedUs: number | null;
  readonly tcp: SparseHistogram;
  /** Null where no TLS is spoken. */
  readonly tls: SparseHistogram | null;
  readonly upgrade: SparseHistogram;
  /** What is said before the first message. */
  readonly join: SparseHistogram;
}

export interface ConnectReport extends OpeningReport {
  /** Open at the end. */
  readonly open: number;
  /** Of those that died. */
  readonly deaths: Failures;
  readonly usage: WorkerUsage;
  /** Of the worker before its first connection. */
  readonly idleRssBytes: number;
  readonly alive: Liveness;
}

/** What one worker does in a message phase. */
export interface PhaseOrder {
  /** From 1 to 255, another than that of the phase before on the same connections: see `nextPhaseNumber`. */
  readonly phase: number;
  readonly workload: Workload;
  readonly pattern: Pattern;
  /** Echo: how many messages this worker sends. */
  readonly echoSends: number;
  /** Rooms workloads; null for echo. */
  readonly rooms: RoomsOrder | null;
  /** The fault that is injected under this load. */
  readonly chaos?: ChaosOrder;
}

/** Times are microseconds after the phase's start. */
export interface ChaosOrder {
  readonly fault: Fault;
  readonly injectUs: number;
  readonly clearUs: number;
  /** End of the load. */
  readonly endUs: number;
  /** Clients of all workers. They don't send, nor are they audited, and the rooms' `members` are without them. */
  readonly faulty: readonly number[];
  /** Extra connections of this worker that send garbage. */
  readonly garbage: number;
  /** Lost connections that are opened again at once; those that a storm reset are, all of them. */
  readonly reconnectBatch: number;
}

/** What a fault did, as far as one worker saw it. */
export interface ChaosReport {
  /** Latencies of deliveries to unaffected clients that came before the fault, were meant before it was cleared, or after. */
  readonly windows: readonly SparseHistogram[];
  /** Deliveries to unaffected clients by slot of intended time and latency, see `Impact`. */
  readonly slots: Uint32Array;
  readonly longestSilenceUs: number;
  readonly silenceBeforeUs: number;
  readonly faultyLost: number;
  readonly faultyDelivered: number;
  /** Connections that came back and were given nothing. */
  readonly unserved: number;
}

/** After a fault: which connections had to come back, and did. */
export interface ReconnectReport {
  readonly wanted: number;
  readonly opened: number;
  /** From the moment it wished to be back; null when none came back. */
  readonly slowestUs: number | null;
  readonly alive: Liveness;
}

type Pattern =
  /** Offered `batch` at a time, the next batch as soon as the system took the last one. */
  | { readonly kind: "burst"; readonly batch: number }
  /** Open loop: every message has its moment, whatever became of those before. */
  | { readonly kind: "steady"; readonly seconds: number }
  /**
   * Closed loop, echo only: each connection sends its next message when the last has come back. It measures what
   * generator and server can do together, never a latency: a slow server is asked less often (coordinated omission).
   */
  | { readonly kind: "closed"; readonly seconds: number };

/** Rooms are numbered from 0 within their group here. */
export interface RoomsOrder {
  readonly group: RoomGroup;
  /** Sends over all workers and rooms; send g goes to room g modulo their count. */
  readonly sends: number;
  /** Per room, the connections that send in turn. */
  readonly senders: readonly (readonly number[])[];
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
  /** Distinct intact messages that this worker received as text, each at whom it was for. */
  readonly delivered: number;
  /** What counts towards the error threshold. */
  readonly errors: number;
  readonly finishedSending: boolean;
  /** Of any bytes at all; 0 before the first. */
  readonly lastArrivalUs: number;
  /** Seconds that ended since the last report. */
  readonly seconds: readonly SecondReport[];
  /** Absent where there is no scenario. */
  readonly scenario?: ScenarioProgress;
}

/** What arrived otherwise than the contract has it. */
export interface OddArrivals {
  readonly duplicated: number;
  /** Of `delivered`. */
  readonly reordered: number;
  /** Messages of the load with other bytes than were sent. */
  readonly corrupted: number;
  /** Intact messages of this phase in binary frames. */
  readonly binary: number;
  /** No ChaosChat messages at all. */
  readonly malformed: number;
  /** Intact messages of this phase at somebody they were not for. */
  readonly misrouted: number;
  /** Intact messages of another phase. */
  readonly late: number;
  readonly undeclaredBatches: number;
  readonly errorReplies: number;
}

/** All arrivals but `delivered` stand for none: `expected = delivered + lost`. */
export interface PhaseReport extends PhaseProgress, OddArrivals {
  readonly planned: number;
  readonly unsent: number;
  readonly frames: number;
  readonly firstErrorReply: string | null;
  readonly died: number;
  readonly deaths: Failures;
  /** Of connections that died after the report before and before this phase. */
  readonly deathsBefore: Failures;
  /** Of those that died, what tells how much was lost with them; `sent` is null in rooms, where others sent. */
  readonly closed: readonly {
    readonly room: number;
    readonly sent: number | null;
    readonly delivered: number;
  }[];
  readonly alive: Liveness;
  readonly firstSendUs: number | null;
  readonly lastSendUs: number | null;
  readonly lastDeliveryUs: number | null;
  readonly uncorrected: SparseHistogram;
  readonly sendLag: SparseHistogram;
  /** `[from, to]` in which nothing arrived here although something was owed. */
  readonly silences: readonly (readonly [number, number])[];
  /** Broadcast bursts: when the receivers here had each of at most 64 broadcasts, the same ones at every worker; else empty. */
  readonly receivers: readonly SparseHistogram[];
  /** Sends per room by this worker's connections; null for echo. */
  readonly sentByRoom: readonly number[] | null;
  /** On a sample of the connections; null where the system doesn't tell. */
  readonly segments: SegmentCount | null;
  /** Absent where the target is asked for no compression. */
  readonly compression?: CompressionReport;
  readonly usage: WorkerUsage;
  readonly chaos?: ChaosReport;
}

/** Bytes from the phase's beginning on. */
export interface CompressionReport extends CompressionBytes {
  /** Open connections whose server agreed to it. Only their bytes are counted. */
  readonly connections: number;
}

export interface WorkerUsage {
  readonly cpuMs: number;
  readonly rssBytes: number;
  /** How late the event loop's timers fired. */
  readonly loopDelay: SparseHistogram;
}
