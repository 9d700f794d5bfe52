/**
 * In microseconds, over all that was owed: what never came is infinitely late. Null where the samples can't support it
 * (fewer than 10 owed beyond) or where it lies beyond the reach (`reaches`). The result file keeps it as it is.
 */
export interface Quantiles {
  /** Values that came. */
  readonly count: number;
  /** Values that should have come; more than `count` where some never did. */
  readonly owed: number;
  readonly min: number | null;
  readonly mean: number | null;
  readonly p50: number | null;
  readonly p90: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly max: number | null;
}

/** Buckets per octave: values differ from their bucket by less than 1/1024 (three significant digits, as HdrHistogram's default). */
const subBuckets = 1024;
const subBucketBits = 10;
const topExponent = 31;
export const bucketCount = (topExponent - subBucketBits + 1) * subBuckets;
/** A count is kept in 32 bits. */
const mostInBucket = 2 ** 32 - 1;

/**
 * A mergeable histogram of whole microseconds in HdrHistogram's log-linear layout
 * (http://hdrhistogram.org), from 0 to 2^31 - 1 µs (35 min; larger values are kept in the last bucket,
 * and `max` stays exact).
 *
 * Why not `hdr-histogram-js`, which has the same layout: recording stands in the path of every message three
 * times over, and sparse parts have to go from worker to tool each second. What it costs here: bench/message.ts.
 */
export class Histogram {
  readonly counts = new Uint32Array(bucketCount);
  count = 0;
  min = Number.POSITIVE_INFINITY;
  max = 0;
  /** Sum of the recorded values, for the mean. */
  sum = 0;

  /** Whole microseconds. Negative values, which clocks of two processes could give by one or two, count as 0. */
  record(valueUs: number): void {
    let value = valueUs | 0;
    if (valueUs > 0x7fffffff) value = 0x7fffffff;
    else if (valueUs < 0) value = 0;
    const index = bucketIndex(value);
    this.counts[index] = (this.counts[index] as number) + 1;
    this.count += 1;
    this.sum += value;
    if (value < this.min) this.min = value;
    if (valueUs > this.max) this.max = valueUs;
  }

  /** @throws {RangeError} where one bucket would have more than 2^32 - 1 values */
  add(other: SparseHistogram): void {
    const { buckets } = other;
    for (let at = 0; at + 1 < buckets.length; at += 2) {
      const index = buckets[at] as number;
      const count = (this.counts[index] as number) + (buckets[at + 1] as number);
      if (count > mostInBucket) throw new RangeError(`more than ${mostInBucket} values in one bucket`);
      this.counts[index] = count;
    }
    this.count += other.count;
    this.sum += other.sum;
    if (other.count > 0 && other.min < this.min) this.min = other.min;
    if (other.max > this.max) this.max = other.max;
  }

  /**
   * The smallest recorded value (to its bucket's middle) that a share `quantile` of all values owed does not exceed;
   * null when empty, or when so many never came.
   *
   * @param owed at least `count`
   */
  valueAt(quantile: number, owed = this.count): number | null {
    const rank = rankOf(quantile, owed);
    if (this.count === 0 || rank > this.count) return null;
    let seen = 0;
    for (let index = 0; index < bucketCount; index += 1) {
      seen += this.counts[index] as number;
      if (seen >= rank) return Math.min(this.max, Math.max(this.min, bucketMiddle(index)));
    }
    return this.max;
  }

  /** Compact form for another process, and for merging. */
  toSparse(): SparseHistogram {
    const buckets: number[] = [];
    // Most of a histogram is empty, and a slice has dozens of them.
    const end = this.count > 0 ? bucketIndex(Math.min(this.max, 0x7fffffff)) + 1 : 0;
    for (let index = bucketIndex(this.count > 0 ? this.min : 0); index < end; index += 1) {
      const count = this.counts[index] as number;
      if (count > 0) buckets.push(index, count);
    }
    return { count: this.count, min: this.count > 0 ? this.min : 0, max: this.max, sum: this.sum, buckets };
  }

  reset(): void {
    if (this.count > 0) this.counts.fill(0);
    this.count = 0;
    this.min = Number.POSITIVE_INFINITY;
    this.max = 0;
    this.sum = 0;
  }
}

/** `buckets`: index, count, index, count, … of the buckets in use. */
export interface SparseHistogram {
  readonly count: number;
  readonly min: number;
  readonly max: number;
  readonly sum: number;
  readonly buckets: readonly number[];
}

