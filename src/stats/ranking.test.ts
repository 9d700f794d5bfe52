import { expect, test } from "bun:test";
import fc from "fast-check";
import { createRandom, shuffle } from "../plan/random.ts";
import {
  claimsAnything,
  drawNormal,
  findsFirst,
  measureShare,
  nameEntrant,
  playShowdown,
  type Showdown,
} from "./coverage.ts";
import { type Entry, rank, smallestResolvableDifference, type Verdict } from "./ranking.ts";

const throughput = { better: "higher", step: 0 } as const;
const latency = { better: "lower", step: 0 } as const;

const entry = (
  name: string,
  values: readonly (number | null)[],
  voidReason: string | null = null,
): Entry => ({
  name,
  values,
  voidReason,
});

function only(verdicts: readonly { readonly verdict: Verdict }[]): Verdict {
  const [first] = verdicts;
  if (first === undefined || verdicts.length !== 1)
    throw new Error(`${verdicts.length} comparisons, expected 1`);
  return first.verdict;
}

const showdown = fc.record({
  advantages: fc.array(fc.double({ min: 0.7, max: 1.4, noNaN: true }), { minLength: 2, maxLength: 6 }),
  rounds: fc.integer({ min: 2, max: 10 }),
  seed: fc.maxSafeInteger(),
  missing: fc.double({ min: 0, max: 0.3, noNaN: true }),
});

/** Entries with noise of 1 to 8 % and some rounds left out. */
const entries = showdown.map(({ advantages, rounds, seed, missing }) => {
  const random = createRandom(seed);
  return advantages.map((advantage, entrant) =>
    entry(
      nameEntrant(entrant),
      Array.from({ length: rounds }, () => {
        const value = 1000 * advantage * Math.exp((0.01 + 0.02 * (entrant % 4)) * drawNormal(random));
        return random() / 2 ** 32 < missing ? null : value;
      }),
    ),
  );
});

test("a clear winner, by higher throughput and by lower latency", () => {
  const fast = [110, 111, 109, 110, 112];
  const slow = [100, 101, 99, 100, 101];
  for (const [measure, winner] of [
    [throughput, "a"],
    [latency, "b"],
  ] as const) {
    const { groups, comparisons, unranked } = rank(measure, [entry("a", fast), entry("b", slow)]);
    expect(groups).toEqual(winner === "a" ? [["a"], ["b"]] : [["b"], ["a"]]);
    expect(comparisons[0]?.first).toBe(winner);
    expect(only(comparisons)).toMatchObject({ kind: "faster", ratio: expect.closeTo(1.1, 2) });
    expect(unranked).toEqual([]);
  }
});

test("no clear difference is a tie", () => {
  const { groups, comparisons } = rank(throughput, [
    entry("a", [100, 105, 98, 103, 99]),
    entry("b", [102, 99, 104, 100, 101]),
  ]);
  expect(groups).toEqual([["b", "a"]]);
  expect(only(comparisons).kind).toBe("no-clear-difference");
});

test("one round gives a ratio and no claim, however large", () => {
  const { groups, comparisons } = rank(throughput, [entry("a", [100]), entry("b", [900])]);
  expect(only(comparisons)).toEqual({ kind: "single-round", ratio: 9 });
  expect(comparisons[0]).toMatchObject({ first: "b", second: "a" });
  expect(groups).toEqual([["b", "a"]]);
});

test("what is void or has no ratio is not ranked, and the reason is told", () => {
  const { groups, comparisons, unranked } = rank(throughput, [
    entry("a", [100, 101, 100]),
    entry("saturated", [300, 301, 300], "the generator was saturated"),
    entry("dead", [null, null, null]),
    entry("zero", [5, 0, 5]),
  ]);
  expect(groups).toEqual([["a"]]);
  expect(unranked).toEqual([
    { name: "saturated", reason: "the generator was saturated" },
    { name: "dead", reason: "no round has a value" },
    { name: "zero", reason: "round 2 has 0, which has no ratio to anything" },
  ]);
  expect(comparisons).toHaveLength(6);
  expect(comparisons[0]?.verdict).toEqual({ kind: "void", reason: "saturated: the generator was saturated" });
});

