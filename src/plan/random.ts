/** Draws a whole number from 0 to 2^32 - 1, each equally likely. */
export type Random = () => number;

const range = 2 ** 32;

/**
 * A seeded generator: xoshiro128** (Blackman and Vigna, "Scrambled linear pseudorandom number generators",
 * ACM TOMS 47(4), 2021), period 2^128 - 1. It uses 32-bit integer operations only, so the same seed gives
 * the same numbers on every platform. Not for secrets.
 *
 * @param seed any whole number up to 2^53 in magnitude; all of its bits count
 * @throws RangeError for a seed that is no safe integer
 */
export function createRandom(seed: number): Random {
  if (!Number.isSafeInteger(seed)) {
    throw new RangeError(`seed ${seed}: expected a whole number up to 2^53; give an integer`);
  }
  return fromState(expandSeed(seed));
}

/** xoshiro128** from a given state, as the published test vectors need it. The state must not be all zero. */
export function fromState(state: readonly [number, number, number, number]): Random {
  let [s0, s1, s2, s3] = state;
  return () => {
    const result = Math.imul(rotateLeft(Math.imul(s1, 5), 7), 9) >>> 0;
    const shifted = s1 << 9;
    s2 ^= s0;
    s3 ^= s1;
    s1 ^= s2;
    s0 ^= s3;
    s2 ^= shifted;
    s3 = rotateLeft(s3, 11);
    return result;
  };
}

/**
 * A whole number from 0 to `limit - 1`, each equally likely. Draws past the last whole multiple of `limit`
 * are thrown away: the plain remainder would favour small numbers.
 *
 * @throws RangeError unless `limit` is a whole number from 1 to 2^32
 */
export function drawBelow(random: Random, limit: number): number {
  if (!Number.isInteger(limit) || limit < 1 || limit > range) {
    throw new RangeError(`limit ${limit}: expected a whole number from 1 to 2^32`);
  }
  const fair = range - (range % limit);
  let drawn = random();
  while (drawn >= fair) drawn = random();
  return drawn % limit;
}

/** A multiple of 2^-53 in [0, 1), each equally likely. */
export function drawFraction(random: Random): number {
  const high = random() >>> 5;
  const low = random() >>> 6;
  return (high * 2 ** 26 + low) / 2 ** 53;
}

/** A shuffled copy, every order equally likely (Fisher and Yates; Durstenfeld, CACM 7(7), 1964). */
export function shuffle<T>(random: Random, items: readonly T[]): T[] {
  const pool = [...items];
  const shuffled: T[] = [];
  while (pool.length > 0) shuffled.push(...pool.splice(drawBelow(random, pool.length), 1));
  return shuffled;
}

/** Neighbouring seeds must give unrelated states, and none may be all zero: SplitMix's increment and MurmurHash3's finaliser. */
function expandSeed(seed: number): [number, number, number, number] {
  let counter = seed | 0;
  const high = Math.floor(seed / range) | 0;
  const nextWord = () => {
    counter = (counter + 0x9e3779b9) | 0;
    return mix(mix(counter) ^ high);
  };
  return [nextWord(), nextWord(), nextWord(), nextWord()];
}

/** Appleby's 32-bit finaliser, a bijection: four different counters give four different words, at most one of them zero. */
function mix(word: number): number {
  let mixed = word;
  mixed = Math.imul(mixed ^ (mixed >>> 16), 0x85ebca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2ae35);
  return mixed ^ (mixed >>> 16);
}

function rotateLeft(word: number, bits: number): number {
  return (word << bits) | (word >>> (32 - bits));
}
