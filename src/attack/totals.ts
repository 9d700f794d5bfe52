import type { AttackReport, OpenReport, RefusalSample } from "../engine/attack/attack-orders.ts";
import { mergeFailures } from "../engine/failure-tally.ts";
import { countOwn, type Share } from "../engine/places.ts";
import { countOpenings } from "../plan/attack/connection-stages.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import { countOf } from "../plan/attack/rate.ts";
import type { AttackResult, StoredTotals } from "../result/attack.ts";
import { TimelineBuilder, type TimelineParts } from "../run/phases/timeline.ts";
import { type Histogram, mergeHistograms, type SparseHistogram } from "../stats/histogram.ts";
import { hideSecrets } from "../text/secrets.ts";
import type { ScenarioBoard } from "./scenario-board.ts";
import type { StageFigures } from "./stage-figures.ts";

type Histograms = Readonly<Record<keyof StoredTotals["histograms"], SparseHistogram>>;

/**
 * What an attack came to, in the form in which it adds up: counts, histograms, and moments since its beginning. The
 * totals of shares add up to those of the whole, in any order.
 */
export interface AttackTotals
  extends Pick<AttackResult, "refusals" | "rejections" | "strays" | "samples" | "compression">,
    Pick<
      StoredTotals,
      "firstAttemptUs" | "lastOpenedUs" | "lastSendUs" | "lastAnswerUs" | "finishedSending" | "cpu"
    > {
  readonly connections: Omit<
    AttackResult["connections"],
    "perSecond" | "tcpUs" | "tlsUs" | "upgradeUs" | "joinUs"
  >;
  /** As each generator process counted them. */
  readonly messages: Omit<AttackResult["messages"], "unsent" | "lost" | "deliveries"> &
    Pick<StoredTotals, "deliveries">;
  readonly peakRssBytes: number;
  /** Of the messages those that another machine of a fleet sent: of `expected` so many, and from when each was due to when it came. */
  readonly oneWay: AttackReport["oneWay"];
  readonly histograms: Histograms;
  readonly timeline: TimelineParts;
}

/** Of all that is unmatched. */
const mostSamples = 5;

export interface AttackEvidence {
  readonly plan: AttackPlan;
  /** Whose part of the plan's workers they are: those whose number is `worker` modulo `workers`. All where absent. */
  readonly share?: Share;
  /** One per worker each; none where a worker is gone, or it was never reached. */
  readonly opens: readonly OpenReport[];
  readonly loads: readonly AttackReport[];
  readonly latency: Histogram;
  readonly timeline: TimelineBuilder;
  /** Absent where nothing was measured, or another machine did it. */
  readonly stages?: StageFigures;
  /** Absent or null where there is none. */
  readonly scenario?: ScenarioBoard | null;
  /** When the load began, on the attack's epoch; null where it did not. */
  readonly startUs: number | null;
  readonly elapsedMs: number;
}

/** The share of whoever attacks alone. */
export const whole: Share = { worker: 0, workers: 1 };

/** Of so many connections or messages, which workers take in turns, those of a share's workers. */
export function countOfShare({ worker, workers }: Share, plan: AttackPlan, all: number): number {
  let count = 0;
  for (let one = worker; one < plan.workers; one += workers) {
    count += countOwn({ worker: one, workers: plan.workers }, all);
  }
  return count;
}

