import { type AttackPlan, nameUnshared } from "../plan/attack/plan.ts";
import { loadSeconds } from "../plan/attack/rate.ts";
import type { AttackResult, StoredTotals } from "../result/attack.ts";
import { TimelineBuilder } from "../run/phases/timeline.ts";
import { writeBuckets } from "../stats/bucket-text.ts";
import {
  mergeHistograms,
  percentileCurve,
  refuseBelow,
  type SparseHistogram,
  summarize,
} from "../stats/histogram.ts";
import { describeGenerator } from "../trust/generator-usage.ts";
import { type AttackEvidence, type AttackTotals, countReports } from "./totals.ts";

export type { AttackEvidence } from "./totals.ts";

export type AttackFigures = Pick<
  AttackResult,
  | "connections"
  | "connectionStages"
  | "refusals"
  | "rejections"
  | "messages"
  | "strays"
  | "compression"
  | "samples"
  | "rate"
  | "latencyUs"
  | "uncorrectedLatencyUs"
  | "oneWay"
  | "sendLagUs"
  | "generator"
  | "timeline"
  | "scenario"
  | "totals"
>;

/** What all workers saw of an attack. */
export function describeAttack(evidence: AttackEvidence): AttackFigures {
  const { plan, loads, stages, scenario } = evidence;
  const figures = describeTotals(plan, countReports(evidence));
  return {
    ...figures,
    connectionStages: stages?.build(loads) ?? null,
    scenario: scenario?.describe(loads.flatMap((one) => one.scenarioEnd ?? [])) ?? null,
    totals: nameUnshared(plan) === null ? figures.totals : null,
  };
}

/**
 * The figures of an attack, or of the sum of several of the same plan.
 *
 * @param clockErrorUs of what one machine heard of another; null where it is not known
 */
export function describeTotals(
  plan: AttackPlan,
  totals: AttackTotals,
  clockErrorUs: number | null = null,
): AttackFigures {
  const { refusals, rejections, strays, samples, compression, histograms, oneWay } = totals;
  const messages = describeMessages(totals);
  const latency = mergeHistograms([histograms.latency]);
  const owed = Math.max(messages.expected - oneWay.expected, latency.count);
  const uncorrected = mergeHistograms([histograms.uncorrectedLatency]);
  return {
    connections: describeConnections(plan, totals),
    connectionStages: null,
    refusals,
    rejections,
    strays,
    messages,
    compression,
    samples,
    rate: describeRate(plan, totals, messages),
    latencyUs: { ...summarize(latency, owed), curve: percentileCurve(latency, owed) },
    uncorrectedLatencyUs: summarize(uncorrected, Math.max(owed, uncorrected.count)),
    oneWay: describeOneWay(oneWay, clockErrorUs),
    sendLagUs: summarizeOne(histograms.sendLag),
    generator: describeUse(totals),
    timeline: describeTimeline(totals),
    scenario: null,
    totals: storeTotals(totals),
  };
}

function describeConnections(plan: AttackPlan, totals: AttackTotals): AttackResult["connections"] {
  const { connections, histograms, firstAttemptUs, lastOpenedUs } = totals;
  const spanUs = firstAttemptUs === null || lastOpenedUs === null ? 0 : lastOpenedUs - firstAttemptUs;
  return {
    ...connections,
    perSecond: connections.opened < 2 || spanUs <= 0 ? null : perSecond(connections.opened, spanUs),
    tcpUs: summarizeOne(histograms.tcp),
    tlsUs: plan.target.tls === null ? null : summarizeOne(histograms.tls),
    upgradeUs: summarizeOne(histograms.upgrade),
    joinUs: summarizeOne(histograms.join),
  };
}

function describeMessages({ messages }: AttackTotals): AttackResult["messages"] {
  const { planned, sent, answered, lostOnClosed, deliveries } = messages;
  // A reply to what a worker had already forgotten was owed all the same.
  const expected = Math.max(messages.expected, answered);
  return {
    ...messages,
    planned: Math.max(planned, sent),
    unsent: Math.max(0, planned - sent),
    expected,
    lost: expected - answered,
    lostOnClosed: Math.min(expected - answered, lostOnClosed),
    deliveries: describeDeliveries(expected, deliveries),
  };
}

