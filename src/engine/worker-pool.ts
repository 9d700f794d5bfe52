import type { AttackReport, AttackSetup, OpenReport } from "./attack/attack-orders.ts";
import type { Liveness } from "./liveness.ts";
import { openProcessLink } from "./process-link.ts";
import { WorkerFault, type WorkerTrouble } from "./worker-fault.ts";
import type { OpenLink, WorkerLink } from "./worker-link.ts";
import type {
  AttackStart,
  Command,
  ConnectProgress,
  ConnectReport,
  PhaseOrder,
  PhaseProgress,
  PhaseReport,
  ReconnectReport,
  Report,
  WorkerReady,
  WorkerSetup,
} from "./worker-protocol.ts";

/** Answers that need no waiting for the server come within this, or the worker is stuck. */
const answerTimeoutMs = 30_000;

/** A million goodbyes take the better part of a minute. */
const closeTimeoutMs = 120_000;

type Kind = Report["kind"];
type Of<K extends Kind> = Extract<Report, { kind: K }>;

interface WorkerPoolOptions {
  readonly workers: number;
  readonly onConnectProgress: (worker: number, progress: ConnectProgress) => void;
  readonly onPhaseProgress: (worker: number, progress: PhaseProgress) => void;
  /** How a worker is started and reached; a child process where nothing is said. */
  readonly openLink?: OpenLink;
}

/** One report is being waited for from each worker. */
interface Waiting {
  readonly answers: (Report | null)[];
  readonly resolve: (reports: Report[]) => void;
  readonly reject: (fault: WorkerFault) => void;
}

/**
 * All workers of a round, seen from the tool. When one of them fails, whatever is being waited for rejects with a
 * `WorkerFault`, and so does all that is asked for later; `end` is what remains.
 */
export class WorkerPool {
  readonly #links: WorkerLink[];
  readonly #options: WorkerPoolOptions;
  readonly #waiting = new Map<Kind, Waiting>();
  #failed: WorkerFault | null = null;
  #isEnding = false;

  /** Starts them. */
  constructor(options: WorkerPoolOptions) {
    this.#options = options;
    const open = options.openLink ?? openProcessLink;
    this.#links = Array.from({ length: options.workers }, (_, worker) =>
      open(worker, {
        onReport: (report) => this.#onReport(worker, report),
        onExit: (exit) => {
          if (!this.#isEnding) this.#fail({ worker, exit });
        },
        onLost: (reason) => this.#fail({ worker, reason }),
      }),
    );
  }

  /** The first worker that ended before it was told to, or got stuck; for loops that look from time to time. */
  get failed(): WorkerFault | null {
    return this.#failed;
  }

  /** Gives every worker new connections, none of them open; those of an earlier setup have to be closed. */
  async setup(setups: readonly WorkerSetup[]): Promise<readonly WorkerReady[]> {
    const commands = setups.map((setup) => ({ kind: "setup", setup }) as const);
    return (await this.#ask("ready", commands)).map(({ ready }) => ready);
  }

  /** @param batches per worker, connections it opens at once */
  async connect(batches: readonly number[]): Promise<ConnectReport[]> {
    const commands = batches.map((batch) => ({ kind: "connect", batch }) as const);
    return (await this.#ask("connected", commands, null)).map(({ report }) => report);
  }

  /** Gives up what is being opened; `connect` then returns. */
  stopConnecting(): void {
    this.#tell(this.#all({ kind: "stop-connecting" }));
  }

  /** Closes the last `counts[worker]` connections that opened; returns those left, per worker. */
  async release(counts: readonly number[]): Promise<Liveness[]> {
    const released = await this.#ask(
      "released",
      counts.map((count) => ({ kind: "release", count }) as const),
    );
    return released.map(({ alive }) => alive);
  }

  /** Everybody makes ready for a phase; resolves when all are. What arrives from then on is counted. */
  async prepare(orders: readonly PhaseOrder[]): Promise<void> {
    await this.#ask(
      "prepared",
      orders.map((order) => ({ kind: "prepare", order }) as const),
    );
  }

  /** @param startUs of the prepared phase on the run's epoch; milliseconds away, so that every worker hears of it */
  start(startUs: number): void {
    this.#tell(this.#all({ kind: "start", startUs }));
  }

