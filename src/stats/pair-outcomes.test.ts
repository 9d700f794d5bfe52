import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawFraction, drawNormal } from "../../bench/coverage.ts";
import { createRandom } from "../plan/random.ts";
import { measureSpread } from "./intervals.ts";
import {
  judgeSequentially,
  type PairJudgement,
  type PairOutcome,
  type PairRounds,
  type Terms,
} from "./pair-outcomes.ts";
import { studentQuantile } from "./student.ts";

const everyRound = [3, 4, 5, 6, 7, 8];

const pair = (ratios: readonly (number | null)[], doubt = 0): PairRounds => ({
  first: "a",
  second: "b",
  logRatios: ratios.map((ratio) => (ratio === null ? null : Math.log(ratio))),
  doubt,
});

function only(ratios: readonly (number | null)[], terms: Partial<Terms> = {}, doubt = 0): PairJudgement {
  const look = terms.look ?? ratios.length;
  const [judged] = judgeSequentially([pair(ratios, doubt)], { margin: 0.05, looks: [look], look, ...terms });
  if (judged === undefined) throw new Error("expected a judgement");
  return judged;
}

/** Contenders with advantages and noise of 1 to 4 %, some rounds missing, as values and as pairs. */
const showdown = fc
  .record({
    advantages: fc.array(fc.constantFrom(1, 1.02, 1.05, 1.1, 1.3), { minLength: 2, maxLength: 5 }),
    seed: fc.maxSafeInteger(),
    missing: fc.constantFrom(0, 0.2),
  })
  .map(({ advantages, seed, missing }) => {
    const random = createRandom(seed);
    const values = advantages.map((advantage, at) =>
      Array.from({ length: 8 }, () => {
        const value = advantage * Math.exp((0.01 + 0.01 * (at % 4)) * drawNormal(random));
        return drawFraction(random) < missing ? null : value;
      }),
    );
    const pairs = values.flatMap((ones, one) =>
      values.slice(one + 1).map((others, step) => ({
        first: `${one}`,
        second: `${one + 1 + step}`,
        logRatios: ones.map((value, round) => {
          const other = others[round] ?? null;
          return value === null || other === null ? null : Math.log(value / other);
        }),
      })),
    );
    return { values, pairs };
  });

test("a lead, whichever of the two is given first", () => {
  const { first, outcome } = only([1.2, 1.21, 1.19, 1.2, 1.22]);
  expect(first).toBe("a");
  expect(outcome).toMatchObject({
    kind: "leads",
    ratio: expect.closeTo(1.2, 5),
    decidedAt: 5,
    withinMargin: false,
  });
  const turned = only([1.2, 1.21, 1.19, 1.2, 1.22].map((ratio) => 1 / ratio));
  expect(turned.first).toBe("b");
  expect(turned.outcome).toMatchObject({ kind: "leads", ratio: expect.closeTo(1.2, 5) });
});

test("equivalence has its limits within the margin; a sure lead within it is marked", () => {
  const { outcome } = only([1.01, 0.99, 1.005, 0.985, 1.01]);
  if (outcome.kind !== "equivalent") throw new Error(outcome.kind);
  // Two one-sided tests at 5 %: limits at 90 %, t = 2.132.
  expect(outcome.low).toBeGreaterThan(0.985);
  expect(outcome.high).toBeLessThan(1.02);
  expect(only([1.02, 1.021, 1.019, 1.02, 1.02]).outcome).toMatchObject({ kind: "leads", withinMargin: true });
});

test("no difference found is not equal", () => {
  const { outcome } = only([1.3, 0.8, 1.1, 0.75, 1.2]);
  if (outcome.kind !== "undecided") throw new Error(outcome.kind);
  expect(outcome.low).toBeLessThan(0.8);
  expect(outcome.high).toBeGreaterThan(1.2);
  expect(outcome.further.atMost).toBeGreaterThan(100);
});

test("before the first look, and with one round or none, nothing is claimed", () => {
  expect(only([1.2], { looks: [3] }).outcome).toEqual({
    kind: "early",
    ratio: expect.closeTo(1.2, 9),
    rounds: 1,
  });
  expect(only([1.2, 1.2], { looks: [3] }).outcome).toMatchObject({ kind: "early", rounds: 2 });
  expect(only([1.2, null, null], { looks: [3] }).outcome).toMatchObject({ kind: "early", rounds: 1 });
  expect(only([null, null, null], { looks: [3] }).outcome).toEqual({ kind: "absent" });
});

test("a doubt of that size is never a lead, nor is what it may hide equivalence", () => {
  const ratios = [1.03, 1.03, 1.03, 1.03, 1.03];
  expect(only(ratios).outcome.kind).toBe("leads");
  expect(only(ratios, {}, 0.03).outcome.kind).toBe("undecided");
});

