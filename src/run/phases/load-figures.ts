import { mergeFailures } from "../../engine/failure-tally.ts";
import type { PhaseReport } from "../../engine/worker-protocol.ts";
import type { BurstPhase, EndurancePhase, LoadPhase, Messages, Timeline } from "../../result/phase.ts";
import {
  Histogram,
  mergeHistograms,
  percentileCurve,
  refuseBelow,
  summarize,
} from "../../stats/histogram.ts";
import type { AgentParts } from "./agent-parts.ts";
import { sumEach, sumOf } from "./context.ts";
import { brokenArrivals, listFindings } from "./findings.ts";
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
  | "segments"
  | "longestSilenceMs"
  | "timeline"
  | "findings"
  | "agents"
  | "clockErrorUs"
> &
  Pick<BurstPhase, "receiversUs"> &
  Pick<EndurancePhase, "rate">;

/** What one worker each tells of the same stretch of a load. */
type Part = readonly PhaseReport[];

export interface LoadEvidence {
  /** Connections at its start. */
  readonly open: number;
  /** All that was sent: one part where it was offered in one block, or a part for each slice. */
  readonly parts: readonly Part[];
  /** Of those, the parts whose times count. */
  readonly timed: readonly Part[];
  /** Of the parts whose times count. */
  readonly latency: Histogram;
  readonly timeline: Timeline;
  readonly rate: EndurancePhase["rate"];
  /** Null where the server has none. */
  readonly counters: CounterGrowth | null;
  /** Of a fleet. */
  readonly agents?: AgentParts;
  /** Of latencies from one clock to another; null where there is one clock. */
  readonly clockErrorUs?: number | null;
}

