import { expect, test } from "bun:test";
import fc from "fast-check";
import { readBuckets, writeBuckets } from "./bucket-text.ts";
import { bucketCount, Histogram } from "./histogram.ts";

test("what was written is read again, whatever it is", () => {
  const counts = fc.dictionary(
    fc.nat(1999).map(String),
    fc.integer({ min: 1, max: Number.MAX_SAFE_INTEGER }),
  );
  fc.assert(
    fc.property(counts, (given) => {
      const buckets = Object.entries(given).flatMap(([index, count]) => [Number(index), count]);
      expect(readBuckets(writeBuckets(buckets), 2000)).toEqual(buckets);
    }),
  );
});

test("a histogram of a million values takes kilobytes", () => {
  const histogram = new Histogram();
  for (let value = 0; value < 1_000_000; value += 1) histogram.record(50 + ((value * 7919) % 20_000));
  const { buckets } = histogram.toSparse();
  expect(readBuckets(writeBuckets(buckets), bucketCount)).toEqual([...buckets]);
  expect(writeBuckets(buckets).length).toBeLessThan(25_000);
});

test("what was not written so is refused", () => {
  const written = writeBuckets([5, 1, 7, 300]);
  expect(readBuckets(written, 8)).not.toBeNull();
  for (const wrong of [
    "!",
    `${written}\n`,
    written.slice(0, -1),
    "gA==",
    "BQ==",
    "BQA=",
    "BQEAAQ==",
    "//////////8B",
  ]) {
    expect(readBuckets(wrong, 8)).toBeNull();
  }
  expect(readBuckets(written, 7)).toBeNull();
});
