import { OrderTally } from "./order.ts";
import { type Random, shuffle } from "./random.ts";

/**
 * The order of the slices of a round: blocks, each with every contender once, so that a contender's slice and its
 * rival's of the same block are neighbours in time. The permutations are random, but of several drawn for each block, two for
 * every ordered pair of contenders, the one is taken that leaves most even, over the round so far and across the borders
 * of blocks:
 * - how often each contender stood in each place of its block;
 * - how often each ran before each other within a block;
 * - how often each directly followed each other, whose leftovers it finds.
 *
 * From three contenders on nobody follows itself. `balancedOrder` of the plan is for rounds, which begin afresh: it
 * leaves the borders of its lists to chance, where of 75 blocks one contender follows another up to 11 times more often
 * than a third.
 *
 * @param contenders how many
 * @returns per block, the contenders by their place from 0
 * @source interleaving: A. Abedi and T. Brecht, "Conducting repeatable experiments in highly variable cloud computing
 * environments", ICPE 2017; balance over neighbours: E. J. Williams, Australian J. Scientific Research A 2, 1949
 */
export function sliceOrder(contenders: number, blocks: number, random: Random): number[][] {
  const tally = new OrderTally(contenders, true);
  const everyone = Array.from({ length: contenders }, (_, at) => at);
  const order: number[][] = [];
  for (let block = 0; block < blocks; block++) {
    let best: number[] = [];
    let lowest = Number.POSITIVE_INFINITY;
    for (let draw = 0; draw < (contenders > 1 ? 2 * contenders * (contenders - 1) : 1); draw++) {
      let candidate = shuffle(random, everyone);
      while (contenders > 2 && candidate[0] === order.at(-1)?.at(-1)) candidate = shuffle(random, everyone);
      const cost = tally.cost(candidate);
      if (cost < lowest) [best, lowest] = [candidate, cost];
    }
    tally.add(best);
    order.push(best);
  }
  return order;
}
