/**
 * How many claims about pairs could be false at once: the number by which the permitted error is divided, step by
 * step, the clearest pair first.
 *
 * @source steps: S. Holm, "A simple sequentially rejective multiple test procedure", Scand. J. Statistics 6, 1979
 */
export type FalseAtOnce = (contenders: number, pairs: number, claimed: number) => number;

export function countPairs(contenders: number): number {
  return (contenders * (contenders - 1)) / 2;
}

/**
 * For claims of a difference: how many of the pairs not yet claimed can truly be equal. Of three contenders, 3, 1 or
 * none, since two equalities imply the third: once one pair of three differs, the rest need no correction.
 *
 * @source J. P. Shaffer, "Modified sequentially rejective multiple test procedures", JASA 81, 1986
 */
export const equalAtOnce: FalseAtOnce = (contenders, pairs, claimed) => {
  const left = countPairs(contenders) - claimed;
  const possible = Math.max(1, ...countEqualPairs(contenders).filter((count) => count <= left));
  return Math.min(possible, pairs - claimed);
};

/**
 * For claims of equivalence: how many of the pairs not yet claimed can truly lie just outside the margin, where a
 * false claim is likely. Contenders lie on a line. Of three of them, the outer two are out of the margin by twice as
 * much if both neighbours are, so no three are all just outside it of each other; and a graph without triangles has
 * at most k² / 4 edges (Mantel): half of the contenders at either end of the margin. That is 1 of two contenders, 2 of
 * three, 4 of four, 36 of twelve, whose pairs are 66. Dividing by k - 1 was proposed and withdrawn; without any
 * correction two of four such contenders are called equal falsely in 15 % of runs.
 *
 * @source B. Caffo, C. Lauzon and J. Röhmel, "Correction to 'Easy multiplicity control in equivalence testing using
 * two one-sided tests'", The American Statistician 67(2), 2013
 */
export const apartAtOnce: FalseAtOnce = (contenders, pairs, claimed) =>
  Math.max(1, Math.min(Math.floor(contenders ** 2 / 4), pairs - claimed));

const equalPairs: number[][] = [[0]];

/** How many pairs can be equal at once among `contenders`, each possible number once. */
function countEqualPairs(contenders: number): readonly number[] {
  for (let size = equalPairs.length; size <= contenders; size++) {
    const counts = new Set<number>();
    for (let cluster = 1; cluster <= size; cluster++) {
      for (const rest of equalPairs[size - cluster] ?? []) counts.add(countPairs(cluster) + rest);
    }
    equalPairs.push([...counts]);
  }
  return equalPairs[contenders] ?? [];
}
