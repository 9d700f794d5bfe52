import type { ConnectionFailure } from "../result/reasons.ts";
import { Histogram } from "../stats/histogram.ts";
import type { Refusal } from "../websocket/refusal.ts";
import type { RefusalSample } from "./attack/attack-orders.ts";
import type { Connection } from "./connection.ts";
import { FailureTally } from "./failure-tally.ts";
import type { ConnectProgress, OpeningReport } from "./worker-protocol.ts";

/** Of each status one is kept, of so many. */
const mostRefusals = 8;

/** How a worker's connections came to be, each counted once, and how those died that did not last. */
export class Openings {
  readonly deaths = new FailureTally();
  readonly #speaksTls: boolean;
  readonly #failures = new FailureTally();
  readonly #refusals = new Map<number, RefusalSample>();
  readonly #tcp = new Histogram();
  /** Stays empty where no TLS is spoken. */
  readonly #tls = new Histogram();
  readonly #upgrade = new Histogram();
  readonly #join = new Histogram();
  #attempted = 0;
  #opened = 0;
  /** Of those that opened. */
  #compressed = 0;
  #reopened = 0;
  #failedInARow = 0;
  #firstAttemptUs: number | null = null;
  #lastOpenedUs: number | null = null;

  constructor(speaksTls: boolean) {
    this.#speaksTls = speaksTls;
  }

  get attempted(): number {
    return this.#attempted;
  }

  get opened(): number {
    return this.#opened;
  }

  get failed(): number {
    return this.#failures.total;
  }

  get compressed(): number {
    return this.#compressed;
  }

  /** Those that died and are open again, each as often as that. */
  get reopened(): number {
    return this.#reopened;
  }

  get refusals(): RefusalSample[] {
    return [...this.#refusals.values()];
  }

  noteAttempt(nowUs: number): void {
    this.#attempted += 1;
    this.#firstAttemptUs ??= nowUs;
  }

  /** How long it took up to the server's answer to the upgrade. */
  noteUpgraded({ times }: Pick<Connection, "times">): void {
    if (times === null) return;
    this.#tcp.record(Math.floor(times.tcpUs - times.startUs));
    if (this.#speaksTls) this.#tls.record(Math.floor(times.tlsUs - times.tcpUs));
    this.#upgrade.record(Math.floor(times.upgradeUs - times.tlsUs));
  }

  /** How long it took from there until the connection could be used. */
  noteJoined(us: number): void {
    this.#join.record(Math.floor(us));
  }

  noteOpened({ isCompressed }: Pick<Connection, "isCompressed">, nowUs: number): void {
    this.#opened += 1;
    this.#failedInARow = 0;
    if (isCompressed) this.#compressed += 1;
    this.#lastOpenedUs = nowUs;
  }

  noteReopened(): void {
    this.#reopened += 1;
    this.#failedInARow = 0;
  }

  noteFailed(failure: ConnectionFailure): void {
    this.#failures.note(failure);
    this.#failedInARow += 1;
  }

  noteRefusal({ status, location, body }: Refusal): void {
    if (this.#refusals.has(status) || this.#refusals.size >= mostRefusals) return;
    this.#refusals.set(status, { status, location, body });
  }

  /** Of one that had opened. */
  noteDied(failure: ConnectionFailure): void {
    this.deaths.note(failure);
  }

  progress(): ConnectProgress {
    return {
      attempted: this.#attempted,
      opened: this.#opened,
      failed: this.failed,
      failedInARow: this.#failedInARow,
      died: this.deaths.total,
    };
  }

  report(notAttempted: number): OpeningReport {
    return {
      ...this.progress(),
      failures: this.#failures.list(),
      notAttempted,
      firstAttemptUs: this.#firstAttemptUs,
      lastOpenedUs: this.#lastOpenedUs,
      tcp: this.#tcp.toSparse(),
      tls: this.#speaksTls ? this.#tls.toSparse() : null,
      upgrade: this.#upgrade.toSparse(),
      join: this.#join.toSparse(),
    };
  }
}
