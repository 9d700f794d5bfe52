import type { AttackReport, OpenReport, RefusalSample } from "../engine/attack/attack-orders.ts";
import { mergeFailures } from "../engine/failure-tally.ts";
import { countOpenings } from "../plan/attack/connection-stages.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { countOf, loadSeconds } from "../plan/attack/rate.ts";
import type { AttackResult } from "../result/attack.ts";
import type { Timeline } from "../result/phase.ts";
import { type Histogram, mergeHistograms, percentileCurve, summarize } from "../stats/histogram.ts";
import { hideSecrets } from "../text/secrets.ts";
import { describeGenerator } from "../trust/generator-usage.ts";
import type { ScenarioBoard } from "./scenario-board.ts";
import type { StageFigures } from "./stage-figures.ts";

type Figures = Pick<
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
  | "sendLagUs"
  | "generator"
  | "timeline"
  | "scenario"
>;

/** Of the samples of all workers. */
const mostSamples = 5;

export interface AttackEvidence {
  readonly plan: AttackPlan;
  /** One per worker each; none where a worker is gone, or it was never reached. */
  readonly opens: readonly OpenReport[];
  readonly loads: readonly AttackReport[];
  readonly latency: Histogram;
  readonly timeline: Timeline;
  readonly stages: StageFigures;
  /** When the load began, on the attack's epoch; null where it did not. */
  readonly startUs: number | null;
  readonly elapsedMs: number;
  /** Absent or null where there is none. */
  readonly scenario?: ScenarioBoard | null;
}

/** Adds up what all workers saw of an attack. */
export function describeAttack(evidence: AttackEvidence): Figures {
  const { plan, loads, latency, timeline, stages, elapsedMs, scenario = null } = evidence;
  // Where connections come and go, how they opened is only known at the end.
  const opens =
    loads.length === 0
      ? evidence.opens
      : loads
          .map(({ staged }, at) => staged?.opening ?? evidence.opens[at])
          .filter((one) => one !== undefined);
  const messages = countMessages(plan, loads);
  const owed = Math.max(messages.expected, latency.count);
  const uncorrected = mergeHistograms(loads.map((one) => one.uncorrected));
  const cores = { workers: plan.workers, workerCpus: null, serverCpus: null };
  return {
    connections: describeConnections(plan, opens, loads),
    connectionStages: stages.build(loads),
    refusals: [
      ...new Map(
        opens.flatMap(({ refusals }) => refusals).map((one) => [one.status, tellable(one)]),
      ).values(),
    ],
    rejections: addUp(
      loads.flatMap(({ rejections }) => rejections),
      ({ reason }) => reason,
    ).map(([reason, count]) => ({ reason, count })),
    strays: addUp(
      loads.flatMap(({ strays }) => strays),
      ({ rule }) => rule,
    ).map(([rule, count]) => ({ rule, count })),
    messages,
    compression: describeCompression(plan, opens, loads),
    samples: loads
      .flatMap(({ samples }) => samples)
      .slice(0, mostSamples)
      .map((sample) => ({ ...sample })),
    rate: describeRate(evidence, messages),
    latencyUs: { ...summarize(latency, owed), curve: percentileCurve(latency, owed) },
    uncorrectedLatencyUs: summarize(uncorrected, Math.max(messages.expected, uncorrected.count)),
    sendLagUs: summarize(mergeHistograms(loads.map(({ sendLag }) => sendLag))),
    generator:
      loads.length === 0
        ? null
        : describeGenerator(
            loads.map(({ usage }) => usage),
            elapsedMs,
            cores,
            null,
          ),
    timeline,
    scenario: scenario?.describe(loads.flatMap((one) => one.scenarioEnd ?? [])) ?? null,
  };
}

/** A server may say again what it was asked with: a token in its URL. */
function tellable({ status, location, body }: RefusalSample): RefusalSample {
  return { status, location: location === null ? null : hideSecrets(location), body: hideSecrets(body) };
}

function describeConnections(
  plan: AttackPlan,
  opens: readonly OpenReport[],
  loads: readonly AttackReport[],
): AttackResult["connections"] {
  const opened = sum(opens, (one) => one.opened);
  const firstUs = Math.min(...opens.flatMap(({ firstAttemptUs }) => firstAttemptUs ?? []));
  const lastUs = Math.max(...opens.flatMap(({ lastOpenedUs }) => lastOpenedUs ?? []));
  const [failures, deaths, reconnectFailures] = [
    opens.map((one) => one.failures),
    loads.map((one) => one.deaths),
    loads.map((one) => one.reconnectFailures),
  ].map(mergeFailures) as [
    ReturnType<typeof mergeFailures>,
    ReturnType<typeof mergeFailures>,
    ReturnType<typeof mergeFailures>,
  ];
  const stages = plan.connectionStages;
  const requested = stages === null ? plan.connections : countOpenings(stages);
  const failed = sum(opens, (one) => one.failed);
  return {
    // A scenario's users open as many as they like.
    requested: plan.scenario === null ? requested : sum(opens, (one) => one.attempted),
    opened,
    failed,
    failures,
    notAttempted:
      stages === null ? sum(opens, (one) => one.notAttempted) : Math.max(0, requested - opened - failed),
    died: sum(loads, (one) => one.died),
    deaths,
    released: loads.reduce((all, { staged }) => all + (staged?.sums.at(-1)?.released ?? 0), 0),
    reconnected: sum(loads, (one) => one.reconnected),
    reconnectFailures,
    openAtEnd: sum(loads, (one) => one.ready),
    perSecond: opened < 2 || lastUs <= firstUs ? null : Math.round((opened * 1e7) / (lastUs - firstUs)) / 10,
    tcpUs: summarize(mergeHistograms(opens.map(({ tcp }) => tcp))),
    tlsUs:
      plan.target.tls === null ? null : summarize(mergeHistograms(opens.flatMap(({ tls }) => tls ?? []))),
    upgradeUs: summarize(mergeHistograms(opens.map(({ upgrade }) => upgrade))),
    joinUs: summarize(mergeHistograms(opens.map(({ join }) => join))),
  };
}

