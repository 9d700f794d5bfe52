export type Interval = readonly [from: number, to: number];

/** What one worker received, and when it waited for something. */
export interface Listener {
  readonly delivered: number;
  /** Times in which nothing arrived there although something was owed: sorted and free of overlaps. */
  readonly silences: readonly Interval[];
}

/**
 * The longest time in which nothing arrived at any worker although something was owed, in microseconds. A worker to
 * which nothing came at all was silent throughout: it has no arrival that could end anyone's silence.
 */
export function longestSilence(workers: readonly Listener[]): number {
  const heard = workers.filter(({ delivered }) => delivered > 0).map(({ silences }) => silences);
  return intersect(heard).reduce((longest, [from, to]) => Math.max(longest, to - from), 0);
}

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