test("rounds that one of two lacks are left out of their comparison", () => {
  const apart = rank(throughput, [entry("a", [100, null]), entry("b", [null, 90])]);
  expect(only(apart.comparisons)).toEqual({ kind: "void", reason: "no round has a value of both" });
  const shared = rank(throughput, [entry("a", [100, null, 100]), entry("b", [50, 90, null])]);
  expect(only(shared.comparisons)).toEqual({ kind: "single-round", ratio: 2 });
});

test("the void of one entry changes nothing among the others", () => {
  const two = [entry("a", [100, 103, 99, 104]), entry("b", [105, 107, 102, 110])];
  const three = rank(throughput, [...two, entry("c", [1, 2, 3, 4], "saturated")]);
  const verdicts = three.comparisons.filter(({ verdict }) => verdict.kind !== "void");
  expect(verdicts).toEqual([...rank(throughput, two).comparisons]);
});

test("whole microseconds that differ by one in every round are no difference", () => {
  const both = [entry("a", [28, 28, 28, 28, 28]), entry("b", [29, 29, 29, 29, 29])];
  expect(only(rank({ better: "lower", step: 1 }, both).comparisons).kind).toBe("no-clear-difference");
  expect(only(rank({ better: "lower", step: 0 }, both).comparisons).kind).toBe("faster");
});

test("names that don't differ are refused", () => {
  expect(() => rank(throughput, [entry("a", [1]), entry("a", [2])])).toThrow("expected names that differ");
});

test("a verdict is faster exactly when its limits exclude 1, and always states a ratio of at least 1", () => {
  fc.assert(
    fc.property(entries, (entries) => {
      for (const { verdict } of rank(throughput, entries).comparisons) {
        if (verdict.kind === "void") continue;
        expect(verdict.ratio).toBeGreaterThanOrEqual(1);
        if (verdict.kind === "single-round") continue;
        expect(verdict.kind === "faster").toBe(verdict.low > 1);
        expect(verdict.low <= verdict.ratio && verdict.ratio <= verdict.high).toBe(true);
      }
    }),
  );
});

test("a group holds no clear difference, and the clearly better stand in earlier groups", () => {
  fc.assert(
    fc.property(entries, (entries) => {
      const { groups, unranked, comparisons } = rank(latency, entries);
      expect(groups.flat().length + unranked.length).toBe(entries.length);
      const place = (name: string) => groups.findIndex((group) => group.includes(name));
      for (const { first, second, verdict } of comparisons) {
        if (verdict.kind === "faster") expect(place(first)).toBeLessThan(place(second));
      }
    }),
  );
});

test("the order in which entries are given changes nothing", () => {
  fc.assert(
    fc.property(entries, fc.maxSafeInteger(), (entries, seed) => {
      const sort = ({ comparisons, groups }: ReturnType<typeof rank>) => ({
        groups,
        claims: comparisons
          .flatMap((it) => (it.verdict.kind === "faster" ? [JSON.stringify(it)] : []))
          .sort(),
      });
      const shuffled = shuffle(createRandom(seed), entries);
      expect(sort(rank(throughput, shuffled))).toEqual(sort(rank(throughput, entries)));
    }),
  );
});

test("once one pair of three differs, the rest need no correction, since two equalities imply the third", () => {
  const near = [100, 105, 98, 103, 99];
  const nearer = [102, 99, 104, 100, 101];
  const far = [10, 10.2, 10.1, 9.9, 10];
  const limits = (entries: readonly Entry[]) =>
    rank(throughput, entries).comparisons.find(({ verdict }) => verdict.kind === "no-clear-difference")
      ?.verdict;
  const pair = [entry("near", near), entry("nearer", nearer)];
  expect(limits([...pair, entry("far", far)])).toEqual(limits(pair));
  const corrected = limits([...pair, entry("same", [101, 102, 101, 101, 100])]);
  expect(corrected).toMatchObject({ low: expect.any(Number) });
  expect(corrected).not.toEqual(limits(pair));
});

test("a clear difference in the rounds that both have outweighs medians of different rounds", () => {
  const { groups } = rank(throughput, [
    entry("cut short", [110, 111, 110, null, null, null, null]),
    entry("whole", [100, 101, 100, 200, 201, 200, 202]),
  ]);
  expect(groups).toEqual([["cut short"], ["whole"]]);
});