/** Adds up what the workers of an attack reported. */
export function countReports(evidence: AttackEvidence): AttackTotals {
  const { plan, share = whole, loads, latency, timeline, startUs, elapsedMs } = evidence;
  // Where connections come and go, how they opened is only known at the end.
  const opens =
    loads.length === 0
      ? evidence.opens
      : loads.flatMap(({ staged }, at) => staged?.opening ?? evidence.opens[at] ?? []);
  const opened = sum(opens, (one) => one.opened);
  const failed = sum(opens, (one) => one.failed);
  const requested = countRequested(plan, share, opens);
  const sinceStart = (pick: (report: AttackReport) => number | null) =>
    startUs === null ? null : mostOf(loads.map(pick).map((us) => (us === null ? null : us - startUs)));
  return {
    connections: {
      requested,
      opened,
      failed,
      failures: mergeFailures(opens.map((one) => one.failures)),
      notAttempted:
        plan.connectionStages === null
          ? sum(opens, (one) => one.notAttempted)
          : Math.max(0, requested - opened - failed),
      died: sum(loads, (one) => one.died),
      deaths: mergeFailures(loads.map((one) => one.deaths)),
      released: sum(loads, ({ staged }) => staged?.sums.at(-1)?.released ?? 0),
      reconnected: sum(loads, (one) => one.reconnected),
      reconnectFailures: mergeFailures(loads.map((one) => one.reconnectFailures)),
      openAtEnd: sum(loads, (one) => one.ready),
    },
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
    messages: countMessages(plan, share, loads),
    compression: countCompression(plan, opens, loads, opened),
    samples: loads
      .flatMap(({ samples }) => samples)
      .slice(0, mostSamples)
      .map((sample) => ({ ...sample })),
    firstAttemptUs: leastOf(opens.map((one) => one.firstAttemptUs)),
    lastOpenedUs: mostOf(opens.map((one) => one.lastOpenedUs)),
    lastSendUs: sinceStart((one) => one.lastSendUs),
    lastAnswerUs: sinceStart((one) => one.lastDeliveryUs),
    finishedSending: loads.every((one) => one.finishedSending),
    cpu:
      loads.length === 0
        ? null
        : {
            usedUs: sum(loads, ({ usage }) => Math.round(usage.cpuMs * 1000)),
            // No more than a core each, garbage collection apart.
            hadUs: loads.length * Math.max(0, Math.round(elapsedMs * 1000)),
          },
    peakRssBytes: sum(loads, ({ usage }) => usage.rssBytes),
    oneWay: addOneWays(loads),
    histograms: {
      latency: latency.toSparse(),
      uncorrectedLatency: addHistograms(loads.map(({ uncorrected }) => uncorrected)),
      sendLag: addHistograms(loads.map(({ sendLag }) => sendLag)),
      tcp: addHistograms(opens.map(({ tcp }) => tcp)),
      tls: addHistograms(opens.flatMap(({ tls }) => tls ?? [])),
      upgrade: addHistograms(opens.map(({ upgrade }) => upgrade)),
      join: addHistograms(opens.map(({ join }) => join)),
      eventLoopDelay: addHistograms(loads.map(({ usage }) => usage.loopDelay)),
    },
    timeline: timeline.toParts(),
  };
}

function countRequested(plan: AttackPlan, share: Share, opens: readonly OpenReport[]): number {
  // A scenario's users open as many as they like.
  if (plan.scenario !== null) return sum(opens, (one) => one.attempted);
  const { connectionStages: stages } = plan;
  return countOfShare(share, plan, stages === null ? plan.connections : countOpenings(stages));
}

/** A server may say again what it was asked with: a token in its URL. */
function tellable({ status, location, body }: RefusalSample): RefusalSample {
  return { status, location: location === null ? null : hideSecrets(location), body: hideSecrets(body) };
}

function countMessages(
  plan: AttackPlan,
  share: Share,
  loads: readonly AttackReport[],
): AttackTotals["messages"] {
  const add = (pick: (report: AttackReport) => number) => sum(loads, pick);
  return {
    planned:
      loads.length === 0 && plan.load.kind === "open" && plan.scenario === null
        ? countOfShare(share, plan, countOf(plan.load.segments))
        : add((one) => one.planned),
    sent: add((one) => one.sent),
    expected: add((one) => one.expected),
    answered: add((one) => one.delivered),
    lostOnClosed: add((one) => one.lostOnClosed),
    duplicated: add((one) => one.duplicated),
    reordered: add((one) => one.reordered),
    unmatched: add((one) => one.unmatched),
    received: add((one) => one.received),
    bytesSent: add((one) => one.bytesSent),
    bytesReceived: add((one) => one.bytesReceived),
    deliveries: {
      expected: add((one) => one.expectedDeliveries),
      arrived: add((one) => one.deliveries),
    },
  };
}

function countCompression(
  plan: AttackPlan,
  opens: readonly OpenReport[],
  loads: readonly AttackReport[],
  opened: number,
): AttackTotals["compression"] {
  if (plan.compression === "none") return null;
  const all = loads.flatMap(({ compression }) => compression ?? []);
  const agreed = sum(opens, (one) => one.compressed);
  return {
    agreed,
    declined: opened - agreed,
    sentPayloadBytes: sum(all, (one) => one.sentPayloadBytes),
    sentWireBytes: sum(all, (one) => one.sentWireBytes),
    receivedPayloadBytes: sum(all, (one) => one.receivedPayloadBytes),
    receivedWireBytes: sum(all, (one) => one.receivedWireBytes),
  };
}

/**
 * The sum of several, whatever their order. Of refusals, samples and failures no more are kept than of one: which of
 * them then hangs on what they say.
 *
 * @param parts at least one, all of the same plan
 * @throws {RangeError} where a histogram can't hold so many values
 */
