import { countIndependent } from "./autocorrelation.ts";
import { type Interval, measureSpread } from "./intervals.ts";
import { studentQuantile } from "./student.ts";

/** How two contenders compare in the slices of one round. */
export interface SliceRatio {
  /** Logarithm of how many times the first's slices are the second's, typically. */
  readonly typical: number;
  /** Of `typical`, from the slices of this round: what it says of other rounds is told by the rounds only. */
  readonly standardError: number;
  /** The same logarithm by the sums over all slices, so that slices in which one stood still count in full. */
  readonly total: number;
  /** Blocks in which both have a slice. */
  readonly blocks: number;
}

const fewestBlocks = 10;
const trimmedShare = 0.1;

/**
 * One round's ratio of two contenders from slices that were interleaved by blocks (`sliceOrder`): per block the
 * logarithm of the ratio, in which the machine's drift cancels, and of these the mean without the lowest and the highest
 * tenth. Among mean, median, Hodges and Lehmann's median of means, and trimmed means of 10 to 30 %, it is as narrow as
 * the best under normal and heavy-tailed noise, outliers, drift and bursts of a neighbour; Hodges and Lehmann's is its
 * equal, at n² the cost (docs/statistics.md).
 *
 * A robust centre does not see what a contender does in a tenth of its slices, such as collecting garbage: `total`
 * does, and is up to three quarters wider where the machine has outliers. `pauseInterval` tells when the two disagree.
 *
 * @param first one value per block at its place, not negative; null where there is none; `second` likewise
 * @returns null for fewer than ten common blocks, or if one stood still in more than a tenth of them
 * @source J. W. Tukey and D. H. McLaughlin, "Less vulnerable confidence and significance procedures for location based
 * on a single sample", Sankhya A 25, 1963 (trimmed mean; its error from the Winsorised spread); L. Bulej et al., "Duet
 * benchmarking", ICPE 2020 (pairs of simultaneous measurements)
 */
export function sliceRatio(
  first: readonly (number | null)[],
  second: readonly (number | null)[],
): SliceRatio | null {
  let [firstSum, secondSum] = [0, 0];
  const logs: number[] = [];
  first.forEach((one, block) => {
    const other = second[block] ?? null;
    // A block in which neither did anything says nothing of their ratio.
    if (one === null || other === null || (one === 0 && other === 0)) return;
    firstSum += one;
    secondSum += other;
    logs.push(Math.log(one / other));
  });
  const blocks = logs.length;
  const trimmed = Math.floor(trimmedShare * blocks);
  const kept = [...logs].sort((a, b) => a - b).slice(trimmed, blocks - trimmed);
  const [low = Number.NaN] = kept;
  const high = kept.at(-1) ?? Number.NaN;
  if (blocks < fewestBlocks || !Number.isFinite(low) || !Number.isFinite(high)) return null;
  const winsorised = measureSpread(logs.map((log) => Math.min(Math.max(log, low), high)));
  const typical = kept.reduce((sum, log) => sum + log, 0) / kept.length;
  const residuals = logs.map((log) => Math.min(Math.max(log, low), high) - (winsorised?.mean ?? 0));
  const independent = Math.max(1, countIndependent(residuals, "mean"));
  const deviation = Math.sqrt(winsorised?.variance ?? 0);
  return {
    typical,
    standardError: deviation / ((kept.length / blocks) * Math.sqrt(independent)),
    total: Math.log(firstSum / secondSum),
    blocks,
  };
}

/**
 * What pauses cost the first more than the second: how many times its total ratio is its typical one, over the
 * rounds. Where the interval excludes 1, one of the two loses work in a few slices of each round (a collection, a
 * stall) that the typical ratio leaves out; then the total is the figure to compare.
 *
 * @returns null for fewer than two rounds
 */
export function pauseInterval(rounds: readonly SliceRatio[], confidence = 0.95): Interval | null {
  const spread = measureSpread(rounds.map(({ total, typical }) => total - typical));
  if (spread === null) return null;
  const reach = studentQuantile(confidence, spread.degreesOfFreedom) * spread.standardError;
  return {
    middle: Math.exp(spread.mean),
    low: Math.exp(spread.mean - reach),
    high: Math.exp(spread.mean + reach),
  };
}
