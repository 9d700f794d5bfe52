import type { ConnectionFailure } from "../result/reasons.ts";
import { Histogram } from "../stats/histogram.ts";
import type { Connection } from "./connection.ts";
import { FailureTally } from "./failure-tally.ts";
import type { ConnectProgress, ConnectReport } from "./worker-protocol.ts";

/** How far it is is told for every so many connections that opened, beside the end of a batch. */
const openedBetweenReports = 20;

interface ConnectorOptions {
  readonly connections: readonly Connection[];
  readonly sourceAddresses: readonly string[];
  readonly timeoutMs: number;
  readonly epochUs: number;
  readonly clockUs: () => number;
  readonly speaksTls: boolean;
}

type Opened = Omit<ConnectReport, "usage" | "idleRssBytes" | "alive" | "open">;

/** Opens a worker's connections, a batch at a time; a batch is over when each of its connections is open or has failed. */
export class Connector {
  readonly #options: ConnectorOptions;
  readonly #tcp = new Histogram();
  /** Stays empty where no TLS is spoken. */
  readonly #tls = new Histogram();
  readonly #upgrade = new Histogram();
  readonly #join = new Histogram();
  readonly #failures = new FailureTally();
  readonly #deaths = new FailureTally();
  #attempted = 0;
  #opened = 0;
  #failedInARow = 0;
  #firstAttemptUs: number | null = null;
  #lastOpenedUs: number | null = null;
  #pending = 0;
  #stopped = false;
  #batchDone: () => void = () => {};
  #onProgress: (progress: ConnectProgress) => void = () => {};
  #expireBatch: () => void = () => {};

  constructor(options: ConnectorOptions) {
    this.#options = options;
  }

  async run(batch: number, onProgress: (progress: ConnectProgress) => void): Promise<Opened> {
    const { connections, sourceAddresses, timeoutMs, clockUs, epochUs } = this.#options;
    this.#onProgress = onProgress;
    while (this.#attempted < connections.length && !this.#stopped) {
      const group = connections.slice(this.#attempted, this.#attempted + batch);
      this.#firstAttemptUs ??= clockUs() - epochUs;
      const done = new Promise<void>((resolve) => {
        this.#batchDone = resolve;
      });
      this.#pending = group.length;
      for (const connection of group) {
        const source = sourceAddresses[this.#attempted % Math.max(1, sourceAddresses.length)] ?? null;
        this.#attempted += 1;
        connection.open(source);
      }
      this.#expireBatch = () => {
        for (const connection of group) connection.expire();
      };
      const timer = setTimeout(this.#expireBatch, timeoutMs);
      await done;
      clearTimeout(timer);
      onProgress(this.#progress());
    }
    return {
      ...this.#progress(),
      failures: this.#failures.list(),
      deaths: this.#deaths.list(),
      notAttempted: connections.length - this.#attempted,
      firstAttemptUs: this.#firstAttemptUs,
      lastOpenedUs: this.#lastOpenedUs,
      tcp: this.#tcp.toSparse(),
      tls: this.#options.speaksTls ? this.#tls.toSparse() : null,
      upgrade: this.#upgrade.toSparse(),
      join: this.#join.toSparse(),
    };
  }

  /** No further batch, and no more patience with the current one. */
  stop(): void {
    this.#stopped = true;
    this.#expireBatch();
  }

  noteOpened({ times }: Connection): void {
    const { clockUs, epochUs, speaksTls } = this.#options;
    this.#opened += 1;
    this.#failedInARow = 0;
    this.#lastOpenedUs = clockUs() - epochUs;
    if (times !== null) {
      this.#tcp.record(Math.floor(times.tcpUs - times.startUs));
      if (speaksTls) this.#tls.record(Math.floor(times.tlsUs - times.tcpUs));
      this.#upgrade.record(Math.floor(times.upgradeUs - times.tlsUs));
      this.#join.record(Math.floor(times.joinUs - times.upgradeUs));
    }
    if (this.#opened % openedBetweenReports === 0) this.#onProgress(this.#progress());
    this.#settleOne();
  }

  noteFailed(failure: ConnectionFailure): void {
    this.#failures.note(failure);
    this.#failedInARow += 1;
    this.#settleOne();
  }

  /** Of one that had opened. */
  noteDied(failure: ConnectionFailure): void {
    this.#deaths.note(failure);
  }

  #settleOne(): void {
    this.#pending -= 1;
    if (this.#pending === 0) this.#batchDone();
  }

  #progress(): ConnectProgress {
    return {
      attempted: this.#attempted,
      opened: this.#opened,
      failed: this.#failures.total,
      failedInARow: this.#failedInARow,
      died: this.#deaths.total,
    };
  }
}
