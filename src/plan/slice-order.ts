import { type Random, shuffle } from "./random.ts";

/**
 * The order of the slices of a round: blocks, each with every contender once, so that a contender's slice and its
 * rival's of the same block are neighbours in time. The permutations are random, but of 24 drawn for each block the one
 * is taken that leaves most even, over the round so far and across the borders of blocks:
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
  const tally = new Tally(contenders);
  const everyone = Array.from({ length: contenders }, (_, at) => at);
  const order: number[][] = [];
  for (let block = 0; block < blocks; block++) {
    let best: number[] = [];
    let lowest = Number.POSITIVE_INFINITY;
    for (let draw = 0; draw < (contenders > 1 ? 2 * contenders : 1); draw++) {
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

class Tally {
  readonly #size: number;
  /** At `a * size + b`: blocks with a in place b. */
  readonly #placed: number[];
  /** Blocks with a before b, less those with b before a. */
  readonly #before: number[];
  /** Slices of b directly after one of a. */
  readonly #followed: number[];
  #last: number | null = null;

  constructor(size: number) {
    this.#size = size;
    this.#placed = new Array(size * size).fill(0);
    this.#before = new Array(size * size).fill(0);
    this.#followed = new Array(size * size).fill(0);
  }

  /** The growth of the sum of squares over all counts. */
  cost(block: readonly number[]): number {
    let cost = 0;
    this.#visit(block, (counts, at) => {
      cost += 2 * (counts[at] ?? 0) + 1;
    });
    return cost;
  }

  add(block: readonly number[]): void {
    this.#visit(block, (counts, at, step) => {
      counts[at] = (counts[at] ?? 0) + step;
    });
    this.#last = block.at(-1) ?? null;
  }

  #visit(block: readonly number[], each: (counts: number[], at: number, step: number) => void): void {
    let previous = this.#last;
    block.forEach((one, place) => {
      each(this.#placed, one * this.#size + place, 1);
      if (previous !== null) each(this.#followed, previous * this.#size + one, 1);
      previous = one;
      for (const later of block.slice(place + 1)) {
        each(this.#before, one * this.#size + later, 1);
        each(this.#before, later * this.#size + one, -1);
      }
    });
  }
}
