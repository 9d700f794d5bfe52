import { expect, test } from "bun:test";
import { drawNormal } from "../../../bench/coverage.ts";
import { measureOf } from "../../measures/catalogue.ts";
import type { Figure } from "../../measures/figures.ts";
import { createRandom } from "../../plan/random.ts";
import { type Change, type FigurePair, isClear, judgeChanges } from "./change.ts";
import { explainChange, formatChange } from "./change-text.ts";

function figure(rounds: readonly number[], name = "throughput", contender = "go-gorilla", step = 0): Figure {
  const values = rounds.filter(Number.isFinite);
  const unreached = rounds.length - values.length;
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[sorted.length >> 1] ?? null;
  const missing =
    value === null && unreached === 0
      ? ({ status: "failed", reason: { kind: "all-connections-closed" } } as const)
      : null;
  return {
    contender,
    phase: "burst-echo",
    measure: measureOf(name),
    values,
    unreached,
    value,
    missing,
    step,
  };
}

function judge(
  before: readonly number[],
  after: readonly number[],
  name?: string,
  obstacle: string | null = null,
) {
  const [change] = judgeChanges([{ before: figure(before, name), after: figure(after, name), obstacle }]);
  if (change === undefined) throw new Error("one pair: expected one change");
  return told(change);
}

function told(change: Change) {
  const { kind, ratio, limits } = change;
  return { kind, ratio, limits, reason: explainChange(change) };
}

const steady = [100, 101, 99, 100.5, 99.5];

test("up is better for a rate and worse for a latency", () => {
  const more = steady.map((value) => value * 1.2);
  expect(judge(steady, more)).toMatchObject({ kind: "better", ratio: 1.2, reason: null });
  expect(judge(more, steady).kind).toBe("worse");
  expect(judge(steady, more, "latency.p99").kind).toBe("worse");
  expect(judge(more, steady, "latency.p99").kind).toBe("better");
});

test("what the rounds differ by anyway is no clear change", () => {
  expect(judge([80, 120, 100], [90, 130, 105]).kind).toBe("no-clear-change");
});

test("a single round makes no claim, however large the change", () => {
  expect(judge([100], [10])).toMatchObject({
    kind: "single-round",
    ratio: 0.1,
    limits: null,
    reason: "a single round in A and B: no claim",
  });
  expect(judge(steady, [10])).toMatchObject({
    kind: "single-round",
    reason: "a single round in B: no claim",
  });
});

test("zero has no ratio, and a value that is missing has a reason", () => {
  expect(judge([0, 0, 0], [3, 4, 5], "lost")).toMatchObject({ kind: "no-ratio", ratio: null });
  expect(judge(steady, [])).toMatchObject({
    kind: "missing",
    ratio: null,
    reason: expect.stringMatching(/^B: failed: .*closed/),
  });
});

test("a round whose quantile was not reached counts as infinite, and is not left out", () => {
  const lost = Number.POSITIVE_INFINITY;
  expect(judge(steady, [lost, lost, lost], "latency.p99")).toMatchObject({
    kind: "worse",
    ratio: null,
    limits: null,
  });
  expect(judge([lost, lost, lost], steady, "latency.p99").kind).toBe("better");
  expect(judge(steady, [90, 91, lost], "latency.p99")).toMatchObject({
    kind: "not-reached",
    ratio: null,
    reason: "B: not reached in 1 of 3 rounds",
  });
  expect(judge([lost, 100, 101], [lost, lost, lost], "latency.p99").kind).toBe("not-reached");
  expect(judge(steady, [lost, lost], "latency.p99").kind).toBe("not-reached");
  expect(judge(steady, [lost, lost, lost], "latency.p99", "different work").kind).toBe("not-comparable");
});

test("an obstacle leaves the ratio and takes the verdict", () => {
  const halves = steady.map((value) => value / 2);
  expect(judge(steady, halves, "throughput", "different machine")).toEqual({
    kind: "not-comparable",
    ratio: 0.5,
    limits: null,
    reason: "different machine",
  });
});

test("one step is never a change", () => {
  const pair = (after: number): FigurePair => ({
    before: figure([10, 10, 10], "latency.p50", "go-gorilla", 1),
    after: figure([after, after, after], "latency.p50", "go-gorilla", 1),
    obstacle: null,
  });
  expect(judgeChanges([pair(11)])[0]?.kind).toBe("no-clear-change");
  expect(judgeChanges([pair(13)])[0]?.kind).toBe("worse");
});

test("unchanged contenders rarely show a change, and a tenth less is found", () => {
  const random = createRandom(7);
  // Of 2 % on the logarithm.
  const noise = () => 0.02 * drawNormal(random);
  const sample = (level: number) => Array.from({ length: 5 }, () => level * Math.exp(noise()));
  const names = ["a", "b", "c", "d"];
  const comparisons = 1500;
  let falseClaims = 0;
  let found = 0;
  for (let trial = 0; trial < comparisons; trial++) {
    const same = names.map((name) => ({
      before: figure(sample(100), "throughput", name),
      after: figure(sample(100), "throughput", name),
      obstacle: null,
    }));
    if (judgeChanges(same).some(isClear)) falseClaims++;
    const [one, ...others] = same;
    const slower = { before: figure(sample(100)), after: figure(sample(90)), obstacle: null };
    if (one !== undefined && judgeChanges([slower, ...others])[0]?.kind === "worse") found++;
  }
  // 5 % with a standard error of 0.6 %; four uncorrected tests would claim in 19 %.
  expect(falseClaims / comparisons).toBeGreaterThan(0.02);
  expect(falseClaims / comparisons).toBeLessThan(0.065);
  expect(found / comparisons).toBeGreaterThan(0.95);
});

test.each([
  [1, "±0 %"],
  [1.0004, "±0 %"],
  [1.052, "+5.2 %"],
  [0.69, "−31 %"],
  [2.14, "+114 %"],
  [3.4, "×3.40"],
  [null, "–"],
])("a ratio of %p is written as %p", (ratio, text) => {
  expect(formatChange(ratio)).toBe(text);
});
