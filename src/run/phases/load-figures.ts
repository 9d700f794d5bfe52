import { mergeFailures } from "../../engine/failure-tally.ts";
import type { PhaseReport } from "../../engine/worker-protocol.ts";
import type { BurstPhase, EndurancePhase, LoadPhase, Messages } from "../../result/phase.ts";
import { Histogram, mergeHistograms, percentileCurve, summarize } from "../../stats/histogram.ts";
import { sumOf } from "./context.ts";
import { listFindings } from "./findings.ts";
import type { Load } from "./orders.ts";
import type { ProgressBoard } from "./progress-board.ts";
import type { CounterGrowth } from "./server-counters.ts";
import { longestSilence } from "./silence.ts";

/** What a load delivered and how soon: all that a phase of messages says but how it ended. */
export type LoadFigures = Pick<
  LoadPhase,
  | "connections"
  | "messages"
  | "throughput"
  | "latencyUs"
  | "uncorrectedLatencyUs"
  | "sendLagUs"
  | "longestSilenceMs"
  | "timeline"
  | "findings"
> &
  Pick<BurstPhase, "receiversUs"> &
  Pick<EndurancePhase, "rate">;

export interface LoadEvidence {
  readonly load: Load;
  /** Connections at its start. */
  readonly open: number;
  /** One per worker; none where a worker is gone. */
  readonly reports: readonly PhaseReport[];
  readonly board: ProgressBoard;
  /** Null where the server has none. */
  readonly counters: CounterGrowth | null;
}

/** Adds up what all workers saw of a load. */
export function describeLoad({ load, open, reports, board, counters }: LoadEvidence): LoadFigures {
  const messages = countMessages(reports, counters);
  const died = sumOf(reports, (one) => one.died);
  const deaths = mergeFailures(reports.map((one) => one.deaths));
  const spanUs = spanOf(reports, ({ lastDeliveryUs }) => lastDeliveryUs);
  const longestSilenceMs = longestSilence(reports) / 1000;
  const loopDelay = mergeHistograms(reports.map(({ usage }) => usage.loopDelay));
  return {
    connections: { open, died, failures: deaths },
    messages,
    throughput:
      spanUs > 0
        ? {
            deliveriesPerSecond: perSecond(messages.delivered, spanUs),
            sendsPerSecond: perSecond(messages.sent, spanUs),
            spanMs: Math.round(spanUs) / 1000,
            sendSpanMs: Math.round(spanOf(reports, ({ lastSendUs }) => lastSendUs)) / 1000,
          }
        : null,
    rate: load.seconds === null ? null : sustainedRate(load.plannedDeliveries, load.seconds, board),
    latencyUs: { ...summarize(board.latency), curve: percentileCurve(board.latency) },
    uncorrectedLatencyUs: summarize(mergeHistograms(reports.map(({ uncorrected }) => uncorrected))),
    sendLagUs: summarize(mergeHistograms(reports.map(({ sendLag }) => sendLag))),
    receiversUs: describeReceivers(reports),
    longestSilenceMs: Math.round(longestSilenceMs),
    timeline: board.timeline.build(),
    findings: listFindings({
      messages,
      undeclaredBatches: sumOf(reports, (one) => one.undeclaredBatches),
      errorReplies: sumOf(reports, (one) => one.errorReplies),
      firstErrorReply: reports.map((one) => one.firstErrorReply).find((reply) => reply !== null) ?? null,
      died,
      deaths,
      longestSilenceMs,
      generatorPauseMs: loopDelay.max / 1000,
      counters,
    }),
  };
}

function countMessages(reports: readonly PhaseReport[], counters: CounterGrowth | null): Messages {
  const sum = (pick: (report: PhaseReport) => number) => sumOf(reports, pick);
  const [planned, sent] = [sum((one) => one.planned), sum((one) => one.sent)];
  const [expected, delivered] = [sum((one) => one.expected), sum((one) => one.delivered)];
  return {
    planned,
    sent,
    // Those that never had their turn too, when the phase was ended early.
    unsent: planned - sent,
    expected,
    delivered,
    lost: expected - delivered,
    lostOnClosed: countLostOnClosed(reports),
    duplicated: sum((one) => one.duplicated),
    reordered: sum((one) => one.reordered),
    corrupted: sum((one) => one.corrupted),
    binary: sum((one) => one.binary),
    malformed: sum((one) => one.malformed),
    misrouted: sum((one) => one.misrouted),
    late: sum((one) => one.late),
    declaredDropped: counters?.kind === "known" ? counters.dropped : null,
    frames: sum((one) => one.frames),
  };
}

function countLostOnClosed(reports: readonly PhaseReport[]): number {
  const sentByRoom = reports.reduce<number[]>(
    (all, { sentByRoom: sent }) => (sent ?? []).map((count, room) => count + (all[room] ?? 0)),
    [],
  );
  return sumOf(
    reports.flatMap(({ closed }) => closed),
    ({ room, sent, delivered }) => Math.max(0, (sent ?? sentByRoom[room] ?? 0) - delivered),
  );
}

/** From the first send to what came last over all workers, in microseconds; 0 when there was none. */
function spanOf(reports: readonly PhaseReport[], lastUs: (report: PhaseReport) => number | null): number {
  const starts = reports.flatMap(({ firstSendUs }) => firstSendUs ?? []);
  const ends = reports.flatMap((report) => lastUs(report) ?? []);
  return starts.length === 0 || ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts);
}

function perSecond(count: number, spanUs: number): number {
  return Math.round((count * 1e7) / spanUs) / 10;
}

/** Only what arrived while the load lasted was sustained; what came afterwards was backlog. */
function sustainedRate(
  plannedDeliveries: number,
  seconds: number,
  { deliveredInTime }: ProgressBoard,
): EndurancePhase["rate"] {
  return {
    offeredPerSecond: Math.round((plannedDeliveries * 10) / seconds) / 10,
    sustainedPerSecond: Math.round((deliveredInTime * 10) / seconds) / 10,
    sustainedShare:
      plannedDeliveries === 0 ? 0 : Math.round((deliveredInTime * 1e4) / plannedDeliveries) / 1e4,
  };
}

/** Over the broadcasts of a burst: when the first, the median and the last member had each. */
function describeReceivers(reports: readonly PhaseReport[]): BurstPhase["receiversUs"] {
  const broadcasts = reports[0]?.receivers.length ?? 0;
  if (broadcasts === 0) return null;
  const [first, median, last] = [new Histogram(), new Histogram(), new Histogram()];
  for (let broadcast = 0; broadcast < broadcasts; broadcast += 1) {
    const all = mergeHistograms(reports.flatMap(({ receivers }) => receivers[broadcast] ?? []));
    if (all.count === 0) continue;
    first.record(all.min);
    median.record(all.valueAt(0.5) ?? 0);
    last.record(all.max);
  }
  return { first: summarize(first), median: summarize(median), last: summarize(last) };
}
