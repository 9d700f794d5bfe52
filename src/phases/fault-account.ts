import { bucketFloorUs, bucketsPerSlot, slotUs } from "../load/impact.ts";
import type { Quantiles } from "../result/schema.ts";
import { type Histogram, mergeHistograms, type SparseHistogram, summarize } from "../stats/histogram.ts";

/** Below this a delivery is in time, whatever it was before: processes that share a machine make each other wait. */
const leastLateUs = 10_000;
/** In a slot as short as this one delivery in a hundred is one or none: a single late one is no disturbance. */
const lateShare = 0.01;

export interface FaultEvidence {
  /** Per worker, the latencies before, under and after the strike. */
  readonly windows: readonly (readonly SparseHistogram[])[];
  /** Per worker, deliveries by slot and latency, see `Impact`. */
  readonly slots: readonly Uint32Array[];
  readonly plannedBySlot: readonly number[];
  /** The slot in which the fault strikes. */
  readonly strikeSlot: number;
}

export interface FaultAccount {
  readonly before: Quantiles;
  readonly during: Quantiles;
  readonly after: Quantiles;
  /** All of these are from the strike on. */
  readonly planned: number;
  readonly lost: number;
  readonly late: number;
  readonly lateUs: number;
  /** Owed before the strike and not delivered: no fault's doing. */
  readonly lostBefore: number;
  /** From the strike until all that was meant was delivered in time, for good; null when it never was. */
  readonly disturbedMs: number | null;
}

/** What the neighbours of a fault suffered: pure arithmetic over what all workers saw. */
export function accountFor({ windows, slots, plannedBySlot, strikeSlot }: FaultEvidence): FaultAccount {
  const [before, during, after] = [0, 1, 2].map((window) =>
    mergeHistograms(windows.flatMap((worker) => worker.slice(window, window + 1))),
  ) as [Histogram, Histogram, Histogram];
  // A yardstick, not a figure: fewer than ten samples beyond it will do.
  const lateUs = Math.max(leastLateUs, 2 * (before.valueAt(0.99) ?? 0));
  const states = plannedBySlot.map((planned, slot) => ({ planned, ...readSlot(slots, slot, lateUs) }));
  const struck = states.slice(strikeSlot);
  const isLate = ({ late, delivered }: (typeof states)[number]) => late > Math.max(1, lateShare * delivered);
  const sum = (of: typeof states, pick: (state: (typeof states)[number]) => number) =>
    of.reduce((all, state) => all + pick(state), 0);
  const missing = ({ planned, delivered }: (typeof states)[number]) => Math.max(0, planned - delivered);
  // The strike's own slot apart, one late slot by itself is no relapse: somebody else had the processor.
  const lastBad = struck.findLastIndex(
    (state, slot) =>
      missing(state) > 0 ||
      (isLate(state) && (slot === 0 || struck.slice(slot - 1, slot + 2).filter(isLate).length > 1)),
  );
  return {
    before: summarize(before),
    during: summarize(during),
    after: summarize(after),
    planned: sum(struck, ({ planned }) => planned),
    lost: sum(struck, missing),
    late: sum(struck, ({ late }) => late),
    lateUs,
    lostBefore: sum(states.slice(0, strikeSlot), missing),
    disturbedMs: lastBad === struck.length - 1 ? null : ((lastBad + 1) * slotUs) / 1000,
  };
}

function readSlot(
  workers: readonly Uint32Array[],
  slot: number,
  lateUs: number,
): { readonly delivered: number; readonly late: number } {
  let delivered = 0;
  let late = 0;
  for (const counts of workers) {
    for (let bucket = 0; bucket < bucketsPerSlot; bucket += 1) {
      const count = counts[slot * bucketsPerSlot + bucket] ?? 0;
      delivered += count;
      if (bucketFloorUs(bucket) > lateUs) late += count;
    }
  }
  return { delivered, late };
}
