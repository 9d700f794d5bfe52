import { bucketFloorUs, bucketsPerSlot, slotUs } from "../../engine/faults/impact.ts";
import {
  type Histogram,
  mergeHistograms,
  type Quantiles,
  type SparseHistogram,
  summarize,
} from "../../stats/histogram.ts";

/** Below this a delivery is in time, whatever it was before: processes that share a machine make each other wait. */
const leastLateUs = 20_000;
/** In a slot as short as this one delivery in a hundred is one or none: a single late one is no disturbance. */
const lateShare = 0.01;

/** So long without loss or lateness is recovered. */
const wellSlots = 1e6 / slotUs;

export interface FaultEvidence {
  /** Per worker, the latencies before the fault, under it and after it. */
  readonly windows: readonly (readonly SparseHistogram[])[];
  /** Per worker, deliveries by slot and latency, see `Impact`. */
  readonly slots: readonly Uint32Array[];
  readonly plannedBySlot: readonly number[];
  /** The slot in which the fault is injected. */
  readonly faultSlot: number;
}

export interface FaultAccount {
  readonly before: Quantiles;
  readonly under: Quantiles;
  readonly after: Quantiles;
  /** All of these are from the fault on, with the slot before it. */
  readonly planned: number;
  readonly lost: number;
  readonly late: number;
  readonly lateUs: number;
  /** Owed before the fault and not delivered: not its doing. */
  readonly lostBefore: number;
  /** From the fault until all that was meant was delivered in time again, see `findDisturbance`; null when it never was. */
  readonly disturbedMs: number | null;
}

/** What a fault did to the unaffected clients: pure arithmetic over what all workers saw. */
export function accountFor({ windows, slots, plannedBySlot, faultSlot }: FaultEvidence): FaultAccount {
  const [before, under, after] = [0, 1, 2].map((window) =>
    mergeHistograms(windows.flatMap((worker) => worker.slice(window, window + 1))),
  ) as [Histogram, Histogram, Histogram];
  // A yardstick, not a figure: fewer than ten samples beyond it will do.
  const lateUs = Math.max(leastLateUs, 2 * (before.valueAt(0.99) ?? 0));
  const states = plannedBySlot.map((planned, slot) => ({ planned, ...readSlot(slots, slot, lateUs) }));
  // What was under way when the fault was injected was hit by it too.
  const from = Math.max(0, faultSlot - 1);
  const hit = states.slice(from);
  const sum = (of: typeof states, pick: (state: (typeof states)[number]) => number) =>
    of.reduce((all, state) => all + pick(state), 0);
  const missing = ({ planned, delivered }: (typeof states)[number]) => Math.max(0, planned - delivered);
  const end = findDisturbance(
    hit.map((state) => ({ ...state, missing: missing(state) })),
    faultSlot - from,
  );
  return {
    before: summarize(before),
    under: summarize(under),
    after: summarize(after),
    planned: sum(hit, ({ planned }) => planned),
    lost: sum(hit, missing),
    late: sum(hit, ({ late }) => late),
    lateUs,
    lostBefore: sum(states.slice(0, from), missing),
    disturbedMs: end === hit.length ? null : (Math.max(0, end - faultSlot + from) * slotUs) / 1000,
  };
}

interface SlotState {
  readonly missing: number;
  readonly delivered: number;
  readonly late: number;
}

/**
 * The slot at which all is well: the first where nothing happened, else the end of the first disturbance, after which a
 * second is without loss and lateness, or of the last loss where that is later. Lateness after such a second is
 * counted as late, but no relapse, nor is one late slot by itself unless the fault was injected in it: on a shared
 * machine somebody else had the CPU.
 */
function findDisturbance(slots: readonly SlotState[], faultSlot: number): number {
  const isLate = ({ late, delivered }: SlotState) => late > Math.max(1, lateShare * delivered);
  const isDisturbed = (slot: number) =>
    slots.slice(slot, slot + 1).some(isLate) &&
    (slot === faultSlot || slots.slice(Math.max(0, slot - 1), slot + 2).filter(isLate).length > 1);
  let end = 0;
  for (const [slot, { missing }] of slots.entries()) {
    const isRelapse = end > 0 && slot - end >= wellSlots;
    if (missing > 0 || (isDisturbed(slot) && !isRelapse)) end = slot + 1;
  }
  return end;
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
