import type { CapacityStep } from "../../result/phase.ts";

/** What became of one step; `unknown`: not sustained, but by the generator's or other processes' doing. */
export type StepOutcome = CapacityStep["outcome"];

export interface SearchStep {
  /** Deliveries per second offered. */
  readonly ratePerSecond: number;
  readonly outcome: StepOutcome;
}

export interface SearchRules {
  readonly startRatePerSecond: number;
  /** Rates come in multiples of this: a step can't send a part of a message. */
  readonly grainPerSecond: number;
}

/** Between the highest rate sustained and the lowest that was not: a finer answer would be finer than two runs agree. */
export const precision = 0.05;
/** Enough to double the rate a thousandfold and to bisect, with every failure repeated. */
export const mostSteps = 34;

/**
 * A failure counts when the same one has come this often at one rate. The search never comes back above a
 * rate that failed, so one hiccup of the machine would cut the result for good; a rate is hardly ever sustained
 * by accident, and sustaining it once is enough. The first rate that fails, while they double, cuts most: two
 * failures at 32,000/s once left 30,643/s to a server whose bursts ran at 82,606/s (--preset full, elixir-genserver).
 */
const failuresThatCount = { first: 3, later: 2 } as const;

/**
 * The rate to offer next: doubled until one fails, then the geometric middle between sustained and failed; halved
 * while none was sustained. Null when the answer is known, or when there are no more steps.
 *
 * @returns deliveries per second, a multiple of the grain
 */
export function nextRate(
  steps: readonly SearchStep[],
  { startRatePerSecond, grainPerSecond }: SearchRules,
): number | null {
  const inGrains = (rate: number) => Math.max(1, Math.round(rate / grainPerSecond)) * grainPerSecond;
  const last = steps.at(-1);
  if (last === undefined) return inGrains(startRatePerSecond);
  if (steps.length >= mostSteps) return null;
  const { sustainedPerSecond: sustained, failedPerSecond: failed } = concludeSearch(steps);
  const isSettled = last.ratePerSecond === sustained || last.ratePerSecond === failed;
  if (!isSettled) return last.ratePerSecond;
  if (failed === null) return sustained === null ? null : inGrains(sustained * 2);
  if (sustained !== null && failed <= sustained * (1 + precision)) return null;
  const next = inGrains(sustained === null ? failed / 2 : Math.sqrt(sustained * failed));
  return next > (sustained ?? 0) && next < failed ? next : null;
}

export interface Conclusion {
  /** The highest rate sustained; null when none was. */
  readonly sustainedPerSecond: number | null;
  /** The lowest rate that was not sustained, beyond doubt; null when all were. */
  readonly failedPerSecond: number | null;
  /** The server could have sustained more for all that is known: something else, or the number of steps, set the end. */
  readonly isLowerBound: boolean;
}

export function concludeSearch(steps: readonly SearchStep[]): Conclusion {
  const sustained = new Set(
    steps.filter(({ outcome }) => outcome === "sustained").map(({ ratePerSecond }) => ratePerSecond),
  );
  const first = steps.find(({ ratePerSecond }) => !sustained.has(ratePerSecond))?.ratePerSecond;
  const failedBy = (outcome: "failed" | "unknown") =>
    [...Map.groupBy(steps, ({ ratePerSecond }) => ratePerSecond)]
      .filter(([rate, tries]) => {
        const needed = rate === first ? failuresThatCount.first : failuresThatCount.later;
        return !sustained.has(rate) && countOf(tries, outcome) >= needed;
      })
      .map(([rate]) => rate);
  const [byServer, byOther] = [failedBy("failed"), failedBy("unknown")];
  const failed = Math.min(...byServer, ...byOther);
  return {
    sustainedPerSecond: sustained.size === 0 ? null : Math.max(...sustained),
    failedPerSecond: failed === Number.POSITIVE_INFINITY ? null : failed,
    isLowerBound: !byServer.includes(failed),
  };
}

function countOf(steps: readonly SearchStep[], outcome: StepOutcome): number {
  return steps.filter((step) => step.outcome === outcome).length;
}
