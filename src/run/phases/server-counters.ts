import type { ServerStats } from "../../process/counters.ts";
import type { ServerFigures } from "../../result/phase.ts";
import { exitEnding, type RoundContext } from "./context.ts";

const ofCollector = ["majorCollections", "collectorMs"] as const;
const growing = ["received", "sent", "dropped", ...ofCollector] as const;

/** What a garbage collector did in a phase, as far as its runtime tells. */
type CollectorGrowth = { readonly [Name in (typeof ofCollector)[number]]?: number };

/** What became of a server's counters in a phase. */
export type CounterGrowth =
  | ({ readonly kind: "known"; readonly dropped: number } & CollectorGrowth)
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
  const collector = ofCollector.flatMap((name) => {
    const [from, to] = [before[name], after[name]];
    return from === undefined || to === undefined ? [] : [[name, to - from]];
  });
  return { kind: "known", dropped, ...Object.fromEntries(collector) };
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

/** The collector's share of the CPU time that the server spent meanwhile; nothing where its runtime doesn't tell. */
export function describeCollector(
  counters: CounterGrowth | null,
  cpuMs: number | null,
): Pick<ServerFigures, "collectorCpuShare"> {
  const collectorMs = counters?.kind === "known" ? counters.collectorMs : undefined;
  if (collectorMs === undefined || cpuMs === null || cpuMs <= 0) return {};
  return { collectorCpuShare: Math.min(1, collectorMs / cpuMs) };
}