/** Adds up what all workers saw of a load. */
export function describeLoad(evidence: LoadEvidence): LoadFigures {
  const { open, parts, timed, latency, counters, agents = [], clockErrorUs = null } = evidence;
  const reports = parts.flat();
  const messages = countMessages(parts, counters);
  const died = sumOf(reports, (one) => one.died);
  const deaths = mergeFailures(reports.map((one) => one.deaths));
  const longestSilenceMs = Math.max(0, ...parts.map(longestSilence)) / 1000;
  const loopDelay = mergeHistograms(reports.map(({ usage }) => usage.loopDelay));
  const timedReports = timed.flat();
  // Of a worker that is gone nobody knows what it owed.
  const expected = sumOf(timedReports, (one) => one.expected);
  const owed = Math.max(expected, latency.count);
  const uncorrected = mergeHistograms(timedReports.map((one) => one.uncorrected));
  const summary = (values: Histogram, of: number) => refuseBelow(summarize(values, of), clockErrorUs ?? 0);
  return {
    connections: { open, died, failures: deaths },
    messages,
    throughput: describeThroughput(timed),
    rate: evidence.rate,
    latencyUs: {
      ...summary(latency, owed),
      curve: percentileCurve(latency, owed).filter(([, atUs]) => atUs >= (clockErrorUs ?? 0)),
    },
    uncorrectedLatencyUs: summary(uncorrected, Math.max(expected, uncorrected.count)),
    sendLagUs: summarize(mergeHistograms(timedReports.map(({ sendLag }) => sendLag))),
    receiversUs: describeReceivers(timed, open),
    segments: addSegments(timedReports),
    longestSilenceMs: Math.round(longestSilenceMs),
    timeline: evidence.timeline,
    ...(agents.length === 0
      ? {}
      : {
          agents: agents.map((one) => ({ ...one, latencyUs: refuseBelow(one.latencyUs, clockErrorUs ?? 0) })),
        }),
    ...(clockErrorUs === null ? {} : { clockErrorUs }),
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

function countMessages(parts: readonly Part[], counters: CounterGrowth | null): Messages {
  const { planned, sent, expected, delivered, ...others } = sumEach(parts.flat(), [
    ...(["planned", "sent", "expected", "delivered", "late", "frames"] as const),
    ...brokenArrivals,
  ]);
  return {
    planned,
    sent,
    // Those that never had their turn too, when the phase was ended early.
    unsent: planned - sent,
    expected,
    delivered,
    lost: expected - delivered,
    lostOnClosed: sumOf(parts, countLostOnClosed),
    ...others,
    declaredDropped: counters?.kind === "known" ? counters.dropped : null,
  };
}

function countLostOnClosed(reports: Part): number {
  const sentByRoom = reports.reduce<number[]>(
    (all, { sentByRoom: sent }) => (sent ?? []).map((count, room) => count + (all[room] ?? 0)),
    [],
  );
  return sumOf(
    reports.flatMap(({ closed }) => closed),
    ({ room, sent, delivered }) => Math.max(0, (sent ?? sentByRoom[room] ?? 0) - delivered),
  );
}

/** Over the spans of the parts: the time between two slices is nobody's. Null where nothing came. */
function describeThroughput(parts: readonly Part[]): LoadPhase["throughput"] {
  const spanUs = sumOf(parts, (part) => spanOf(part, ({ lastDeliveryUs }) => lastDeliveryUs));
  if (spanUs === 0) return null;
  const reports = parts.flat();
  return {
    deliveriesPerSecond: perSecond(
      sumOf(reports, (one) => one.delivered),
      spanUs,
    ),
    sendsPerSecond: perSecond(
      sumOf(reports, (one) => one.sent),
      spanUs,
    ),
    spanMs: Math.round(spanUs) / 1000,
    sendSpanMs: Math.round(sumOf(parts, (part) => spanOf(part, ({ lastSendUs }) => lastSendUs))) / 1000,
  };
}

/** From the first send to what came last over all workers, in microseconds; 0 when there was none. */
export function spanOf(reports: Part, lastUs: (report: PhaseReport) => number | null): number {
  const starts = reports.flatMap(({ firstSendUs }) => firstSendUs ?? []);
  const ends = reports.flatMap((report) => lastUs(report) ?? []);
  return starts.length === 0 || ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts);
}

function perSecond(count: number, spanUs: number): number {
  return Math.round((count * 1e7) / spanUs) / 10;
}

/** @param sustained deliveries within the time; what came afterwards was backlog. */
export function describeRate(planned: number, sustained: number, seconds: number): EndurancePhase["rate"] {
  return {
    offeredPerSecond: Math.round((planned * 10) / seconds) / 10,
    sustainedPerSecond: Math.round((sustained * 10) / seconds) / 10,
    sustainedShare: planned === 0 ? 0 : Math.round((sustained * 1e4) / planned) / 1e4,
  };
}

function addSegments(reports: readonly PhaseReport[]): LoadFigures["segments"] {
  const known = reports.flatMap(({ segments }) => segments ?? []);
  if (known.length === 0) return null;
  return {
    connections: sumOf(known, ({ connections }) => connections),
    segments: sumOf(known, ({ segments }) => segments),
    deliveries: sumOf(known, ({ deliveries }) => deliveries),
  };
}

/** Over the broadcasts of a burst: when the first, the median and the last member had each; a last who never had it is infinitely late. */
function describeReceivers(parts: readonly Part[], members: number): BurstPhase["receiversUs"] {
  const [first, median, last] = [new Histogram(), new Histogram(), new Histogram()];
  let owed = 0;
  for (const reports of parts) {
    const isAllSent = reports.every(({ planned, sent }) => planned === sent);
    const broadcasts = reports[0]?.receivers.length ?? 0;
    for (let broadcast = 0; broadcast < broadcasts; broadcast += 1) {
      const all = mergeHistograms(reports.flatMap(({ receivers }) => receivers[broadcast] ?? []));
      // One that nobody had is owed all the same, unless it may never have been sent.
      if (all.count === 0 && !isAllSent) continue;
      owed += 1;
      if (all.count === 0) continue;
      first.record(all.min);
      const middle = all.valueAt(0.5, Math.max(members, all.count));
      if (middle !== null) median.record(middle);
      if (all.count >= members) last.record(all.max);
    }
  }
  if (parts.every((reports) => (reports[0]?.receivers.length ?? 0) === 0)) return null;
  return { first: summarize(first, owed), median: summarize(median, owed), last: summarize(last, owed) };
}
