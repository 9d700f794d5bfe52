import type { ConnectionFailure, Failures } from "../result/reasons.ts";

/** A list has at most so many entries; the last of them may be `other`. Here, since no worker needs the schemas. */
export const mostFailureReasons = 12;

/** Kept apart while counting, so that reasons that turn out frequent are among them. */
const mostKept = 64;
/** Of what is not kept, so many are told apart by their hashes: then the number of distinct ones stands still. */
const mostHashes = 4096;

type Counted = Failures[number];

/** Counts failures by reason in bounded memory, however many different ones a server invents. */
export class FailureTally {
  readonly #kept = new Map<string, { readonly failure: ConnectionFailure; count: number }>();
  readonly #otherHashes = new Set<number | bigint>();
  #others = 0;
  total = 0;

  note(failure: ConnectionFailure): void {
    this.total += 1;
    const key = JSON.stringify(failure);
    const known = this.#kept.get(key);
    if (known !== undefined) {
      known.count += 1;
    } else if (this.#kept.size < mostKept) {
      this.#kept.set(key, { failure, count: 1 });
    } else {
      this.#others += 1;
      if (this.#otherHashes.size < mostHashes) this.#otherHashes.add(Bun.hash(key));
    }
  }

  /** The most frequent first; at most `mostFailureReasons`. */
  list(): Failures {
    const kept = [...this.#kept.values()].map(({ failure, count }) => ({ failure, count }));
    return cap(kept, { count: this.#others, distinct: this.#otherHashes.size });
  }
}

/**
 * Several lists as one, the most frequent first and capped as each of them. A reason that is `other` in two of them
 * counts twice among the distinct ones: they are no longer known by name.
 */
export function mergeFailures(parts: readonly Failures[]): Failures {
  const merged = new Map<string, Counted>();
  let count = 0;
  let distinct = 0;
  for (const one of parts.flat()) {
    if (one.failure.kind === "other") {
      count += one.count;
      distinct += one.failure.distinct;
      continue;
    }
    const key = JSON.stringify(one.failure);
    merged.set(key, { failure: one.failure, count: one.count + (merged.get(key)?.count ?? 0) });
  }
  return cap([...merged.values()], { count, distinct });
}

function cap(
  named: readonly Counted[],
  others: { readonly count: number; readonly distinct: number },
): Failures {
  // Of the same number in a fixed order, so that nothing hangs on which list came first.
  const sorted = named.toSorted(
    (a, b) => b.count - a.count || compareText(JSON.stringify(a.failure), JSON.stringify(b.failure)),
  );
  if (others.count === 0 && sorted.length <= mostFailureReasons) return sorted;
  const rest = sorted.splice(mostFailureReasons - 1);
  return [
    ...sorted,
    {
      failure: { kind: "other", distinct: others.distinct + rest.length },
      count: rest.reduce((all, one) => all + one.count, others.count),
    },
  ];
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}
