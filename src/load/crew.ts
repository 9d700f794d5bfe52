import { join } from "node:path";
import type {
  Command,
  ConnectProgress,
  ConnectReport,
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

export interface CrewOptions {
  readonly setups: readonly WorkerSetup[];
  readonly onConnectProgress: (worker: number, progress: ConnectProgress) => void;
  readonly onPhaseProgress: (worker: number, progress: PhaseProgress) => void;
}

/** All workers of a round, seen from the tool's process. */
export class Crew {
  readonly #workers: Bun.Subprocess[] = [];
  readonly #waiting: Map<Kind, (report: Report) => void>[] = [];
  /** Rejects when a worker ends before it was told to; never resolves. */
  readonly fault: Promise<never>;
  #fail: (error: WorkerFault) => void = () => {};
  #closing = false;

  private constructor() {
    this.fault = new Promise<never>((_, reject) => {
      this.#fail = reject;
    });
    // Those who wait race against it; if nobody waits just now, the next one who does will see it.
    this.fault.catch(() => {});
  }

  /** Starts one process per setup and waits until each is ready. */
  static async start(options: CrewOptions): Promise<{ crew: Crew; pinFailure: string | null }> {
    const crew = new Crew();
    try {
      for (const [worker, setup] of options.setups.entries()) crew.#spawn(worker, setup, options);
      const ready = await crew.#all("ready", answerTimeoutMs);
      return {
        crew,
        pinFailure: ready.map((one) => one.pinFailure).find((failure) => failure !== null) ?? null,
      };
    } catch (error) {
      crew.kill();
      throw error;
    }
  }

  /** @param batches per worker, connections it opens at once */
  async connect(batches: readonly number[]): Promise<ConnectReport[]> {
    const reports = this.#all("connected", null);
    this.#tell((worker) => ({ kind: "connect", batch: batches[worker] ?? 1 }));
    return (await reports).map(({ report }) => report);
  }

  stopConnecting(): void {
    this.#tell(() => ({ kind: "stop-connecting" }));
  }

  start(orders: readonly PhaseOrder[]): void {
    this.#tell((worker) => ({ kind: "start", order: orders[worker] as PhaseOrder }));
  }

  async settle(sentByRoom: readonly number[] | null): Promise<PhaseReport[]> {
    const reports = this.#all("settled", answerTimeoutMs);
    this.#tell(() => ({ kind: "settle", sentByRoom }));
    return (await reports).map(({ report }) => report);
  }

  /** Closes every connection properly, then ends the workers. */
  async close(): Promise<void> {
    this.#closing = true;
    try {
      const closed = this.#all("closed", answerTimeoutMs);
      this.#tell(() => ({ kind: "close" }));
      await closed;
      // The close frames get a moment to leave.
      await Bun.sleep(50);
    } finally {
      this.kill();
      await Promise.all(this.#workers.map((worker) => worker.exited));
    }
  }

  kill(): void {
    this.#closing = true;
    for (const worker of this.#workers) worker.kill("SIGKILL");
  }

  #spawn(worker: number, setup: WorkerSetup, options: CrewOptions): void {
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
        if (this.#closing) return;
        this.#fail(
          new WorkerFault(
            `worker ${worker} ended with ${signal ?? `code ${code}`} in the middle of its work`,
          ),
        );
      },
    });
    this.#workers.push(process);
    process.send({ kind: "setup", setup } satisfies Command);
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
