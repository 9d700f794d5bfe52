import type { ServerStats } from "../../process/counters.ts";
import { exitEnding, type RoundContext } from "./context.ts";

const growing = ["received", "sent", "dropped", "majorCollections"] as const;

/** What became of a server's counters in a phase. */
export type CounterGrowth =
  | { readonly kind: "known"; readonly dropped: number; readonly majorCollections?: number }
  /** `/stats` gave no answer, before or after. */
  | { readonly kind: "unanswered" }
  /** One that may only grow went back, so that nothing can be said of any. */
  | { readonly kind: "decreased"; readonly counter: string; readonly from: number; readonly to: number };

export function compareCounters(before: ServerStats | null, after: ServerStats | null): CounterGrowth {
  if (before === null || after === null) return { kind: "unanswered" };
  const counter = growing.find((name) => (after[name] ?? Number.POSITIVE_INFINITY) < (before[name] ?? 0));
  if (counter !== undefined) {
    return { kind: "decreased", counter, from: before[counter] ?? 0, to: after[counter] ?? 0 };
  }
  const dropped = after.dropped - before.dropped;
  if (before.majorCollections === undefined || after.majorCollections === undefined) {
    return { kind: "known", dropped };
  }
  return { kind: "known", dropped, majorCollections: after.majorCollections - before.majorCollections };
}

/** What they have grown by since they were read; a server that is gone has none. */
export async function growthSince(
  { target }: RoundContext,
  before: ServerStats | null,
): Promise<CounterGrowth> {
  return compareCounters(
    before,
    exitEnding(target) !== null ? null : ((await target.counters?.read()) ?? null),
  );
}
