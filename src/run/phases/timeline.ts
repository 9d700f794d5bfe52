import type { Timeline, TimelineBucket } from "../../result/phase.ts";
import { bucketMiddle, type SparseHistogram } from "../../stats/histogram.ts";

/** 20 minutes by the second; a day in buckets of 128 s. */
export const mostBuckets = 1200;

/** Values differ from their bucket by less than 1/128, which no curve shows: a bucket takes 7 kB whatever its width. */
const subBuckets = 64;
const subBucketBits = 6;
const topExponent = 31;
export const counterCount = (topExponent - subBucketBits + 1) * subBuckets;

/** What a worker tells of one second of a phase. */
export interface LoadSecond {
  readonly second: number;
  readonly sent: number;
  readonly delivered: number;
  readonly latency: SparseHistogram;
}

/** A timeline as plain data, for another process to add to its own. */
export interface TimelineParts {
  readonly bucketSeconds: number;
  readonly buckets: readonly {
    readonly sent: number;
    readonly delivered: number;
    readonly maxUs: number;
    /** Index, count, index, count, … of the counters in use. */
    readonly latencies: readonly number[];
  }[];
}

interface Bucket {
  sent: number;
  delivered: number;
  latencies: Uint32Array | null;
  maxUs: number;
  cpuMs: number | null;
  rssBytes: number | null;
}

/**
 * A phase from its first second to its last in bounded memory: when there are more than `mostBuckets`, neighbours
 * become one of twice the width. Workers merge by second of the phase and not by when a report came in.
 */
export class TimelineBuilder {
  #bucketSeconds = 1;
  #buckets: Bucket[] = [];
  /** Buckets up to the last in which the load did something. */
  #used = 0;

  get bucketCount(): number {
    return this.#buckets.length;
  }

  addLoad({ second, sent, delivered, latency }: LoadSecond): void {
    const bucket = this.#at(second);
    bucket.sent += sent;
    bucket.delivered += delivered;
    bucket.maxUs = Math.max(bucket.maxUs, latency.max);
    this.#used = Math.max(this.#used, Math.floor(second / this.#bucketSeconds) + 1);
    if (latency.count === 0) return;
    bucket.latencies ??= new Uint32Array(counterCount);
    const { buckets } = latency;
    for (let at = 0; at + 1 < buckets.length; at += 2) {
      const index = counterOf(bucketMiddle(buckets[at] as number));
      bucket.latencies[index] = (bucket.latencies[index] as number) + (buckets[at + 1] as number);
    }
  }

  addServer(second: number, cpuMs: number, rssBytes: number): void {
    const bucket = this.#at(second);
    bucket.cpuMs = (bucket.cpuMs ?? 0) + cpuMs;
    bucket.rssBytes = Math.max(bucket.rssBytes ?? 0, rssBytes);
  }

