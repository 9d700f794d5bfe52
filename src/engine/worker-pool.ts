import { join } from "node:path";
import type {
  Command,
  ConnectProgress,
  ConnectReport,
  MendReport,
  PhaseOrder,
  PhaseProgress,
  PhaseReport,
  Report,
  WorkerSetup,
} from "./worker-protocol.ts";

const workerScript = join(import.meta.dir, "worker.ts");
/** Answers that need no waiting for the server come within this, or the worker is stuck. */
const answerTimeoutMs = 30_000;

type Kind = Report["kind"];
type Of<K extends Kind> = Extract<Report, { kind: K }>;

/** A generator process is gone or stuck: the tool's own fault, never the contender's. */
export class WorkerFault extends Error {
  override readonly name = "WorkerFault";
}

export interface WorkerPoolOptions {
  readonly workers: number;
  readonly onConnectProgress: (worker: number, progress: ConnectProgress) => void;
  readonly onPhaseProgress: (worker: number, progress: PhaseProgress) => void;
}

/** All workers of a round, seen from the tool's process. */
export class WorkerPool {
  readonly #workers: Bun.Subprocess[] = [];
  readonly #waiting: Map<Kind, (report: Report) => void>[] = [];
  /** Rejects when a worker ends before it was told to; never resolves. */
  readonly fault: Promise<never>;
  #fail: (error: WorkerFault) => void = () => {};
  #ending = false;

  private constructor() {
    this.fault = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    // Those who wait race against it; if nobody waits just now, the next one who does will see it.
    this.fault.catch(() => {});
  }

  static start(options: WorkerPoolOptions): WorkerPool {
    const pool = new WorkerPool();
    for (let worker = 0; worker < options.workers; worker += 1) pool.#spawn(worker, options);
    return pool;
  }

  /**
   * Gives every worker new connections, none of them open; those of an earlier setup have to be closed.
   *
   * @returns why a worker is not pinned as it should be, or null
   */
  async setup(setups: readonly WorkerSetup[]): Promise<string | null> {
    const ready = this.#all("ready", answerTimeoutMs);
    this.#tell((worker) => ({ kind: "setup", setup: setups[worker] as WorkerSetup }));
    return (await ready).map((one) => one.pinFailure).find((failure) => failure !== null) ?? null;
  }

  /** @param batches per worker, connections it opens at once */
  async connect(batches: readonly number[]): Promise<ConnectReport[]> {
    const reports = this.#all("connected", null);
    this.#tell((worker) => ({ kind: "connect", batch: batches[worker] ?? 1 }));
    return (await reports).map(({ report }) => report);
  }

  /** Gives up what is being opened; `connect` then returns. */
  stopConnecting(): void {
    this.#tell(() => ({ kind: "stop-connecting" }));
  }

  /** Closes the last `counts[worker]` connections that opened; returns those left. */
  async release(counts: readonly number[]): Promise<number[]> {
    const released = this.#all("released", answerTimeoutMs);
    this.#tell((worker) => ({ kind: "release", count: counts[worker] ?? 0 }));
    return (await released).flatMap(({ alive }) => alive).sort((a, b) => a - b);
  }

  start(orders: readonly PhaseOrder[]): void {
    this.#tell((worker) => ({ kind: "start", order: orders[worker] as PhaseOrder }));
  }

  async settle(): Promise<PhaseReport[]> {
    const reports = this.#all("settled", answerTimeoutMs);
    this.#tell(() => ({ kind: "settle" }));
    return (await reports).map(({ report }) => report);
  }

  /** After a fault: waits until every connection is back, and gives up those that are not in time. */
  async mend(timeoutMs: number): Promise<MendReport[]> {
    const reports = this.#all("mended", timeoutMs + answerTimeoutMs);
    this.#tell(() => ({ kind: "mend", timeoutMs }));
    return (await reports).map(({ report }) => report);
  }

  /** Closes every connection properly. */
  async close(): Promise<void> {
    const closed = this.#all("closed", answerTimeoutMs);
    this.#tell(() => ({ kind: "close" }));
    await closed;
  }

  /** Ends the workers at once. */
  async end(): Promise<void> {
    this.#ending = true;
    for (const worker of this.#workers) worker.kill("SIGKILL");
    await Promise.all(this.#workers.map((worker) => worker.exited));
  }

  #spawn(worker: number, options: WorkerPoolOptions): void {
    const waiting = new Map<Kind, (report: Report) => void>();
    this.#waiting.push(waiting);
    const process = Bun.spawn([globalThis.process.execPath, workerScript], {
      stdin: "ignore",
      stdout: "inherit",
      stderr: "inherit",
      serialization: "advanced",
      ipc: (message: Report) => {
        if (message.kind === "connecting") options.onConnectProgress(worker, message.progress);
        else if (message.kind === "progress") options.onPhaseProgress(worker, message.progress);
        else if (message.kind === "fault") this.#fail(new WorkerFault(`worker ${worker}: ${message.text}`));
        else waiting.get(message.kind)?.(message);
      },
      onExit: (_, code, signal) => {
        if (this.#ending) return;
        this.#fail(
          new WorkerFault(
            `worker ${worker} ended with ${signal ?? `code ${code}`} in the middle of its work`,
          ),
        );
      },
    });
    this.#workers.push(process);
  }

  #tell(commandFor: (worker: number) => Command): void {
    for (const [worker, process] of this.#workers.entries()) process.send(commandFor(worker));
  }

  /** One report of a kind from every worker. */
  async #all<K extends Kind>(kind: K, timeoutMs: number | null): Promise<Of<K>[]> {
    const answers = this.#waiting.map(
      (waiting) =>
        new Promise<Of<K>>((resolve) => {
          waiting.set(kind, (report) => {
            waiting.delete(kind);
            resolve(report as Of<K>);
          });
        }),
    );
    let timer: Timer | undefined;
    const contestants: Promise<Of<K>[]>[] = [Promise.all(answers), this.fault];
    if (timeoutMs !== null) {
      contestants.push(
        new Promise<never>((_, reject) => {
          timer = setTimeout(
            () => reject(new WorkerFault(`a worker gave no "${kind}" within ${timeoutMs / 1000} s`)),
            timeoutMs,
          );
        }),
      );
    }
    try {
      return await Promise.race(contestants);
    } finally {
      clearTimeout(timer);
    }
  }
}
