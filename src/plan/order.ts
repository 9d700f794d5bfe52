import { createRandom, shuffle } from "./random.ts";

/**
 * The order in which everything runs: one list per round, each with every entrant once. Whoever runs late in a round
 * finds a warmer machine, and whoever follows a heavy server finds its leftovers, so over the rounds
 * - each entrant takes each position equally often, within one, after any number of rounds;
 * - with an even number of entrants, each runs before each other, and directly after each other, equally often: within
 *   one after any number of rounds, exactly after each multiple of that number;
 * - with an odd number, within two after any number of rounds, exactly after each multiple of twice that number.
 *
 * The same entrants, rounds and seed give the same order on every platform.
 *
 * @source E. J. Williams, "Experimental designs balanced for the estimation of residual effects of treatments",
 * Australian Journal of Scientific Research A 2, 1949
 */
export function balancedOrder<T>(entrants: readonly T[], rounds: number, seed: number): T[][] {
  if (!Number.isSafeInteger(rounds) || rounds < 0) {
    throw new RangeError(`rounds ${rounds}: expected a whole number from 0`);
  }
  if (entrants.length === 0) return Array.from({ length: rounds }, () => []);
  const random = createRandom(seed);
  const labels = shuffle(random, entrants);
  const tally = new OrderTally(labels.length, false);
  const order: T[][] = [];
  for (let square = 0; order.length < rounds; square++) {
    const rows = shuffle(random, williamsSquare(labels.length, square % 2 === 1));
    while (rows.length > 0 && order.length < rounds) {
      const costs = rows.map((one) => tally.cost(one));
      const [row = []] = rows.splice(costs.indexOf(Math.min(...costs)), 1);
      tally.add(row);
      order.push(row.flatMap((entrant) => labels.slice(entrant, entrant + 1)));
    }
  }
  return order;
}

/**
 * A Latin square whose rows are the shifts of 0, 1, n-1, 2, n-2, …: the steps within that row are all different, so
 * for an even n each entrant directly follows each other exactly once. An odd n needs the mirrored square too.
 */
function williamsSquare(size: number, mirrored: boolean): number[][] {
  const first = Array.from({ length: size }, (_, place) =>
    place % 2 === 1 ? (place + 1) / 2 : (size - place / 2) % size,
  );
  if (mirrored && size % 2 === 1) first.reverse();
  return first.map((_, shift) => first.map((entrant) => (entrant + shift) % size));
}

/** Counts over the blocks so far, each an order of the numbers from 0. */
export class OrderTally {
  readonly #size: number;
  readonly #followsAcross: boolean;
  /** At `a * size + b`: blocks with a in place b. */
  readonly #placed: number[];
  /** At `a * size + b`, a less than b: blocks with a before b, less those with b before a. */
  readonly #before: number[];
  /** At `a * size + b`: how often b came directly after a. */
  readonly #followed: number[];
  #last: number | null = null;

  /** @param followsAcross whether a block's first directly follows the last of the block before */
  constructor(size: number, followsAcross: boolean) {
    this.#size = size;
    this.#followsAcross = followsAcross;
    this.#placed = new Array(size * size).fill(0);
    this.#before = new Array(size * size).fill(0);
    this.#followed = new Array(size * size).fill(0);
  }

  /** By how much the sum of squares over all counts would grow: the less, the more even they stay. */
  cost(block: readonly number[]): number {
    let cost = 0;
    this.#visit(block, (counts, at, step) => {
      cost += 2 * step * (counts[at] ?? 0) + 1;
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
    let previous = this.#followsAcross ? this.#last : null;
    for (const [place, one] of block.entries()) {
      each(this.#placed, one * this.#size + place, 1);
      if (previous !== null) each(this.#followed, previous * this.#size + one, 1);
      previous = one;
      for (const later of block.slice(place + 1)) {
        if (one < later) each(this.#before, one * this.#size + later, 1);
        else each(this.#before, later * this.#size + one, -1);
      }
    }
  }
}
