/** What an arrival was. All but `duplicate` are distinct messages, and count as delivered. */
export const arrival = { inOrder: 0, afterGap: 1, reordered: 2, duplicate: 3 } as const;
export type Arrival = (typeof arrival)[keyof typeof arrival];

interface MissingRange {
  first: number;
  last: number;
}

/**
 * The audit of one phase's deliveries. A stream is what one receiver gets from one sender in one room; its `seq` has to
 * come as 1, 2, … without a gap. In-order arrivals, nearly all, touch one word of a typed
 * array; only gaps cost memory.
 *
 * What is still missing when a phase ends is lost. That is not counted here but follows from
 * `expected = delivered + lost`, since only the senders know how much was sent.
 */
export class Ledger {
  /** The next sequence number due, per stream. */
  readonly #next: Int32Array;
  readonly #missing = new Map<number, MissingRange[]>();

  constructor(streams: number) {
    this.#next = new Int32Array(streams).fill(1);
  }

  arrive(stream: number, seq: number): Arrival {
    const due = this.#next[stream] as number;
    if (seq === due) {
      this.#next[stream] = seq + 1;
      return arrival.inOrder;
    }
    if (seq > due) {
      const ranges = this.#missing.get(stream);
      const range = { first: due, last: seq - 1 };
      if (ranges === undefined) this.#missing.set(stream, [range]);
      else ranges.push(range);
      this.#next[stream] = seq + 1;
      return arrival.afterGap;
    }
    return this.#takeMissing(stream, seq) ? arrival.reordered : arrival.duplicate;
  }

  #takeMissing(stream: number, seq: number): boolean {
    const ranges = this.#missing.get(stream);
    if (ranges === undefined) return false;
    // From the newest: a reordered message is usually a recent one.
    for (let at = ranges.length - 1; at >= 0; at -= 1) {
      const range = ranges[at] as MissingRange;
      if (seq < range.first || seq > range.last) continue;
      if (range.first === range.last) ranges.splice(at, 1);
      else if (seq === range.first) range.first += 1;
      else if (seq === range.last) range.last -= 1;
      else ranges.splice(at, 1, { first: range.first, last: seq - 1 }, { first: seq + 1, last: range.last });
      return true;
    }
    return false;
  }
}