  /** What the load did; nothing of the server. */
  toParts(): TimelineParts {
    return {
      bucketSeconds: this.#bucketSeconds,
      buckets: this.#buckets.slice(0, this.#used).map(({ sent, delivered, maxUs, latencies }) => ({
        ...{ sent, delivered, maxUs },
        latencies: [...(latencies?.entries() ?? [])].filter(([, count]) => count > 0).flat(),
      })),
    };
  }

  /** Adds another one, bucket by bucket: as if its load had been told here. */
  addParts({ bucketSeconds, buckets }: TimelineParts): void {
    while (this.#bucketSeconds < bucketSeconds) this.#widen();
    for (const [at, { sent, delivered, maxUs, latencies }] of buckets.entries()) {
      const second = at * bucketSeconds;
      const bucket = this.#at(second);
      bucket.sent += sent;
      bucket.delivered += delivered;
      bucket.maxUs = Math.max(bucket.maxUs, maxUs);
      this.#used = Math.max(this.#used, Math.floor(second / this.#bucketSeconds) + 1);
      if (latencies.length > 0) bucket.latencies ??= new Uint32Array(counterCount);
      for (let pair = 0; pair + 1 < latencies.length; pair += 2) {
        const index = latencies[pair] as number;
        const counters = bucket.latencies as Uint32Array;
        counters[index] = (counters[index] as number) + (latencies[pair + 1] as number);
      }
    }
  }

  build(): Timeline {
    return {
      bucketSeconds: this.#bucketSeconds,
      buckets: this.#buckets.slice(0, this.#used).map(describeBucket),
    };
  }

  #at(second: number): Bucket {
    while (second >= mostBuckets * this.#bucketSeconds) this.#widen();
    const at = Math.floor(second / this.#bucketSeconds);
    while (this.#buckets.length <= at) this.#buckets.push(emptyBucket());
    return this.#buckets[at] as Bucket;
  }

  #widen(): void {
    this.#bucketSeconds *= 2;
    this.#used = Math.ceil(this.#used / 2);
    const pairs = Array.from({ length: Math.ceil(this.#buckets.length / 2) }, (_, pair) =>
      this.#buckets.slice(2 * pair, 2 * pair + 2),
    );
    this.#buckets = pairs.map((pair) => pair.reduce(mergeBuckets));
  }
}

function emptyBucket(): Bucket {
  return { sent: 0, delivered: 0, latencies: null, maxUs: 0, cpuMs: null, rssBytes: null };
}

function mergeBuckets(first: Bucket, second: Bucket): Bucket {
  return {
    sent: first.sent + second.sent,
    delivered: first.delivered + second.delivered,
    latencies: mergeCounters(first.latencies, second.latencies),
    maxUs: Math.max(first.maxUs, second.maxUs),
    cpuMs: combine(first.cpuMs, second.cpuMs, (a, b) => a + b),
    rssBytes: combine(first.rssBytes, second.rssBytes, Math.max),
  };
}

function mergeCounters(into: Uint32Array | null, from: Uint32Array | null): Uint32Array | null {
  if (into === null || from === null) return into ?? from;
  for (let index = 0; index < counterCount; index += 1) {
    into[index] = (into[index] as number) + (from[index] as number);
  }
  return into;
}

function combine(
  first: number | null,
  second: number | null,
  how: (a: number, b: number) => number,
): number | null {
  return first === null || second === null ? (first ?? second) : how(first, second);
}

function describeBucket({ sent, delivered, latencies, maxUs, cpuMs, rssBytes }: Bucket): TimelineBucket {
  const count = latencies?.reduce((all, counter) => all + counter, 0) ?? 0;
  return {
    sent,
    delivered,
    p50Us: latencies === null ? null : quantile(latencies, count, 0.5, maxUs),
    // As of every other latency: not where fewer than 10 lie beyond it.
    p99Us: latencies === null || count < 1000 ? null : quantile(latencies, count, 0.99, maxUs),
    maxUs: count === 0 ? null : maxUs,
    serverCpuMs: cpuMs === null ? null : Math.round(cpuMs),
    serverRssBytes: rssBytes,
  };
}

function quantile(counters: Uint32Array, count: number, share: number, maxUs: number): number {
  const rank = Math.max(1, Math.ceil(share * count - 1e-9));
  let seen = 0;
  for (let index = 0; index < counterCount; index += 1) {
    seen += counters[index] as number;
    if (seen >= rank) return Math.min(maxUs, counterMiddle(index));
  }
  return maxUs;
}

/** Log-linear, as the histogram that the values come from. */
function counterOf(us: number): number {
  const value = Math.floor(us);
  if (value < 2 * subBuckets) return value;
  const shift = 31 - Math.clz32(value) - subBucketBits;
  return (shift << subBucketBits) + (value >>> shift);
}

function counterMiddle(index: number): number {
  if (index < 2 * subBuckets) return index;
  const shift = (index >>> subBucketBits) - 1;
  return ((index & (subBuckets - 1)) + subBuckets) * 2 ** shift + (2 ** shift - 1) / 2;
}
