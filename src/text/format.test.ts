import { expect, test } from "bun:test";
import * as format from "./format.ts";

test.each([
  [0, "0/s"],
  [0.5, "0.5/s"],
  [99.96, "100.0/s"],
  [854, "854/s"],
  [39_384.4, "39,384/s"],
  [null, "–"],
])("rate %p is %p", (rate, text) => {
  expect(format.formatRate(rate)).toBe(text);
});

test.each([
  [0, "0 µs"],
  [840, "840 µs"],
  [999.6, "1.00 ms"],
  [1234, "1.23 ms"],
  [12_345, "12.3 ms"],
  [99_960, "100 ms"],
  [254_000, "254 ms"],
  [999_600, "1.00 s"],
  [12_340_000, "12.3 s"],
  [null, "–"],
])("latency %p µs is %p", (us, text) => {
  expect(format.formatLatency(us)).toBe(text);
});

test.each([
  [0, "0 B"],
  [999, "999 B"],
  [4230, "4.2 kB"],
  [9960, "10 kB"],
  [52_400_000, "52 MB"],
  [999_700_000, "1.0 GB"],
  [16_000_000_000, "16 GB"],
  [-4230, "-4.2 kB"],
  [null, "–"],
])("%p bytes are %p", (bytes, text) => {
  expect(format.formatBytes(bytes)).toBe(text);
});

test.each([
  [1, "×1.00"],
  [1.424, "×1.42"],
  [17.23, "×17.2"],
  [140.2, "×140"],
  [0.0042, "×0.0042"],
  [0, "×0"],
  [null, "–"],
])("ratio %p is %p", (ratio, text) => {
  expect(format.formatRatio(ratio)).toBe(text);
});

test.each([
  [1, "100 %"],
  [0.999_97, "99.997 %"],
  [0.999_999_9, "> 99.999 %"],
  [0.969, "96.9 %"],
  [0.000_1, "0.01 %"],
  [0.000_000_1, "< 0.001 %"],
  [0, "0 %"],
  [null, "–"],
])("share %p is %p, and 0 % or 100 % only when exact", (share, text) => {
  expect(format.formatShare(share)).toBe(text);
});

test.each([
  [800, "0.8 s"],
  [3000, "3 s"],
  [12_400, "12 s"],
  [59_700, "1 min"],
  [250_000, "4 min 10 s"],
  [3_780_000, "1 h 3 min"],
  [null, "–"],
])("%p ms are %p", (ms, text) => {
  expect(format.formatDuration(ms)).toBe(text);
});

test("names are joined as in a sentence", () => {
  expect(format.joinNames(["a"])).toBe("a");
  expect(format.joinNames(["a", "b"])).toBe("a and b");
  expect(format.joinNames(["a", "b", "c"], "or")).toBe("a, b or c");
  expect(format.joinNames([])).toBe("");
});
