import type { ConnectionFailure } from "../../result/reasons.ts";
import { Histogram } from "../../stats/histogram.ts";
import type { Refusal } from "../../websocket/refusal.ts";
import type { OpenReport, RefusalSample } from "../attack/attack-orders.ts";
import type { Connection } from "../connection.ts";
import { FailureTally } from "../failure-tally.ts";
import type { ConnectProgress } from "../worker-protocol.ts";

/** Of each status one is kept, of so many. */
const mostRefusals = 8;

/** How the connections that a scenario opened came to be, and which were closed on it. */
export class Openings {
  readonly deaths = new FailureTally();
  /** Open now. */
  open = 0;
  readonly #speaksTls: boolean;
  readonly #failures = new FailureTally();
  readonly #refusals = new Map<number, RefusalSample>();
  readonly #tcp = new Histogram();
  readonly #tls = new Histogram();
  readonly #upgrade = new Histogram();
  #attempted = 0;
  #opened = 0;
  #compressed = 0;
  #failedInARow = 0;
  #firstAttemptUs: number | null = null;
  #lastOpenedUs: number | null = null;

  constructor(speaksTls: boolean) {
    this.#speaksTls = speaksTls;
  }

  get attempted(): number {
    return this.#attempted;
  }

  noteAttempt(nowUs: number): void {
    this.#attempted += 1;
    this.#firstAttemptUs ??= nowUs;
  }

  noteOpened({ times, isCompressed }: Connection, nowUs: number): void {
    this.#opened += 1;
    this.open += 1;
    this.#failedInARow = 0;
    if (isCompressed) this.#compressed += 1;
    this.#lastOpenedUs = nowUs;
    if (times === null) return;
    this.#tcp.record(Math.floor(times.tcpUs - times.startUs));
    if (this.#speaksTls) this.#tls.record(Math.floor(times.tlsUs - times.tcpUs));
    this.#upgrade.record(Math.floor(times.upgradeUs - times.tlsUs));
  }

  noteFailed(failure: ConnectionFailure, refusal: Refusal | null): void {
    this.#failures.note(failure);
    this.#failedInARow += 1;
    if (refusal === null || this.#refusals.has(refusal.status) || this.#refusals.size >= mostRefusals) return;
    const { status, location, body } = refusal;
    this.#refusals.set(status, { status, location, body });
  }

  noteDied(failure: ConnectionFailure): void {
    this.open -= 1;
    this.deaths.note(failure);
  }

  /** Those that are open and those that died: what the scenario closed itself is of no interest while it goes on. */
  progress(): ConnectProgress {
    return {
      attempted: this.#attempted,
      opened: this.open + this.deaths.total,
      failed: this.#failures.total,
      failedInARow: this.#failedInARow,
      died: this.deaths.total,
    };
  }

  report(): OpenReport {
    return {
      ...this.progress(),
      opened: this.#opened,
      ready: this.open,
      readyByRoom: [],
      compressed: this.#compressed,
      failures: this.#failures.list(),
      refusals: [...this.#refusals.values()],
      // The scenario or the load's end took them back.
      notAttempted: this.#attempted - this.#opened - this.#failures.total,
      firstAttemptUs: this.#firstAttemptUs,
      lastOpenedUs: this.#lastOpenedUs,
      tcp: this.#tcp.toSparse(),
      tls: this.#speaksTls ? this.#tls.toSparse() : null,
      upgrade: this.#upgrade.toSparse(),
      join: new Histogram().toSparse(),
    };
  }
}
