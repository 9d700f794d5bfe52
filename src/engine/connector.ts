import type { ConnectionFailure } from "../result/reasons.ts";
import type { Connection } from "./connection.ts";
import { Openings } from "./openings.ts";
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
  readonly #openings: Openings;
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
    this.#openings = new Openings(options.speaksTls);
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
    const openings = this.#openings;
    onProgress(openings.progress());
    return {
      ...openings.report(connections.length - openings.attempted),
      deaths: openings.deaths.list(),
    };
  }

  /** No further connection, and no more patience with those that are being opened. */
  stop(): void {
    this.#isStopped = true;
    this.#most = 0;
    this.#expire(Number.POSITIVE_INFINITY);
  }

  noteOpened(connection: Connection): void {
    const { times } = connection;
    this.#openings.noteUpgraded(connection);
    if (times !== null) this.#openings.noteJoined(times.joinUs - times.upgradeUs);
    this.#openings.noteOpened(connection, this.#nowUs());
    this.#settleOne();
  }

  noteFailed(failure: ConnectionFailure): void {
    this.#openings.noteFailed(failure);
    this.#settleOne();
  }

  /** Of one that had opened. */
  noteDied(failure: ConnectionFailure): void {
    this.#openings.noteDied(failure);
  }

  #openNext(): void {
    const { connections, sourceAddresses } = this.#options;
    const openings = this.#openings;
    while (this.#pending < this.#most && openings.attempted < connections.length) {
      const source = sourceAddresses[openings.attempted % Math.max(1, sourceAddresses.length)] ?? null;
      const connection = connections[openings.attempted] as Connection;
      openings.noteAttempt(this.#nowUs());
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
      this.#onProgress(this.#openings.progress());
    }
  }

  #expireLate(): void {
    const { clockUs, timeoutMs } = this.#options;
    this.#expire(clockUs() - timeoutMs * 1000);
  }

  /** Gives up what was begun before that moment and is not open: they were begun in order. */
  #expire(beforeUs: number): void {
    const { connections } = this.#options;
    for (; this.#oldest < this.#openings.attempted; this.#oldest += 1) {
      const connection = connections[this.#oldest] as Connection;
      const { times } = connection;
      if (times === null) continue;
      if (times.startUs >= beforeUs) return;
      connection.expire();
    }
  }

  #nowUs(): number {
    return this.#options.clockUs() - this.#options.epochUs;
  }
}
