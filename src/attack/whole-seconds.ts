import type { SecondReport } from "../engine/worker-protocol.ts";
import { Histogram, type SparseHistogram } from "../stats/histogram.ts";

/** One second of a load, as all workers saw it. */
export interface WholeSecond {
  /** From 0, since the load's start. */
  readonly second: number;
  readonly sent: number;
  readonly answered: number;
  readonly latency: SparseHistogram;
}

interface Gathering {
  sent: number;
  answered: number;
  readonly latency: Histogram;
}

/** Adds up what the workers tell of each second. What comes after its second was taken counts in the next one: no sum misses it. */
export class WholeSeconds {
  readonly #gathering = new Map<number, Gathering>();
  #next = 0;

  add({ second, sent, delivered, latency }: SecondReport): void {
    const one = this.#at(Math.max(second, this.#next));
    one.sent += sent;
    one.answered += delivered;
    one.latency.add(latency);
  }

  /** Those before `end` that were not taken yet, in order and without a gap. */
  take(end: number): WholeSecond[] {
    const taken: WholeSecond[] = [];
    for (; this.#next < end; this.#next += 1) {
      const { sent, answered, latency } = this.#at(this.#next);
      this.#gathering.delete(this.#next);
      taken.push({ second: this.#next, sent, answered, latency: latency.toSparse() });
    }
    return taken;
  }

  /** All that are left, up to the last in which something happened. */
  takeRest(): WholeSecond[] {
    return this.take(Math.max(-1, ...this.#gathering.keys()) + 1);
  }

  #at(second: number): Gathering {
    const known = this.#gathering.get(second);
    if (known !== undefined) return known;
    const one = { sent: 0, answered: 0, latency: new Histogram() };
    this.#gathering.set(second, one);
    return one;
  }
}