test("of two contenders and one look, limits and claims are those of the paired t test", () => {
  fc.assert(
    fc.property(showdown, ({ pairs }) => {
      const [one] = pairs;
      const spread = measureSpread(one?.logRatios.filter((log) => log !== null) ?? []);
      if (one === undefined || spread === null) return;
      const reach = studentQuantile(0.95, spread.degreesOfFreedom) * spread.standardError;
      const [judged] = judgeSequentially([one], { margin: 1e-9, looks: [8], look: 8 });
      const isClear = Math.abs(spread.mean) > reach;
      expect(judged?.outcome.kind).toBe(isClear ? "leads" : "undecided");
      if (judged?.outcome.kind === "leads") {
        expect(judged.first).toBe(spread.mean > 0 ? one.first : one.second);
        expect(Math.log(judged.outcome.low)).toBeCloseTo(Math.abs(spread.mean) - reach, 9);
      }
    }),
  );
});

test("the order in which pairs and their two sides are given changes nothing", () => {
  const terms = { margin: 0.05, looks: everyRound, look: 8 };
  const sorted = (pairs: readonly PairRounds[]) =>
    judgeSequentially(pairs, terms)
      .flatMap((one) => (one.outcome.kind === "leads" ? [JSON.stringify(one)] : []))
      .sort();
  const turn = ({ first, second, logRatios }: PairRounds) => ({
    first: second,
    second: first,
    logRatios: logRatios.map((log) => (log === null ? null : -log)),
  });
  fc.assert(
    fc.property(showdown, ({ pairs }) => {
      expect(sorted(pairs.toReversed())).toEqual(sorted(pairs));
      expect(sorted(pairs.map(turn))).toEqual(sorted(pairs));
    }),
    { numRuns: 40 },
  );
});

test("once one pair of three differs, the rest need no correction, since two equalities imply the third", () => {
  const log = (values: readonly number[]) => values.map((value) => Math.log(value));
  const near = log([100, 105, 98, 103, 99]);
  const nearer = log([102, 99, 104, 100, 101]);
  const far = log([10, 10.2, 10.1, 9.9, 10]);
  const limits = (contenders: Readonly<Record<string, number[]>>) => {
    const entries = Object.entries(contenders);
    const pairs = entries.flatMap(([first, ones], at) =>
      entries.slice(at + 1).map(([second, others]) => ({
        first,
        second,
        logRatios: ones.map((value, round) => value - (others[round] ?? 0)),
      })),
    );
    const judged = judgeSequentially(pairs, { margin: 1e-9, looks: [5], look: 5 });
    return judged.find((one) => [one.first, one.second].sort().join() === "near,nearer")?.outcome;
  };
  const pair = { near, nearer };
  const width = ({ low, high }: PairOutcome & { kind: "undecided" }) => Math.log(high / low);
  const [alone, withFar, withSame] = [
    limits(pair),
    limits({ ...pair, far }),
    limits({ ...pair, same: log([101, 102, 101, 101, 100]) }),
  ];
  if (alone?.kind !== "undecided" || withFar?.kind !== "undecided" || withSame?.kind !== "undecided") {
    throw new Error("expected no decision");
  }
  expect(width(withFar)).toBeCloseTo(width(alone), 9);
  expect(width(withSame)).toBeGreaterThan(width(alone));
});

test("limits and outcome never contradict each other, and what is decided stays decided", () => {
  fc.assert(
    fc.property(showdown, ({ pairs }) => {
      const decided = new Map<string, object>();
      for (const look of everyRound) {
        for (const { first, second, outcome } of judgeSequentially(pairs, {
          margin: 0.05,
          looks: everyRound,
          look,
        })) {
          if (outcome.kind === "early" || outcome.kind === "absent") continue;
          const { kind, ratio, low, high } = outcome;
          expect(low <= ratio && ratio <= high).toBe(true);
          if (kind === "leads") expect(low).toBeGreaterThan(1);
          if (kind === "undecided") expect(low <= 1 && 1 <= high).toBe(true);
          if (kind === "equivalent") expect(low > 1 / 1.05 && high < 1.05).toBe(true);
          const key = [first, second].sort().join();
          const before = decided.get(key);
          if (before !== undefined) expect(outcome).toMatchObject(before);
          if (kind !== "undecided") decided.set(key, { kind, decidedAt: outcome.decidedAt });
        }
      }
    }),
    { numRuns: 60 },
  );
});

test("after so many further rounds of the same spread every ratio is decided, and not much before", () => {
  const { outcome } = only([1.05, 0.98, 1.06, 0.97, 1.04]);
  if (outcome.kind !== "undecided" || outcome.further.atMost === null) throw new Error(outcome.kind);
  const variance = measureSpread([1.05, 0.98, 1.06, 0.97, 1.04].map(Math.log))?.variance ?? Number.NaN;
  const kinds = (total: number) =>
    [0, 0.01, 0.02, 0.025, 0.03, 0.05].map((mean) => {
      const scale = Math.sqrt((variance * (total - 1)) / total);
      const ratios = Array.from({ length: total }, (_, round) =>
        Math.exp(mean + (round % 2 === 0 ? scale : -scale)),
      );
      return only(ratios).outcome.kind;
    });
  const total = 2 * Math.ceil((5 + outcome.further.atMost) / 2);
  expect(kinds(total)).not.toContain("undecided");
  expect(kinds(Math.round(total / 4) * 2)).toContain("undecided");
  expect(outcome.further.likely).toBeLessThanOrEqual(outcome.further.atMost);
});

test("a margin of nothing is refused", () => {
  expect(() => only([1, 1], { margin: 0 })).toThrow("margin 0");
});
