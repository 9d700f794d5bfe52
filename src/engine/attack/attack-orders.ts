import type { AttackLoad, AttackPlan } from "../../plan/attack/plan.ts";
import type { ReplyPlan } from "../../plan/attack/reply.ts";
import type { Failures } from "../../result/reasons.ts";
import type { SparseHistogram } from "../../stats/histogram.ts";
import type { CompressionBytes } from "../compression.ts";
import type { ScenarioEnd } from "../scenario/scenario-report.ts";
import type { Target } from "../target.ts";
import type { OpeningReport, PhaseProgress, WorkerUsage } from "../worker-protocol.ts";

/** What a worker of an attack gets to know. */
export interface AttackSetup {
  /** This worker owns the connections whose index is `worker` modulo `workers`. */
  readonly worker: number;
  readonly workers: number;
  /** Workers of one machine are those whose numbers are the same modulo so many. */
  readonly machines: number;
  readonly connections: number;
  /** Null where stages say it. */
  readonly connectRatePerSecond: number | null;
  /** Null where all connections are opened before the load. */
  readonly connectionStages: AttackPlan["connectionStages"];
  readonly target: Target;
  readonly sourceAddresses: readonly string[];
  /** So many of its own are being opened at once; null for as many as the rate asks for. */
  readonly connectBatch: number | null;
  readonly connectTimeoutMs: number;
  readonly load: AttackLoad;
  readonly message: string;
  readonly messageEncoding: "utf8" | "latin1";
  readonly binary: boolean;
  readonly reply: ReplyPlan;
  readonly replyTimeoutMs: number;
  readonly columns: readonly string[];
  /** Of the worker's own connections, by their place. */
  readonly rows: readonly (readonly string[])[];
  /** Null where messages go as they are; `name` is a built-in adapter's, or the path of a module. */
  readonly adapter: { readonly name: string; readonly options: Readonly<Record<string, string>> } | null;
  /** The absolute path of the module that each connection's user goes through in place of messages; null without. */
  readonly scenario: string | null;
  /** Connection i is in room i modulo `rooms`. */
  readonly rooms: number;
  readonly pingIntervalSeconds: number | null;
  readonly reconnect: boolean;
  readonly pacing: "spin" | "timer" | "tick";
  readonly seed: number;
  /** The attack's epoch on the machine's monotonic clock, in microseconds. */
  readonly epochUs: number;
}

/** An answer to an upgrade other than 101, the first of its status. */
export interface RefusalSample {
  readonly status: number;
  readonly location: string | null;
  readonly body: string;
}

/** How the worker's connections opened. */
export interface OpenReport extends OpeningReport {
  /** Ready at the end, by room over all of the worker's own. */
  readonly ready: number;
  readonly readyByRoom: readonly number[];
  /** Of those that opened, how many speak permessage-deflate. */
  readonly compressed: number;
  readonly refusals: readonly RefusalSample[];
}

/** What an adapter told of, and nobody waited for. */
export type StrayRule = "reply-to-nothing" | "delivery-without-stamp" | "delivery-of-another-room";

/** A message of the server that answers nothing. */
export interface Sample {
  readonly isText: boolean;
  /** The beginning of it. */
  readonly text: string;
  readonly bytes: number;
  /** The beginning of the oldest message without an answer; null where there was none. */
  readonly awaited: string | null;
}

/** Of connection stages, what a worker has done up to the end of one, since the attack's beginning. */
export interface StageSums {
  readonly opened: number;
  readonly failed: number;
  readonly died: number;
  readonly released: number;
  /** Then: those that messages may be sent on. */
  readonly open: number;
  readonly sent: number;
  readonly answered: number;
}

/** What a worker's load came to. */
export interface AttackReport extends PhaseProgress {
  readonly planned: number;
  readonly unsent: number;
  /** Of what was expected and didn't come: owed to connections that closed. */
  readonly lostOnClosed: number;
  readonly duplicated: number;
  readonly reordered: number;
  /** Messages that answer nothing. */
  readonly unmatched: number;
  readonly strays: readonly { readonly rule: StrayRule; readonly count: number }[];
  /** Of `expected` and `delivered`: not the replies, but what an adapter's server hands on. */
  readonly expectedDeliveries: number;
  readonly deliveries: number;
  /**
   * Of these deliveries those from one machine to another: how many others are owed of what was sent here, and how long
   * after it was due each came here of what others sent.
   */
  readonly oneWay: { readonly expected: number; readonly latency: SparseHistogram };
  readonly samples: readonly Sample[];
  /** Whole messages of the WebSocket, whatever they are. */
  readonly received: number;
  readonly bytesSent: number;
  readonly bytesReceived: number;
  /** From the load's beginning on, of connections that speak permessage-deflate; null where it is not asked for. */
  readonly compression: CompressionBytes | null;
  /** An adapter's servers that refused something, by reason. */
  readonly rejections: readonly { readonly reason: string; readonly count: number }[];
  readonly died: number;
  readonly deaths: Failures;
  readonly reconnected: number;
  readonly reconnectFailures: Failures;
  /**
   * Where connections come and go by stages: how all of them opened, and the sums at the end of each stage that began;
   * the last one's are those of the whole load. Else null.
   */
  readonly staged: { readonly opening: OpenReport; readonly sums: readonly StageSums[] } | null;
  readonly ready: number;
  readonly firstSendUs: number | null;
  readonly lastSendUs: number | null;
  readonly lastDeliveryUs: number | null;
  readonly uncorrected: SparseHistogram;
  readonly sendLag: SparseHistogram;
  readonly usage: WorkerUsage;
  /** Absent where there is no scenario. */
  readonly scenarioEnd?: ScenarioEnd;
}
