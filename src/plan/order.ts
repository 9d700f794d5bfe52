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
  const balance = new Balance(labels.length);
  const order: T[][] = [];
  for (let square = 0; order.length < rounds; square++) {
    const rows = shuffle(random, williamsSquare(labels.length, square % 2 === 1));
    while (rows.length > 0 && order.length < rounds) {
      const row = balance.takeEvenest(rows);
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

/** Keeps count, over the rounds so far, of who ran before whom. */
class Balance {
  readonly #size: number;
  /** At `a * size + b`: rounds with a before b, minus rounds with b before a. */
  readonly #before: number[];
  /** At `a * size + b`: rounds with b directly after a. */
  readonly #followed: number[];

  constructor(size: number) {
    this.#size = size;
    this.#before = new Array(size * size).fill(0);
    this.#followed = new Array(size * size).fill(0);
  }

  /** Takes out of `rows` the first of those that leave the counts most even. */
  takeEvenest(rows: number[][]): number[] {
    const costs = rows.map((row) => this.#cost(row));
    const [row = []] = rows.splice(costs.indexOf(Math.min(...costs)), 1);
    this.#visit(row, (pair, reverse, direct) => {
      this.#before[pair] = (this.#before[pair] ?? 0) + 1;
      this.#before[reverse] = (this.#before[reverse] ?? 0) - 1;
      if (direct) this.#followed[pair] = (this.#followed[pair] ?? 0) + 1;
    });
    return row;
  }

  /** The growth of the sum of squares over both counts. */
  #cost(row: readonly number[]): number {
    let cost = 0;
    this.#visit(row, (pair, _, direct) => {
      cost += 2 * (this.#before[pair] ?? 0) + 1;
      if (direct) cost += 2 * (this.#followed[pair] ?? 0) + 1;
    });
    return cost;
  }

  #visit(row: readonly number[], each: (pair: number, reverse: number, direct: boolean) => void): void {
    row.forEach((earlier, place) => {
      row.slice(place + 1).forEach((later, gap) => {
        each(earlier * this.#size + later, later * this.#size + earlier, gap === 0);
      });
    });
  }
}
