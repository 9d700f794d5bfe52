/**
 * Shares of `total` that sum to it exactly and differ by at most one, the larger ones first: 100 over 3 is 34, 33, 33.
 * Rounding each share on its own would lose the remainder in silence.
 *
 * @throws RangeError unless both are whole, `total` from 0 and `parts` from 1
 */
export function splitExactly(total: number, parts: number): number[] {
  requireWhole("total", total, 0);
  requireWhole("parts", parts, 1);
  return Array.from({ length: parts }, (_, part) => countOwned(total, part, parts));
}

/** How many of the connections 0 to `connections - 1` a worker owns: its share of `splitExactly`. */
export function countOwned(connections: number, worker: number, workers: number): number {
  requireWhole("connections", connections, 0);
  requireWhole("worker", worker, 0);
  requireWhole("workers", workers, worker + 1);
  return Math.floor(connections / workers) + (worker < connections % workers ? 1 : 0);
}

function requireWhole(name: string, value: number, least: number): void {
  if (!Number.isSafeInteger(value) || value < least) {
    throw new RangeError(`${name} ${value}: expected a whole number from ${least}`);
  }
}
