import type { Plan, SlicedKind, Workload } from "../../plan/plan.ts";
import type { Ending, Slice } from "../../result/phase.ts";
import type { InvalidReason } from "../../result/reasons.ts";
import { mergeHistograms, type SparseHistogram, summarize } from "../../stats/histogram.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import { type OwnFigures, serverShares } from "../../trust/server-usage.ts";
import { findBottleneck, findLateness, findServerContention } from "../../trust/validity.ts";
import type { PhaseView } from "../events.ts";
import { type Idling, type Neighbours, watchIdling } from "../neighbours.ts";
import { poolEnding, type RoundContext, sumOf, thresholdEnding } from "../phases/context.ts";
import { spanOf } from "../phases/load-figures.ts";
import type { LoadState } from "../phases/observe-load.ts";
import { type Offered, offerLoad, prepareLoad, shortPace } from "../phases/offer-load.ts";
import type { Load } from "../phases/orders.ts";
import { describeTimes, switchesBetween } from "../phases/server-watch.ts";

/** A slice that takes longer than so many is ended, and never before the quiet timeout could have been. */
const longestSlices = 100;

/** What a slice is a slice of. */
export interface SlicedLoad {
  readonly kind: SlicedKind;
  readonly workload: Workload;
}

export interface SliceOrder extends SlicedLoad, Pick<Slice, "block" | "place"> {
  readonly load: Load;
  readonly neighbours: Neighbours;
  readonly errorsBefore: number;
  readonly view: (state: LoadState, startUs: number) => PhaseView;
}

/** One slice as it was measured. */
export interface MeasuredSlice extends Pick<Slice, "block" | "place">, Offered {
  readonly latency: SparseHistogram;
  readonly plannedDeliveries: number;
  /** From the first send to the last delivery. */
  readonly spanMs: number;
  readonly idling: Idling;
  readonly switches: OwnFigures["contextSwitches"];
  /** Why something else than the server may have been measured; null when it wasn't. */
  readonly doubt: InvalidReason | null;
}

/** One contender's slice: prepared, offered, and settled to the last delivery that is owed. */
export async function measureSlice(context: RoundContext, order: SliceOrder): Promise<MeasuredSlice> {
  const { board, pool, plan, watch } = context;
  const { load, block, place, errorsBefore, view } = order;
  const endIdling = await watchIdling(order.neighbours);
  await prepareLoad(context, load);
  const switchesBefore = watch.switches();
  const offered = await offerLoad(context, {
    load,
    pace: { ...shortPace, longestMs: longestSliceMs(plan) },
    errorsBefore,
    view,
  });
  const switches = switchesBetween(switchesBefore, watch.switches());
  const { reports } = offered;
  const spanMs = spanOf(reports, ({ lastDeliveryUs }) => lastDeliveryUs) / 1000;
  const errors = errorsBefore + sumOf(reports, (one) => one.errors);
  const counted = offered.ending.status === "ok" ? thresholdEnding(errors, plan) : null;
  const ending: Ending = poolEnding(pool) ?? counted ?? offered.ending;
  const latency = board.latency.toSparse();
  return {
    ...offered,
    ending,
    block,
    place,
    latency,
    plannedDeliveries: load.plannedDeliveries,
    spanMs,
    switches,
    idling: await endIdling(),
    doubt: findDoubt(context, order.kind, { ...offered, latency, spanMs }),
  };
}

/** As the result keeps it. */
export function describeSlice(slice: MeasuredSlice): Slice {
  const { block, place, reports, spanMs, serverTimes, latency } = slice;
  const delivered = sumOf(reports, (one) => one.delivered);
  const expected = sumOf(reports, (one) => one.expected);
  const { p50: p50Us, p99: p99Us } = summarize(mergeHistograms([latency]), Math.max(expected, latency.count));
  return {
    block,
    place,
    deliveriesPerSecond: spanMs > 0 ? Math.round((delivered * 10_000) / spanMs) / 10 : 0,
    spanMs,
    cpuUsPerDelivery: describeTimes(serverTimes, delivered).cpuUsPerDelivery,
    p50Us,
    p99Us,
    delivered,
    expected,
  };
}

/** After so long a slice is ended; as long is waited for what it left in the server. */
export function longestSliceMs({ timeouts, sliceMs }: Plan): number {
  return Math.max(2 * timeouts.quietMs, longestSlices * sliceMs);
}

type Evidence = Offered & Pick<MeasuredSlice, "latency" | "spanMs">;

function findDoubt(
  { plan, handicapShare }: RoundContext,
  kind: SlicedKind,
  { reports, usage, elapsedMs, serverTimes, spanMs, latency }: Evidence,
): InvalidReason | null {
  const { cpuMs: serverCpuMs } = serverTimes;
  const server = serverShares(usage.server, serverCpuMs, handicapShare);
  return (
    findServerContention({ plan, server, spanMs }) ??
    (kind === "burst"
      ? findBottleneck({
          plan,
          generator: describeGenerator(
            reports.map((report) => report.usage),
            elapsedMs,
            plan,
            { usage: usage.workers, serverCpuMs },
          ),
          // Whether the generator was the bottleneck is told by the phase as a whole.
          serverCpuMs: null,
          spanMs,
        })
      : findLateness({
          plan,
          sendLagP99Us: p99Of(reports.map(({ sendLag }) => sendLag)),
          latencyP99Us: p99Of([latency]),
        }))
  );
}

function p99Of(histograms: readonly SparseHistogram[]): number | null {
  return summarize(mergeHistograms(histograms)).p99;
}
