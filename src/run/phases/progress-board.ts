import type { ConnectProgress, PhaseProgress } from "../../engine/worker-protocol.ts";
import { Histogram } from "../../stats/histogram.ts";

export interface SecondTotals {
  sent: number;
  delivered: number;
  readonly latency: Histogram;
}

/** Where all workers of a phase are, merged by second of the phase and not by when a report came in. */
export class ProgressBoard {
  readonly seconds = new Map<number, SecondTotals>();
  readonly #connect: (ConnectProgress | null)[];
  readonly #phase: (PhaseProgress | null)[];
  readonly #heardMs: number[];

  constructor(workers: number) {
    this.#heardMs = new Array<number>(workers).fill(performance.now());
    this.#connect = new Array<null>(workers).fill(null);
    this.#phase = new Array<null>(workers).fill(null);
  }

  reset(): void {
    this.seconds.clear();
    this.#connect.fill(null);
    this.#phase.fill(null);
    this.#heardMs.fill(performance.now());
  }

  noteConnect(worker: number, progress: ConnectProgress): void {
    this.#connect[worker] = progress;
  }

  notePhase(worker: number, progress: PhaseProgress): void {
    this.#phase[worker] = progress;
    this.#heardMs[worker] = performance.now();
    for (const { second, sent, delivered, latency } of progress.seconds) {
      const totals = this.seconds.get(second) ?? { sent: 0, delivered: 0, latency: new Histogram() };
      totals.sent += sent;
      totals.delivered += delivered;
      totals.latency.add(latency);
      this.seconds.set(second, totals);
    }
  }

  /** How long the worker that was silent longest has told nothing of the phase; they report a few times a second. */
  longestUnheardMs(): number {
    return performance.now() - Math.min(...this.#heardMs);
  }

  connectTotals() {
    const known = this.#connect.filter((progress) => progress !== null);
    const sum = (pick: (progress: ConnectProgress) => number) =>
      known.reduce((all, one) => all + pick(one), 0);
    return {
      attempted: sum((one) => one.attempted),
      opened: sum((one) => one.opened),
      failed: sum((one) => one.failed),
      /** Every worker that has reported fails with each attempt. */
      failing: known.length > 0 && known.every((one) => one.failedInARow > 0),
      failedInARow: sum((one) => one.failedInARow),
    };
  }

  phaseTotals() {
    const known = this.#phase.filter((progress) => progress !== null);
    const sum = (pick: (progress: PhaseProgress) => number) => known.reduce((all, one) => all + pick(one), 0);
    return {
      sent: sum((one) => one.sent),
      expected: sum((one) => one.expected),
      /** Arrived, intact or not. */
      arrived: sum((one) => one.delivered + one.corrupted),
      errors: sum((one) => one.errors),
      finishedSending: known.length === this.#phase.length && known.every((one) => one.finishedSending),
    };
  }
}