/** A/A: equal entrants on a machine that drifts. */
const equal = (noises: readonly number[], rounds = 5): Showdown => ({
  advantages: noises.map(() => 1),
  noises,
  rounds,
  drift: 0.05,
});

test("A/A: equal entrants are told apart in at most 5 % of showdowns, drift or not, noisy or not", () => {
  const random = createRandom(21);
  for (const noises of [
    [0.02, 0.02],
    [0.07, 0.07],
    [0.02, 0.07],
    [0.03, 0.03, 0.03],
    [0.07, 0.02, 0.02, 0.02, 0.02],
  ]) {
    // Two and a half standard errors of 1,500 trials are 1.4 %.
    expect(measureShare(equal(noises), claimsAnything, 1500, random)).toBeLessThan(0.064);
  }
});

test("A/B: a tenth slower is found in nine of ten showdowns over 5 rounds", () => {
  const random = createRandom(22);
  const slowed = (noises: readonly number[]): Showdown => ({
    ...equal(noises),
    advantages: noises.map((_, entrant) => (entrant === noises.length - 1 ? 0.9 : 1)),
  });
  expect(measureShare(slowed([0.03, 0.03]), findsFirst, 1000, random)).toBeGreaterThan(0.9);
  // As calibration enters them: one twice, and once more slowed.
  expect(measureShare(slowed([0.025, 0.025, 0.025]), findsFirst, 1000, random)).toBeGreaterThan(0.9);
});

test("each shown interval holds the true ratio in at least 95 % of showdowns", () => {
  const random = createRandom(23);
  const advantages = [1.3, 1.1, 1.08, 1];
  let intervals = 0;
  let held = 0;
  for (let trial = 0; trial < 500; trial++) {
    const { comparisons } = playShowdown({ ...equal([0.03, 0.03, 0.03, 0.03]), advantages }, random);
    for (const { first, second, verdict } of comparisons) {
      if (verdict.kind !== "faster" && verdict.kind !== "no-clear-difference") continue;
      const advantage = (name: string) => advantages[Number(name.slice("entrant-".length)) - 1] ?? Number.NaN;
      const truth = advantage(first) / advantage(second);
      intervals++;
      if (verdict.low <= truth && truth <= verdict.high) held++;
    }
  }
  expect(intervals).toBe(3000);
  expect(held / intervals).toBeGreaterThan(0.94);
});

test("the smallest resolvable difference is found in nine of ten showdowns, half of it in far fewer", () => {
  const random = createRandom(24);
  const noise = 0.025;
  const values = [0, 1].map(() => Array.from({ length: 400 }, () => Math.exp(noise * drawNormal(random))));
  for (const rounds of [3, 5, 10]) {
    const smallest = smallestResolvableDifference(values, { rounds }) ?? Number.NaN;
    const play = (difference: number) =>
      measureShare(
        { ...equal([noise, noise], rounds), advantages: [1 + difference, 1] },
        findsFirst,
        1000,
        random,
      );
    const found = play(smallest);
    expect(found).toBeGreaterThan(0.85);
    expect(found).toBeLessThan(0.95);
    expect(play(smallest / 2)).toBeLessThan(0.6);
  }
});

test("more entrants, fewer rounds and more noise resolve less", () => {
  const rounds = [
    [100, 103, 99, 104, 101],
    [101, 102, 103, 99, 100],
  ];
  const smallest = smallestResolvableDifference(rounds) ?? Number.NaN;
  expect(smallest).toBeGreaterThan(0);
  expect(smallestResolvableDifference(rounds, { entrants: 5 })).toBeGreaterThan(smallest);
  expect(smallestResolvableDifference(rounds, { rounds: 3 })).toBeGreaterThan(smallest);
  expect(smallestResolvableDifference(rounds, { rounds: 10 })).toBeLessThan(smallest);
  const noisier = rounds.map((values) => values.map((value) => 100 + 3 * (value - 100)));
  expect(smallestResolvableDifference(noisier)).toBeGreaterThan(smallest);
});

test("without two entrants over two rounds nothing can be said of the resolution", () => {
  expect(smallestResolvableDifference([])).toBeNull();
  expect(smallestResolvableDifference([[1, 2, 3]])).toBeNull();
  expect(smallestResolvableDifference([[1], [2]])).toBeNull();
});