function countMessages(plan: AttackPlan, loads: readonly AttackReport[]): AttackResult["messages"] {
  const add = (pick: (report: AttackReport) => number) => sum(loads, pick);
  const sent = add((one) => one.sent);
  const answered = add((one) => one.delivered);
  // A reply to what a worker had already forgotten was owed all the same.
  const expected = Math.max(
    add((one) => one.expected),
    answered,
  );
  const planned =
    loads.length === 0 && plan.load.kind === "open" && plan.scenario === null
      ? countOf(plan.load.segments)
      : add((one) => one.planned);
  return {
    planned: Math.max(planned, sent),
    sent,
    unsent: Math.max(0, planned - sent),
    expected,
    answered,
    lost: expected - answered,
    lostOnClosed: Math.min(
      expected - answered,
      add((one) => one.lostOnClosed),
    ),
    duplicated: add((one) => one.duplicated),
    reordered: add((one) => one.reordered),
    unmatched: add((one) => one.unmatched),
    received: add((one) => one.received),
    bytesSent: add((one) => one.bytesSent),
    bytesReceived: add((one) => one.bytesReceived),
    deliveries: describeDeliveries(
      expected,
      add((one) => one.expectedDeliveries),
      add((one) => one.deliveries),
    ),
  };
}

/** Where there are replies beside them. */
function describeDeliveries(all: number, expected: number, arrived: number) {
  return expected === 0 || expected === all ? null : { expected: Math.max(expected, arrived), arrived };
}

function describeCompression(
  plan: AttackPlan,
  opens: readonly OpenReport[],
  loads: readonly AttackReport[],
): AttackResult["compression"] {
  if (plan.compression === "none") return null;
  const all = loads.flatMap(({ compression }) => compression ?? []);
  const agreed = sum(opens, (one) => one.compressed);
  return {
    agreed,
    declined: sum(opens, (one) => one.opened) - agreed,
    sentPayloadBytes: sum(all, (one) => one.sentPayloadBytes),
    sentWireBytes: sum(all, (one) => one.sentWireBytes),
    receivedPayloadBytes: sum(all, (one) => one.receivedPayloadBytes),
    receivedWireBytes: sum(all, (one) => one.receivedWireBytes),
  };
}

function describeRate(
  { plan, loads, startUs }: AttackEvidence,
  { planned, sent, answered }: AttackResult["messages"],
): AttackResult["rate"] {
  const seconds = loadSeconds(plan.load);
  const lastSends = loads.flatMap(({ lastSendUs }) => lastSendUs ?? []);
  if (startUs === null || lastSends.length === 0) return null;
  const lastSendUs = Math.max(...lastSends);
  const lastAnswers = loads.flatMap(({ lastDeliveryUs }) => lastDeliveryUs ?? []);
  // The last message of an open loop is due one interval before its end.
  const isWhole = loads.every(({ finishedSending }) => finishedSending);
  const sendSpanUs = Math.max(lastSendUs - startUs, isWhole ? seconds * 1e6 : 0, 1);
  const spanUs = Math.max(sendSpanUs, Math.max(0, ...lastAnswers) - startUs);
  const perSecond = (count: number, us: number) => Math.round((count * 1e7) / us) / 10;
  return {
    askedPerSecond:
      plan.load.kind === "open" && plan.scenario === null ? perSecond(planned, seconds * 1e6) : null,
    sentPerSecond: perSecond(sent, sendSpanUs),
    answeredPerSecond: perSecond(answered, spanUs),
    sendSpanMs: Math.round(sendSpanUs) / 1000,
    spanMs: Math.round(spanUs) / 1000,
  };
}

/** The most frequent first. */
function addUp<T extends { readonly count: number }, Key>(
  items: readonly T[],
  keyOf: (item: T) => Key,
): (readonly [Key, number])[] {
  const counts = new Map<Key, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + item.count);
  return [...counts].sort(([, a], [, b]) => b - a);
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((all, item) => all + pick(item), 0);
}
