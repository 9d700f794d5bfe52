import { Histogram, type SparseHistogram } from "../../stats/histogram.ts";
import type { ChaosOrder } from "../worker-protocol.ts";

/** Slots in which recovery is told: by the time at which messages were meant to be sent. */
export const slotUs = 100_000;
/** Latencies of one slot are kept in 16 buckets per octave: 4.4 % apart, up to 2^31 µs. */
const bucketsPerOctave = 16;
export const bucketsPerSlot = 31 * bucketsPerOctave;

/** The latency from which a bucket counts. */
export function bucketFloorUs(bucket: number): number {
  return bucket === 0 ? 0 : 2 ** (bucket / bucketsPerOctave);
}

function bucketOf(latencyUs: number): number {
  return latencyUs <= 1
    ? 0
    : Math.min(bucketsPerSlot - 1, Math.floor(Math.log2(latencyUs) * bucketsPerOctave));
}

/** How many slots a load of this length has. */
function countSlots(lengthUs: number): number {
  return Math.max(1, Math.ceil(lengthUs / slotUs));
}

/** What unaffected clients see of a fault. All times but the order's are microseconds on the run's epoch. */
export class Impact {
  readonly #order: ChaosOrder;
  readonly #windows = [new Histogram(), new Histogram(), new Histogram()] as const;
  readonly #slots: Uint32Array;
  /** Of each connection by its place. */
  readonly #lastUs: Float64Array;
  #startUs = 0;
  #injectUs = 0;
  #clearUs = 0;
  #longestSilenceUs = 0;
  #silenceBeforeUs = 0;

  constructor(order: ChaosOrder, connections: number) {
    this.#order = order;
    this.#slots = new Uint32Array(countSlots(order.endUs) * bucketsPerSlot);
    this.#lastUs = new Float64Array(connections);
  }

  begin(startUs: number): void {
    this.#startUs = startUs;
    this.#injectUs = startUs + this.#order.injectUs;
    this.#clearUs = startUs + this.#order.clearUs;
    this.#lastUs.fill(startUs);
  }

  /**
   * @param atUs when the message was meant to be sent
   * @param lagUs by how much the generator was late with it: part of the latency, but no fault of the server's
   */
  recordDelivery(place: number, nowUs: number, atUs: number, lagUs: number): void {
    // What was under way when the fault was injected was under it too.
    const window = nowUs < this.#injectUs ? 0 : atUs < this.#clearUs ? 1 : 2;
    this.#windows[window].record(nowUs - atUs);
    const slot = Math.floor((atUs - this.#startUs) / slotUs) * bucketsPerSlot;
    const at = slot + bucketOf(nowUs - atUs - lagUs);
    if (at >= 0 && at < this.#slots.length) this.#slots[at] = (this.#slots[at] as number) + 1;
    this.#noteSilence(place, nowUs);
  }

  /** @param places of the connections that are audited: the silence of the last of them is still open. */
  report(places: Iterable<number>): {
    readonly windows: readonly SparseHistogram[];
    readonly slots: Uint32Array;
    readonly longestSilenceUs: number;
    readonly silenceBeforeUs: number;
  } {
    for (const place of places) this.#noteSilence(place, this.#startUs + this.#order.endUs);
    return {
      windows: this.#windows.map((window) => window.toSparse()),
      slots: this.#slots,
      longestSilenceUs: this.#longestSilenceUs,
      silenceBeforeUs: this.#silenceBeforeUs,
    };
  }

  #noteSilence(place: number, nowUs: number): void {
    const silenceUs = nowUs - (this.#lastUs[place] as number);
    if (nowUs < this.#injectUs) this.#silenceBeforeUs = Math.max(this.#silenceBeforeUs, silenceUs);
    else this.#longestSilenceUs = Math.max(this.#longestSilenceUs, silenceUs);
    this.#lastUs[place] = nowUs;
  }
}
