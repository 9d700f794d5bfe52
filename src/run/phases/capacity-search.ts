/** What became of one step: held, or not, and whether that was the server's doing. */
export type StepVerdict = "held" | "server" | "elsewhere";

export interface SearchStep {
  /** Deliveries per second offered. */
  readonly ratePerSecond: number;
  readonly verdict: StepVerdict;
}

export interface SearchRules {
  readonly startRatePerSecond: number;
  /** Rates come in multiples of this: a step can't send a part of a message. */
  readonly grainPerSecond: number;
}

/** Between the highest rate held and the lowest that was not: a finer answer would be finer than two runs agree. */
export const precision = 0.05;
/** Enough to double the rate a thousandfold and to bisect, with every failure repeated. */
export const mostSteps = 34;

/**
 * A failure counts when the same one has come this often at one rate. The search never comes back above a
 * rate that failed, so one hiccup of the machine would cut the result for good; a rate is hardly ever held
 * by accident, and holding it once is enough. The first rate that fails, while they double, cuts most: two
 * failures at 32,000/s once left 30,643/s to a server whose bursts ran at 82,606/s (--preset full, elixir-genserver).
 */
const failuresThatCount = { first: 3, later: 2 } as const;

/**
 * The rate to offer next: doubled until one fails, then the geometric middle between held and failed; halved
 * while none was held. Null when the answer is known, or when there are no more steps.
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
  const { heldPerSecond: held, failedPerSecond: failed } = concludeSearch(steps);
  const isSettled = last.ratePerSecond === held || last.ratePerSecond === failed;
  if (!isSettled) return last.ratePerSecond;
  if (failed === null) return held === null ? null : inGrains(held * 2);
  if (held !== null && failed <= held * (1 + precision)) return null;
  const next = inGrains(held === null ? failed / 2 : Math.sqrt(held * failed));
  return next > (held ?? 0) && next < failed ? next : null;
}

export interface Conclusion {
  /** The highest rate held; null when none was. */
  readonly heldPerSecond: number | null;
  /** The lowest rate that was not held, beyond doubt; null when all were. */
  readonly failedPerSecond: number | null;
  /** The server could have held more for all that is known: something else, or the number of steps, set the end. */
  readonly isLowerBound: boolean;
}

export function concludeSearch(steps: readonly SearchStep[]): Conclusion {
  const held = new Set(
    steps.filter(({ verdict }) => verdict === "held").map(({ ratePerSecond }) => ratePerSecond),
  );
  const first = steps.find(({ ratePerSecond }) => !held.has(ratePerSecond))?.ratePerSecond;
  const failedBy = (culprit: "server" | "elsewhere") =>
    [...Map.groupBy(steps, ({ ratePerSecond }) => ratePerSecond)]
      .filter(([rate, tries]) => {
        const needed = rate === first ? failuresThatCount.first : failuresThatCount.later;
        return !held.has(rate) && countOf(tries, culprit) >= needed;
      })
      .map(([rate]) => rate);
  const [byServer, byOther] = [failedBy("server"), failedBy("elsewhere")];
  const failed = Math.min(...byServer, ...byOther);
  return {
    heldPerSecond: held.size === 0 ? null : Math.max(...held),
    failedPerSecond: failed === Number.POSITIVE_INFINITY ? null : failed,
    isLowerBound: !byServer.includes(failed),
  };
}

function countOf(steps: readonly SearchStep[], verdict: StepVerdict): number {
  return steps.filter((step) => step.verdict === verdict).length;
}
