import { expect, test } from "bun:test";
import fc from "fast-check";
import { drawNormal, nameEntrant } from "../../bench/coverage.ts";
import { createRandom, drawFraction, shuffle } from "../plan/random.ts";
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
        return drawFraction(random) < missing ? null : value;
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
