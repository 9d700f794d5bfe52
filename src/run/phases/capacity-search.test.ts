import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  concludeSearch,
  mostSteps,
  nextRate,
  precision,
  type SearchRules,
  type SearchStep,
  type StepOutcome,
} from "./capacity-search.ts";

const rules: SearchRules = { startRatePerSecond: 1000, grainPerSecond: 1 };

/** Searches an invented server to the end. */
function search(judge: (rate: number, step: number) => StepOutcome, searched = rules): SearchStep[] {
  const steps: SearchStep[] = [];
  for (;;) {
    const ratePerSecond = nextRate(steps, searched);
    if (ratePerSecond === null) return steps;
    steps.push({ ratePerSecond, outcome: judge(ratePerSecond, steps.length) });
    // One that never ends would hang the test.
    expect(steps.length).toBeLessThanOrEqual(mostSteps);
  }
}

const upTo = (capacity: number) => (rate: number) => (rate <= capacity ? "sustained" : "failed");

function rates(steps: readonly SearchStep[]): number[] {
  return steps.map(({ ratePerSecond }) => ratePerSecond);
}

/** An answer between the capacity and what the precision, or the coarsest message, leaves open below it. */
function expectFound(steps: readonly SearchStep[], capacity: number, grain = 1): void {
  const { sustainedPerSecond, isLowerBound } = concludeSearch(steps);
  expect(sustainedPerSecond).toBeLessThanOrEqual(capacity);
  const least = Math.min(capacity / (1 + precision), capacity - grain);
  expect(sustainedPerSecond).toBeGreaterThanOrEqual(Math.floor(least * 0.999));
  expect(isLowerBound).toBe(false);
}

test.each([
  // Doubled from the start, each failure repeated and the first once more, then the geometric middle.
  [3000, [1000, 2000, 4000, 4000, 4000, 2828, 3363, 3363, 3084, 3084, 2953]],
  [1000, [1000, 2000, 2000, 2000, 1414, 1414, 1189, 1189, 1090, 1090, 1044, 1044]],
  // Halved from a start that was too high.
  [300, [1000, 1000, 1000, 500, 500, 250, 354, 354, 297, 324, 324, 310, 310]],
])("a server of %i/s is asked for exactly these rates", (capacity, asked) => {
  const steps = search(upTo(capacity));
  expect(rates(steps)).toEqual(asked);
  expectFound(steps, capacity);
});

test("any capacity is found within the precision, from any start", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 1, max: 1e6, noNaN: true }),
      fc.double({ min: 0.02, max: 200, noNaN: true }),
      (start, factor) => {
        const capacity = Math.max(1, start * factor);
        expectFound(search(upTo(capacity), { startRatePerSecond: start, grainPerSecond: 1 }), capacity);
      },
    ),
  );
});

test("rates are multiples of what one message more makes, and the answer is as exact as these allow", () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 5000 }),
      fc.integer({ min: 1, max: 100 }),
      fc.integer({ min: 10, max: 20_000 }),
      (grainPerSecond, grains, startRatePerSecond) => {
        const capacity = grainPerSecond * grains;
        const steps = search(upTo(capacity), { startRatePerSecond, grainPerSecond });
        for (const rate of rates(steps)) expect(rate % grainPerSecond).toBe(0);
        if (steps.length < mostSteps) expectFound(steps, capacity, grainPerSecond);
      },
    ),
  );
});

test("hiccups now and then, at any step, change nothing of the answer", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 200, max: 50_000, noNaN: true }),
      fc.uniqueArray(fc.integer({ min: 0, max: mostSteps }), { maxLength: 4 }),
      fc.constantFrom<StepOutcome>("failed", "unknown"),
      (capacity, places, outcome) => {
        // Two at one rate would count, and a rate is tried three times at most.
        const hiccups = new Set(
          places.filter((place) => !places.includes(place - 1) && !places.includes(place - 2)),
        );
        const noisy = search((rate, step) => (hiccups.has(step) ? outcome : upTo(capacity)(rate)));
        if (noisy.length === mostSteps) return;
        expect(concludeSearch(noisy)).toEqual(concludeSearch(search(upTo(capacity))));
      },
    ),
  );
});

test("with a tenth of all steps failing by chance, nine of ten searches still come within a tenth", () => {
  const capacity = 20_000;
  let close = 0;
  for (let seed = 1; seed <= 200; seed++) {
    const random = lcg(seed);
    const { sustainedPerSecond } = concludeSearch(
      search((rate) => (random() < 0.1 ? "failed" : upTo(capacity)(rate))),
    );
    if (sustainedPerSecond !== null && sustainedPerSecond >= capacity * 0.9) close++;
  }
  expect(close).toBeGreaterThanOrEqual(180);
});

test("where the generator ends first the answer is a lower bound, near the generator's own end", () => {
  fc.assert(
    fc.property(
      fc.double({ min: 100, max: 1e5, noNaN: true }),
      fc.double({ min: 100, max: 1e5, noNaN: true }),
      (capacity, ceiling) => {
        fc.pre(Math.floor(capacity) !== Math.floor(ceiling));
        const steps = search((rate) =>
          rate > capacity && capacity < ceiling ? "failed" : rate > ceiling ? "unknown" : "sustained",
        );
        const { sustainedPerSecond, isLowerBound } = concludeSearch(steps);
        const end = Math.min(capacity, ceiling);
        expect(sustainedPerSecond).toBeLessThanOrEqual(end);
        expect(sustainedPerSecond).toBeGreaterThan(end / (1 + precision) - 2);
        expect(isLowerBound).toBe(ceiling < capacity);
      },
    ),
  );
});

test("the generator stopping a high step does not hide the server's end below it", () => {
  const steps = search((rate) => (rate >= 4000 ? "unknown" : rate <= 2300 ? "sustained" : "failed"));
  expectFound(steps, 2300);
});

test("failures for different reasons are decided by another try", () => {
  const [failed, unknown] = ["failed", "unknown"].map((outcome) => ({
    ratePerSecond: 1000,
    outcome: outcome as StepOutcome,
  }));
  if (failed === undefined || unknown === undefined) throw new Error("two steps are given");
  expect(nextRate([failed], rules)).toBe(1000);
  expect(nextRate([failed, unknown], rules)).toBe(1000);
  expect(nextRate([failed, unknown, failed], rules)).toBe(1000);
  expect(nextRate([failed, unknown, failed, failed], rules)).toBe(500);
  expect(concludeSearch([failed, unknown, failed, failed]).isLowerBound).toBe(false);
  expect(concludeSearch([failed, unknown, unknown, unknown]).isLowerBound).toBe(true);
});

test("a server that sustains nothing has no capacity, and the search ends", () => {
  const steps = search(() => "failed", { startRatePerSecond: 64, grainPerSecond: 10 });
  expect(rates(steps)).toEqual([60, 60, 60, 30, 30, 20, 20, 10, 10]);
  expect(concludeSearch(steps)).toEqual({
    sustainedPerSecond: null,
    failedPerSecond: 10,
    isLowerBound: false,
  });
});

test("a server that sustains everything ends the search by its number of steps, as a lower bound", () => {
  const steps = search(() => "sustained");
  expect(steps).toHaveLength(mostSteps);
  expect(concludeSearch(steps)).toMatchObject({ failedPerSecond: null, isLowerBound: true });
});

function lcg(seed: number): () => number {
  let state = seed * 2_654_435_761;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}
