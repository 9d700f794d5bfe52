/** What one contender did in one slice: so many deliveries in so many milliseconds, or such a cost for so many. */
export interface SliceFigure {
  readonly amount: number;
  readonly per: number;
}

/**
 * One round's ratio of two contenders from slices that were interleaved by blocks (`sliceOrder`), as a logarithm: all
 * that the first did in the blocks that both have, over all that it took, against the same of the second. Drift cancels
 * as far as both have it in the same blocks, and what the ratio says is what the phase's own figures say.
 *
 * A robust centre of the blocks' ratios (trimmed mean, median) is narrower under heavy tails, and blind to what a
 * contender does in a tenth of its slices, such as collecting garbage: where one pauses and is quicker in between, it
 * calls equals different (docs/statistics.md).
 *
 * @param first by block at its place; null where there is none; `second` likewise
 * @returns null where they have no block in common, or one did nothing in all of them
 * @source L. Bulej et al., "Duet benchmarking", ICPE 2020 (pairs of simultaneous measurements); W. G. Cochran, "Sampling
 * techniques", 1977, chapter 6 (ratio of sums)
 */
export function sliceRatio(
  first: readonly (SliceFigure | null)[],
  second: readonly (SliceFigure | null)[],
): number | null {
  const [one, other] = [
    { amount: 0, per: 0 },
    { amount: 0, per: 0 },
  ];
  first.forEach((slice, block) => {
    const rival = second[block] ?? null;
    if (slice === null || rival === null) return;
    one.amount += slice.amount;
    one.per += slice.per;
    other.amount += rival.amount;
    other.per += rival.per;
  });
  const log = Math.log(one.amount / one.per / (other.amount / other.per));
  return Number.isFinite(log) ? log : null;
}
