import type { ConnectProgress, PhaseProgress } from "../../engine/worker-protocol.ts";
import { Histogram } from "../../stats/histogram.ts";
import { type LoadSecond, TimelineBuilder } from "./timeline.ts";

/** What one second of a load looks like from outside. */
interface LatestSecond {
  readonly second: number;
  delivered: number;
  readonly latency: Histogram;
}

/** Where all workers of a phase are: running sums, so that a phase of a day takes no more memory than one of minutes. */
export class ProgressBoard {
  /** Of all deliveries of the phase. */
  latency = new Histogram();
  timeline = new TimelineBuilder();
  /** Delivered before the load's planned end. */
  deliveredInTime = 0;
  /** Called at each news of connections. */
  onConnect: () => void = () => {};
  /** Called with each second of a load that a worker tells. */
  onSecond: (second: LoadSecond) => void = () => {};
  #loadSeconds = Number.POSITIVE_INFINITY;
  #latest: LatestSecond | null = null;
  readonly #connect: (ConnectProgress | null)[];
  readonly #phase: (PhaseProgress | null)[];
  readonly #heardMs: number[];
  /** Of the deliveries to each agent's workers; none where this machine makes the load. */
  readonly latencyOf: readonly Histogram[];

  /** @param agents of a fleet: worker w is of agent w modulo their count */
  constructor(workers: number, agents = 0) {
    this.latencyOf = Array.from({ length: agents }, () => new Histogram());
    this.#heardMs = new Array<number>(workers).fill(performance.now());
    this.#connect = new Array<null>(workers).fill(null);
    this.#phase = new Array<null>(workers).fill(null);
  }

  /** @param loadSeconds how long the load is to last; absent where it lasts until it is done */
  reset(loadSeconds = Number.POSITIVE_INFINITY): void {
    this.latency.reset();
    for (const latency of this.latencyOf) latency.reset();
    this.timeline = new TimelineBuilder();
    this.deliveredInTime = 0;
    this.#loadSeconds = loadSeconds;
    this.#latest = null;
    this.#connect.fill(null);
    this.#phase.fill(null);
    this.#heardMs.fill(performance.now());
  }

  noteConnect(worker: number, progress: ConnectProgress): void {
    this.#connect[worker] = progress;
    this.onConnect();
  }

  notePhase(worker: number, progress: PhaseProgress): void {
    this.#phase[worker] = progress;
    this.#heardMs[worker] = performance.now();
    for (const second of progress.seconds) {
      this.#fold(second);
      this.latencyOf[worker % this.latencyOf.length]?.add(second.latency);
      this.onSecond(second);
    }
  }

  /** How long the worker that was silent longest has told nothing of the phase; they report a few times a second. */
  longestUnheardMs(): number {
    return performance.now() - Math.min(...this.#heardMs);
  }

  /** The worker that was silent longest. */
  quietest(): number {
    return this.#heardMs.indexOf(Math.min(...this.#heardMs));
  }

  /** The last second of which anything is known. */
  latest() {
    const latency = this.#latest?.latency;
    return {
      delivered: this.#latest?.delivered ?? 0,
      p50Us: latency?.valueAt(0.5) ?? null,
      p90Us: latency?.valueAt(0.9) ?? null,
      p99Us: latency?.valueAt(0.99) ?? null,
      maxUs: latency?.valueAt(1) ?? null,
    };
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
      died: sum((one) => one.died),
      reconnected: sum((one) => one.reconnected ?? 0),
      /** At this moment. */
      open: sum((one) => one.opened - one.died + (one.reconnected ?? 0) - (one.released ?? 0)),
    };
  }

  phaseTotals() {
    const known = this.#phase.filter((progress) => progress !== null);
    const sum = (pick: (progress: PhaseProgress) => number) => known.reduce((all, one) => all + pick(one), 0);
    return {
      sent: sum((one) => one.sent),
      expected: sum((one) => one.expected),
      /** Intact and as text: nothing else stands for a delivery. */
      delivered: sum((one) => one.delivered),
      /** Of any bytes at all: a sign of life. */
      lastArrivalUs: known.reduce((last, one) => Math.max(last, one.lastArrivalUs), 0),
      errors: sum((one) => one.errors),
      finishedSending: known.length === this.#phase.length && known.every((one) => one.finishedSending),
    };
  }

  #fold(second: LoadSecond): void {
    this.timeline.addLoad(second);
    this.latency.add(second.latency);
    if (second.second < this.#loadSeconds) this.deliveredInTime += second.delivered;
    if (this.#latest === null || second.second > this.#latest.second) {
      this.#latest = { second: second.second, delivered: 0, latency: new Histogram() };
    }
    if (second.second < this.#latest.second) return;
    this.#latest.delivered += second.delivered;
    this.#latest.latency.add(second.latency);
  }
}
