import type { ConnectionFailure } from "../result/reasons.ts";
import { Histogram } from "../stats/histogram.ts";
import type { Connection } from "./connection.ts";
import { FailureTally } from "./failure-tally.ts";
import type { ConnectProgress, ConnectReport } from "./worker-protocol.ts";

/** How far it is is told for every so many connections, or so often. */
const leastBetweenReports = 20;
const mostReports = 200;
/** How often it is looked for connections that take too long. */
const expiryIntervalMs = 100;

interface ConnectorOptions {
  readonly connections: readonly Connection[];
  readonly sourceAddresses: readonly string[];
  readonly timeoutMs: number;
  readonly epochUs: number;
  readonly clockUs: () => number;
  readonly speaksTls: boolean;
}

type Opened = Omit<ConnectReport, "usage" | "idleRssBytes" | "alive" | "open">;

/** Opens a worker's connections, so many at once: whenever one of them is open or has failed, the next is begun. */
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
  /** No connection before this place is being opened. */
  #oldest = 0;
  /** How many may be opened at once; 0 where no more are. */
  #most = 0;
  #isStopped = false;
  #untold = 0;
  readonly #betweenReports: number;
  #done: () => void = () => {};
  #onProgress: (progress: ConnectProgress) => void = () => {};

  constructor(options: ConnectorOptions) {
    this.#options = options;
    this.#betweenReports = Math.max(leastBetweenReports, Math.ceil(options.connections.length / mostReports));
  }

  async run(batch: number, onProgress: (progress: ConnectProgress) => void): Promise<Opened> {
    const { connections } = this.#options;
    this.#onProgress = onProgress;
    const done = new Promise<void>((resolve) => {
      this.#done = resolve;
    });
    const timer = setInterval(() => this.#expireLate(), expiryIntervalMs);
    this.#most = this.#isStopped ? 0 : batch;
    this.#openNext();
    if (this.#pending > 0) await done;
    clearInterval(timer);
    onProgress(this.#progress());
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

  /** No further connection, and no more patience with those that are being opened. */
  stop(): void {
    this.#isStopped = true;
    this.#most = 0;
    this.#expire(Number.POSITIVE_INFINITY);
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

  #openNext(): void {
    const { connections, sourceAddresses, clockUs, epochUs } = this.#options;
    while (this.#pending < this.#most && this.#attempted < connections.length) {
      this.#firstAttemptUs ??= clockUs() - epochUs;
      const source = sourceAddresses[this.#attempted % Math.max(1, sourceAddresses.length)] ?? null;
      const connection = connections[this.#attempted] as Connection;
      this.#attempted += 1;
      this.#pending += 1;
      connection.open(source);
    }
  }

  #settleOne(): void {
    this.#pending -= 1;
    this.#untold += 1;
    this.#openNext();
    if (this.#pending === 0) this.#done();
    else if (this.#untold >= this.#betweenReports) {
      this.#untold = 0;
      this.#onProgress(this.#progress());
    }
  }

  #expireLate(): void {
    const { clockUs, timeoutMs } = this.#options;
    this.#expire(clockUs() - timeoutMs * 1000);
  }

  /** Gives up what was begun before that moment and is not open: they were begun in order. */
  #expire(beforeUs: number): void {
    const { connections } = this.#options;
    for (; this.#oldest < this.#attempted; this.#oldest += 1) {
      const connection = connections[this.#oldest] as Connection;
      const { times } = connection;
      if (times === null) continue;
      if (times.startUs >= beforeUs) return;
      connection.expire();
    }
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