export function mergeHistograms(parts: readonly SparseHistogram[]): Histogram {
  const whole = new Histogram();
  for (const part of parts) whole.add(part);
  return whole;
}

/**
 * Quantiles in microseconds over all that was owed. What never came is infinitely late: it lies beyond every quantile,
 * and mean and maximum don't exist where anything is missing. A server that drops half of its messages thus has a
 * median at best, however quick the other half. A quantile that fewer than 10 samples lie beyond is null: it would be
 * a statement about single samples (docs/method.md).
 *
 * @param owed at least as many as came
 */
export function summarize(histogram: Histogram, owed = histogram.count): Quantiles {
  const { count } = histogram;
  const isWhole = count > 0 && count >= owed;
  const supported = (quantile: number) =>
    isSupported(quantile, owed) ? histogram.valueAt(quantile, owed) : null;
  return {
    count,
    owed,
    min: count > 0 ? histogram.min : null,
    mean: isWhole ? Math.round((histogram.sum / count) * 10) / 10 : null,
    // The median needs no tail beyond it.
    p50: histogram.valueAt(0.5, owed),
    p90: supported(0.9),
    p99: supported(0.99),
    p999: supported(0.999),
    max: isWhole ? histogram.max : null,
  };
}

/**
 * Whether as many values came as a quantile needs; without any owed it is. One that is null although it is reached has
 * too few samples.
 *
 * @param quantile 1 for the maximum
 */
export function reaches({ count, owed }: Pick<Quantiles, "count" | "owed">, quantile: number): boolean {
  return owed === 0 || rankOf(quantile, owed) <= count;
}

/** Each figure of `Quantiles` that is a quantile; the maximum is the one that all values lie below. */
export const quantileShares = { p50: 0.5, p90: 0.9, p99: 0.99, p999: 0.999, max: 1 } as const;

/**
 * What was measured by two clocks, of which is known how far they are apart but for `errorUs`: a value below that may be
 * the clocks' alone, and is null.
 */
export function refuseBelow(quantiles: Quantiles, errorUs: number): Quantiles {
  const tell = (valueUs: number | null) => (valueUs === null || valueUs < errorUs ? null : valueUs);
  const { count, owed, min, mean, p50, p90, p99, p999, max } = quantiles;
  return {
    ...{ count, owed, min: tell(min), mean: tell(mean) },
    ...{ p50: tell(p50), p90: tell(p90), p99: tell(p99), p999: tell(p999), max: tell(max) },
  };
}

/** Whether a quantile was refused by `refuseBelow`: it is null, and neither samples nor values that came are missing. */
export function isRefused(quantiles: Quantiles, name: keyof typeof quantileShares): boolean {
  const { count, owed } = quantiles;
  const share = quantileShares[name];
  const isEnough = name === "p50" || name === "max" || isSupported(share, owed);
  return quantiles[name] === null && count > 0 && isEnough && reaches(quantiles, share);
}

function rankOf(quantile: number, count: number): number {
  return Math.max(1, Math.ceil(quantile * count - 1e-9));
}

function isSupported(quantile: number, owed: number): boolean {
  return owed * (1 - quantile) >= 10 - 1e-9;
}

/**
 * `[quantile, µs]` at halving distances from 1 (HdrHistogram's percentile output), as far as 10 samples lie beyond, and
 * up to the reach.
 *
 * @param owed at least as many as came
 */
export function percentileCurve(histogram: Histogram, owed = histogram.count): [number, number][] {
  const points: [number, number][] = [];
  const ticksPerHalf = 5;
  for (let half = 0; ; half += 1) {
    for (let tick = 0; tick < ticksPerHalf; tick += 1) {
      const quantile = 1 - (1 - tick / (2 * ticksPerHalf)) / 2 ** half;
      const value = histogram.valueAt(quantile, owed);
      if (value === null || owed * (1 - quantile) < 10) return points;
      points.push([Math.round(quantile * 1e7) / 1e7, value]);
    }
  }
}

function bucketIndex(value: number): number {
  if (value < 2 * subBuckets) return value;
  const shift = 31 - Math.clz32(value) - subBucketBits;
  return (shift << subBucketBits) + (value >>> shift);
}

/** The value in the middle of a bucket of `SparseHistogram`. */
export function bucketMiddle(index: number): number {
  if (index < 2 * subBuckets) return index;
  const shift = (index >>> subBucketBits) - 1;
  const low = ((index & (subBuckets - 1)) + subBuckets) * 2 ** shift;
  return low + (2 ** shift - 1) / 2;
}
