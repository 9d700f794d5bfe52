import { bucketMiddle, type SparseHistogram } from "../../stats/histogram.ts";

/** In seconds: six in each decade from 10 µs to 60 s, so that a quantile is found to within a fifth or so. */
export const boundariesSeconds: readonly number[] = [-5, -4, -3, -2, -1, 0, 1]
  .flatMap((decade) => [1, 1.5, 2, 3, 5, 7].map((step) => Number((step * 10 ** decade).toPrecision(2))))
  .filter((seconds) => seconds < 60)
  .concat(60);
const boundariesUs = boundariesSeconds.map((seconds) => seconds * 1e6);

/** What a scrape gets of a latency: far fewer buckets than our histogram has, each with a boundary of its own. */
export class LatencyBuckets {
  /** Of those up to each boundary and over the one before; then those over the last. */
  readonly counts: number[] = new Array(boundariesUs.length + 1).fill(0);
  count = 0;
  sumSeconds = 0;

  add({ buckets, count, sum }: SparseHistogram): void {
    let place = 0;
    for (let at = 0; at + 1 < buckets.length; at += 2) {
      const us = bucketMiddle(buckets[at] as number);
      // A sparse histogram has its buckets in order.
      while (place < boundariesUs.length && us > (boundariesUs[place] as number)) place += 1;
      this.counts[place] = (this.counts[place] as number) + (buckets[at + 1] as number);
    }
    this.count += count;
    this.sumSeconds += sum / 1e6;
  }
}