  /** Ends the phase, whether it was started or only prepared. */
  async settle(): Promise<PhaseReport[]> {
    return (await this.#ask("settled", this.#all({ kind: "settle" }))).map(({ report }) => report);
  }

  /** After a fault: waits until every connection is back, and gives up those that are not in time. */
  async reconnect(timeoutMs: number): Promise<ReconnectReport[]> {
    const commands = this.#all({ kind: "reconnect", timeoutMs });
    const back = await this.#ask("reconnected", commands, timeoutMs + answerTimeoutMs);
    return back.map(({ report }) => report);
  }

  /** As `setup`, of an attack. */
  async setupAttack(setups: readonly AttackSetup[]): Promise<readonly WorkerReady[]> {
    const commands = setups.map((setup) => ({ kind: "setup-attack", setup }) as const);
    return (await this.#ask("ready", commands)).map(({ ready }) => ready);
  }

  /** Opens the connections of an attack at their rate; resolves when each is open or has failed. */
  async open(startUs: number): Promise<OpenReport[]> {
    return (await this.#ask("opened", this.#all({ kind: "open", startUs }), null)).map(
      ({ report }) => report,
    );
  }

  /** Begins the load of an attack. */
  attack(start: AttackStart): void {
    this.#tell(this.#all({ kind: "attack", ...start }));
  }

  async settleAttack(): Promise<AttackReport[]> {
    return (await this.#ask("attacked", this.#all({ kind: "settle-attack" }))).map(({ report }) => report);
  }

  /** Closes every connection properly. */
  async close(): Promise<void> {
    await this.#ask("closed", this.#all({ kind: "close" }), closeTimeoutMs);
  }

  /** Of a worker that tells nothing any more: whatever is asked for from now on rejects. */
  giveUp(worker: number, message: string): void {
    this.#fail({ worker, message });
  }

  /** Ends the workers at once. */
  async end(): Promise<void> {
    this.#isEnding = true;
    await Promise.all(this.#links.map((link) => link.end()));
  }

  #onReport(worker: number, report: Report): void {
    if (report.kind === "connecting") this.#options.onConnectProgress(worker, report.progress);
    else if (report.kind === "progress") this.#options.onPhaseProgress(worker, report.progress);
    else if (report.kind === "fault") this.#fail({ worker, message: report.message });
    else this.#take(worker, report);
  }

  #take(worker: number, report: Report): void {
    const waiting = this.#waiting.get(report.kind);
    if (waiting === undefined) return;
    waiting.answers[worker] = report;
    const answers = waiting.answers.filter((answer) => answer !== null);
    if (answers.length < this.#links.length) return;
    this.#waiting.delete(report.kind);
    waiting.resolve(answers);
  }

  #fail(trouble: WorkerTrouble): void {
    if (this.#failed !== null) return;
    const fault = new WorkerFault(trouble);
    this.#failed = fault;
    for (const { reject } of this.#waiting.values()) reject(fault);
    this.#waiting.clear();
  }

  #all(command: Command): Command[] {
    return this.#links.map(() => command);
  }

  #tell(commands: readonly Command[]): void {
    for (const [worker, command] of commands.entries()) this.#links[worker]?.send(command);
  }

  /** Tells every worker something and waits for one report of a kind from each: one question of a kind at a time. */
  async #ask<K extends Kind>(
    kind: K,
    commands: readonly Command[],
    timeoutMs: number | null = answerTimeoutMs,
  ): Promise<Of<K>[]> {
    if (this.#failed !== null) throw this.#failed;
    const answers = this.#links.map(() => null);
    let timer: Timer | undefined;
    try {
      const reports = await new Promise<Report[]>((resolve, reject) => {
        this.#waiting.set(kind, { answers, resolve, reject });
        if (timeoutMs !== null) timer = setTimeout(() => this.#giveUp(kind, answers, timeoutMs), timeoutMs);
        this.#tell(commands);
      });
      return reports as Of<K>[];
    } finally {
      clearTimeout(timer);
    }
  }

  #giveUp(kind: Kind, answers: readonly (Report | null)[], timeoutMs: number): void {
    const worker = Math.max(0, answers.indexOf(null));
    this.#fail({ worker, message: `no "${kind}" within ${timeoutMs / 1000} s` });
  }
}
