import { uniformInt } from "pure-rand/distribution/uniformInt";
import { mersenne } from "pure-rand/generator/mersenne";
import type { RandomGenerator } from "pure-rand/types/RandomGenerator";

export type Random = RandomGenerator;

/**
 * A seeded generator, the same numbers on every platform; not for secrets. Mersenne Twister, since its seeding sets
 * neighbouring seeds apart: workers and faults use neighbours of the plan's.
 *
 * @param seed any whole number up to 2^53 in magnitude; all of its bits count
 * @throws RangeError for a seed that is no safe integer
 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`seed ${seed}: expected a whole number up to 2^53; give an integer`);
  }
  // The twister takes 32 bits. The multiplier keeps a negative seed apart from its complement.
  return mersenne(seed ^ Math.imul(Math.floor(seed / 2 ** 32), 0x9e3779b9));
}

/** A whole number from 0 to `limit - 1`, each equally likely; `limit` is at most 2^32. */
export function drawBelow(random: Random, limit: number): number {
  return uniformInt(random, 0, limit - 1);
}

/** A shuffled copy, every order equally likely, in one pass (Durstenfeld, CACM 7(7), 1964). */
export function shuffle<T>(random: Random, items: Iterable<T>): T[] {
  const shuffled = [...items];
  for (let last = shuffled.length - 1; last > 0; last--) {
    const drawn = drawBelow(random, last + 1);
    const item = shuffled[last] as T;
    shuffled[last] = shuffled[drawn] as T;
    shuffled[drawn] = item;
  }
  return shuffled;
}