export function addTotals(parts: readonly AttackTotals[]): AttackTotals {
  const connections = parts.map((one) => one.connections);
  const compressions = parts.flatMap(({ compression }) => compression ?? []);
  const cpus = parts.flatMap(({ cpu }) => cpu ?? []);
  const timeline = new TimelineBuilder();
  for (const part of parts) timeline.addParts(part.timeline);
  const histogram = (name: keyof Histograms) =>
    addHistograms(parts.map(({ histograms }) => histograms[name]));
  return {
    connections: {
      ...addFields(connections, [
        "requested",
        "opened",
        "failed",
        "notAttempted",
        "died",
        "released",
        "reconnected",
        "openAtEnd",
      ]),
      failures: mergeFailures(connections.map(({ failures }) => failures)),
      deaths: mergeFailures(connections.map(({ deaths }) => deaths)),
      reconnectFailures: mergeFailures(connections.map(({ reconnectFailures }) => reconnectFailures)),
    },
    refusals: sortByText(parts.flatMap(({ refusals }) => refusals))
      .filter(({ status }, at, all) => all.findIndex((one) => one.status === status) === at)
      .toSorted((a, b) => a.status - b.status),
    rejections: addUp(
      parts.flatMap(({ rejections }) => rejections),
      ({ reason }) => reason,
    ).map(([reason, count]) => ({ reason, count })),
    strays: addUp(
      parts.flatMap(({ strays }) => strays),
      ({ rule }) => rule,
    ).map(([rule, count]) => ({ rule, count })),
    messages: {
      ...addFields(
        parts.map(({ messages }) => messages),
        [
          "planned",
          "sent",
          "expected",
          "answered",
          "lostOnClosed",
          "duplicated",
          "reordered",
          "unmatched",
          "received",
          "bytesSent",
          "bytesReceived",
        ],
      ),
      deliveries: addFields(
        parts.map(({ messages }) => messages.deliveries),
        ["expected", "arrived"],
      ),
    },
    compression:
      compressions.length === 0
        ? null
        : addFields(compressions, [
            "agreed",
            "declined",
            "sentPayloadBytes",
            "sentWireBytes",
            "receivedPayloadBytes",
            "receivedWireBytes",
          ]),
    samples: sortByText(parts.flatMap(({ samples }) => samples)).slice(0, mostSamples),
    firstAttemptUs: leastOf(parts.map((one) => one.firstAttemptUs)),
    lastOpenedUs: mostOf(parts.map((one) => one.lastOpenedUs)),
    lastSendUs: mostOf(parts.map((one) => one.lastSendUs)),
    lastAnswerUs: mostOf(parts.map((one) => one.lastAnswerUs)),
    finishedSending: parts.every((one) => one.finishedSending),
    cpu: cpus.length === 0 ? null : addFields(cpus, ["usedUs", "hadUs"]),
    peakRssBytes: sum(parts, (one) => one.peakRssBytes),
    oneWay: addOneWays(parts),
    histograms: {
      latency: histogram("latency"),
      uncorrectedLatency: histogram("uncorrectedLatency"),
      sendLag: histogram("sendLag"),
      tcp: histogram("tcp"),
      tls: histogram("tls"),
      upgrade: histogram("upgrade"),
      join: histogram("join"),
      eventLoopDelay: histogram("eventLoopDelay"),
    },
    timeline: timeline.toParts(),
  };
}

function addHistograms(parts: readonly SparseHistogram[]): SparseHistogram {
  return mergeHistograms(parts).toSparse();
}

function addOneWays(parts: readonly Pick<AttackTotals, "oneWay">[]): AttackTotals["oneWay"] {
  return {
    expected: sum(parts, ({ oneWay }) => oneWay.expected),
    latency: addHistograms(parts.map(({ oneWay }) => oneWay.latency)),
  };
}

function addFields<Name extends string>(
  items: readonly Readonly<Record<NoInfer<Name>, number>>[],
  names: readonly Name[],
): Record<Name, number> {
  const sums = names.map((name) => [name, sum(items, (item) => item[name])]);
  return Object.fromEntries(sums) as Record<Name, number>;
}

/** The most frequent first. */
function addUp<T extends { readonly count: number }, Key extends string>(
  items: readonly T[],
  keyOf: (item: T) => Key,
): (readonly [Key, number])[] {
  const counts = new Map<Key, number>();
  for (const item of items) counts.set(keyOf(item), (counts.get(keyOf(item)) ?? 0) + item.count);
  return [...counts].sort(([a, one], [b, other]) => other - one || compareText(a, b));
}

function sortByText<T>(items: readonly T[]): T[] {
  return items.toSorted((a, b) => compareText(JSON.stringify(a), JSON.stringify(b)));
}

function compareText(a: string, b: string): number {
  return a < b ? -1 : Number(a > b);
}

function leastOf(values: readonly (number | null)[]): number | null {
  return values.reduce((least, value) => (least === null || (value ?? least) < least ? value : least), null);
}

function mostOf(values: readonly (number | null)[]): number | null {
  return values.reduce((most, value) => (most === null || (value ?? most) > most ? value : most), null);
}

function sum<T>(items: readonly T[], pick: (item: T) => number): number {
  return items.reduce((all, item) => all + pick(item), 0);
}