function describeOneWay(
  { expected, latency }: AttackTotals["oneWay"],
  clockErrorUs: number | null,
): AttackResult["oneWay"] {
  if (expected === 0 && latency.count === 0) return null;
  const quantiles = summarize(mergeHistograms([latency]), Math.max(expected, latency.count));
  return { latencyUs: refuseBelow(quantiles, clockErrorUs ?? Number.POSITIVE_INFINITY), clockErrorUs };
}

/** Where there are replies beside them. */
function describeDeliveries(
  all: number,
  { expected, arrived }: StoredTotals["deliveries"],
): AttackResult["messages"]["deliveries"] {
  return expected === 0 || expected === all ? null : { expected: Math.max(expected, arrived), arrived };
}

function describeRate(
  plan: AttackPlan,
  { lastSendUs, lastAnswerUs, finishedSending }: AttackTotals,
  { planned, sent, answered }: AttackResult["messages"],
): AttackResult["rate"] {
  if (lastSendUs === null) return null;
  const seconds = loadSeconds(plan.load);
  // The last message of an open loop is due one interval before its end.
  const sendSpanUs = Math.max(lastSendUs, finishedSending ? seconds * 1e6 : 0, 1);
  const spanUs = Math.max(sendSpanUs, lastAnswerUs ?? 0);
  return {
    askedPerSecond:
      plan.load.kind === "open" && plan.scenario === null ? perSecond(planned, seconds * 1e6) : null,
    sentPerSecond: perSecond(sent, sendSpanUs),
    answeredPerSecond: perSecond(answered, spanUs),
    sendSpanMs: Math.round(sendSpanUs) / 1000,
    spanMs: Math.round(spanUs) / 1000,
  };
}

function describeUse({ cpu, peakRssBytes, histograms }: AttackTotals): AttackResult["generator"] {
  if (cpu === null) return null;
  const usage = {
    cpuMs: cpu.usedUs / 1000,
    rssBytes: peakRssBytes,
    loopDelay: histograms.eventLoopDelay,
  };
  // All workers as one that had the time of all of them.
  const one = { workers: 1, workerCpus: null, serverCpus: null };
  return describeGenerator([usage], cpu.hadUs / 1000, one, null);
}

function describeTimeline({ timeline }: AttackTotals): AttackResult["timeline"] {
  const builder = new TimelineBuilder();
  builder.addParts(timeline);
  return builder.build();
}

function storeTotals(totals: AttackTotals): StoredTotals {
  const { messages, histograms, timeline } = totals;
  const { planned, expected, lostOnClosed, deliveries } = messages;
  const { firstAttemptUs, lastOpenedUs, lastSendUs, lastAnswerUs, finishedSending, cpu } = totals;
  return {
    ...{ planned, expected, lostOnClosed, deliveries },
    ...{ firstAttemptUs, lastOpenedUs, lastSendUs, lastAnswerUs, finishedSending, cpu },
    histograms: {
      latency: store(histograms.latency),
      uncorrectedLatency: store(histograms.uncorrectedLatency),
      sendLag: store(histograms.sendLag),
      tcp: store(histograms.tcp),
      tls: store(histograms.tls),
      upgrade: store(histograms.upgrade),
      join: store(histograms.join),
      eventLoopDelay: store(histograms.eventLoopDelay),
    },
    timeline: timeline.buckets.map(({ latencies }) => writeBuckets(latencies)),
  };
}

function store({ buckets, ...rest }: SparseHistogram): StoredTotals["histograms"]["latency"] {
  return { ...rest, buckets: writeBuckets(buckets) };
}

function summarizeOne(histogram: SparseHistogram) {
  return summarize(mergeHistograms([histogram]));
}

function perSecond(count: number, us: number): number {
  return Math.round((count * 1e7) / us) / 10;
}
