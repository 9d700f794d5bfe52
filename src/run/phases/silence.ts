export type Interval = readonly [from: number, to: number];

/** The times that lie in an interval of every list; each list is sorted and free of overlaps. */
export function intersect(lists: readonly (readonly Interval[])[]): Interval[] {
  const [first = [], ...others] = lists;
  return others.reduce<Interval[]>((common, list) => intersectTwo(common, list), [...first]);
}

function intersectTwo(left: readonly Interval[], right: readonly Interval[]): Interval[] {
  const common: Interval[] = [];
  for (let l = 0, r = 0; ; ) {
    const a = left[l];
    const b = right[r];
    if (a === undefined || b === undefined) return common;
    const from = Math.max(a[0], b[0]);
    const to = Math.min(a[1], b[1]);
    if (from < to) common.push([from, to]);
    if (a[1] < b[1]) l += 1;
    else r += 1;
  }
}
