import type { PhaseOrder, PhaseReport } from "../../engine/worker-protocol.ts";
import { watchCpuUsage } from "../../machine/cpu-usage.ts";
import type { PhasePlan, Plan, Workload } from "../../plan/plan.ts";
import { readStats } from "../../process/counters.ts";
import { describeExit, type Server } from "../../process/server.ts";
import type { Phase } from "../../result/schema.ts";
import { type Histogram, mergeHistograms, percentileCurve, summarize } from "../../stats/histogram.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer, watchServerUsage } from "../../trust/server-usage.ts";
import { findBottleneck, findLateness, findStarvedServer, voidIfAny } from "../../trust/validity.ts";
import { emptyPhase, type RoundContext } from "./context.ts";
import { listFindings } from "./findings.ts";
import { intersect } from "./silence.ts";
import { buildTimeline } from "./timeline.ts";

const pollMs = 20;
const viewIntervalMs = 250;
const answerTimeoutMs = 2000;
const stragglerMs = 50;
/** Workers report every 200 ms. */
const unheardMs = 700;
/** A phase that trickles on is ended after this. */
const longestPhaseMs = 300_000;

type Ending = Pick<Phase, "status" | "reason">;
const done: Ending = { status: "ok", reason: null };

export interface Exchange {
  readonly phase: PhasePlan & { readonly workload: Workload };
  /** One per worker. */
  readonly orders: readonly PhaseOrder[];
  readonly plannedDeliveries: number;
  /** Steady: how long the load lasts. */
  readonly seconds: number | null;
}

/** Runs one phase with messages from the first send to the last delivery, and settles its account. */
export async function runExchange(context: RoundContext, exchange: Exchange): Promise<Phase> {
  const { pool, board, server, watch, plan, clockUs } = context;
  const { kind, workload } = exchange.phase;
  const phase = emptyPhase(kind, workload);
  const before = context.alive.length;
  const startUs = exchange.orders[0]?.startUs ?? 0;
  const statsBefore = await readStats(server.host, server.port);

  board.reset();
  await watch.begin();
  pool.start(exchange.orders);
  // Until then the workers prepare, which would be taken for the work of others.
  await Bun.sleep(Math.max(0, (startUs - clockUs()) / 1000));
  const endWorkerUsage = watchCpuUsage(plan.workerCpus);
  const endServerUsage = watchServerUsage(plan);
  const reached = await waitForEnd(context, exchange, startUs);
  const elapsedMs = (clockUs() - startUs) / 1000;
  const workerUsage = endWorkerUsage();
  const serverUsage = endServerUsage();
  await watch.end();
  // What comes a second time comes behind what everyone waited for.
  if (reached.status === "ok") await Bun.sleep(stragglerMs);

  const reports = await settle(context);
  const statsAfter = server.exit === null ? await readStats(server.host, server.port) : null;
  const totals = addUp(reports);
  const arrived = totals.delivered + Math.min(totals.corrupted, totals.expected - totals.delivered);
  const messages: NonNullable<Phase["messages"]> = {
    planned: totals.planned,
    sent: totals.sent,
    expected: totals.expected,
    delivered: arrived,
    lost: totals.expected - arrived,
    duplicated: totals.duplicated,
    reordered: totals.reordered,
    corrupted: totals.corrupted,
    malformed: totals.malformed,
    misrouted: totals.misrouted,
    late: totals.late,
    lostOnClosed: totals.lostOnClosed,
    declaredDropped:
      statsBefore === null || statsAfter === null ? null : statsAfter.dropped - statsBefore.dropped,
    frames: totals.frames,
    // Those that never had their turn too, when the phase was ended early.
    unsent: totals.planned - totals.sent,
  };

  const latency = mergeHistograms([...board.seconds.values()].map((second) => second.latency.toSparse()));
  const silences = intersect(reports.map(({ silences }) => silences)).map(([from, to]) => (to - from) / 1000);
  const longestSilenceMs = Math.max(0, ...silences);
  const serverFigures = describeServer(context, {
    connections: context.alive.length,
    delivered: arrived,
    usage: serverUsage,
  });
  const generator = describeGenerator(
    reports.map((report) => report.usage),
    elapsedMs,
    plan,
    { usage: workerUsage, serverCpuMs: serverFigures.cpuMs },
  );
  const spanUs = span(reports, ({ lastDeliveryUs }) => lastDeliveryUs);
  const sendLagUs = summarize(mergeHistograms(reports.map(({ sendLag }) => sendLag)));
  const latencyUs = summarize(latency);
  const spanMs = spanUs / 1000;
  const guilt =
    exchange.orders[0]?.pattern.kind === "steady"
      ? findLateness({ plan, sendLagP99Us: sendLagUs.p99, latencyP99Us: latencyUs.p99 })
      : findBottleneck({ plan, generator, serverCpuMs: serverFigures.cpuMs, spanMs });
  const starved = findStarvedServer({ plan, server: serverFigures, spanMs });
  const ending = judge(reached, { ...totals, arrived }, [starved, guilt], plan);
  context.alive = reports.flatMap(({ alive }) => alive).sort((a, b) => a - b);
  for (const [connection, seq] of reports.flatMap(({ lastSeqs }) => lastSeqs))
    context.saySeqs[exchange.phase.workload].set(connection, seq);

  const timeline = buildTimeline(board.seconds, watch.seconds(startUs));
  return {
    ...phase,
    ...ending,
    durationMs: Math.round(elapsedMs),
    connections: {
      requested: before,
      opened: before,
      failed: 0,
      failedByReason: totals.diedByReason,
      died: totals.died,
    },
    messages,
    // Aborted and failed phases have no throughput: a part of the work is not the work.
    throughput:
      ending.status === "ok" && spanUs > 0
        ? {
            deliveriesPerSecond: perSecond(totals.delivered, spanUs),
            sendsPerSecond: perSecond(totals.sent, spanUs),
            spanMs: Math.round(spanUs) / 1000,
            sendSpanMs: Math.round(span(reports, ({ lastSendUs }) => lastSendUs)) / 1000,
          }
        : null,
    rate: ending.status === "ok" && exchange.seconds !== null ? heldRate(exchange, timeline) : null,
    latencyUs: { ...latencyUs, curve: percentileCurve(latency) },
    uncorrectedLatencyUs: summarize(mergeHistograms(reports.map(({ uncorrected }) => uncorrected))),
    sendLagUs,
    receiversUs: describeReceivers(reports),
    longestSilenceMs: Math.round(longestSilenceMs),
    server: serverFigures,
    generator,
    findings: listFindings({
      ...totals,
      messages,
      longestSilenceMs,
      generatorPauseMs: (generator.eventLoopDelayUs.max ?? 0) / 1000,
    }),
    timeline,
  };
}

/** Short phases are over before anyone has counted their errors. What else a phase may have measured matters only if it was whole. */
function judge(
  reached: Ending,
  { errors, arrived }: { readonly errors: number; readonly arrived: number },
  doubts: readonly (string | null)[],
  plan: Plan,
): Ending {
  // Only the settled account knows how far it came.
  if (reached.status === "failed") {
    return { ...reached, reason: `${reached.reason}, after ${arrived.toLocaleString("en")} deliveries` };
  }
  if (reached.status !== "ok") return reached;
  return voidIfAny(pastThreshold(errors, plan) ?? reached, ...doubts);
}

/** Waits until everything owed has arrived, or until it is clear that it won't. */
async function waitForEnd(context: RoundContext, exchange: Exchange, startUs: number): Promise<Ending> {
  const { plan, board, server, signal, clockUs, pool } = context;
  let arrivedBefore = -1;
  let owedSinceUs = startUs;
  let viewedUs = 0;
  for (;;) {
    await Promise.race([Bun.sleep(pollMs), server.exited, pool.fault]);
    const now = clockUs();
    const { arrived, expected, errors, finishedSending } = board.phaseTotals();
    // Of a worker that got no processor nobody knows what has arrived: that is no silence of the server.
    const isUnheard = board.longestUnheardMs() >= unheardMs;
    if (arrived !== arrivedBefore || expected <= arrived || isUnheard) {
      arrivedBefore = arrived;
      owedSinceUs = Math.max(now, startUs);
    }
    if (now - viewedUs >= viewIntervalMs * 1000) {
      viewedUs = now;
      showView(context, exchange, startUs);
    }
    if (finishedSending && arrived >= expected) return done;
    if (signal.aborted) return { status: "aborted", reason: "stopped by the user" };
    if (server.exit !== null) {
      return {
        status: "failed",
        reason: `crashed: the server ${describeExit(server.exit)}`,
      };
    }
    const aborted = pastThreshold(errors, plan);
    if (aborted !== null) return aborted;
    if ((now - owedSinceUs) / 1000 >= plan.timeouts.quietMs) {
      if (finishedSending && (await stillAnswers(server))) return done;
      const quiet = `nothing arrived for ${plan.timeouts.quietMs / 1000} s while ${(expected - arrived).toLocaleString("en")} deliveries were owed`;
      return { status: "failed", reason: `hung: ${quiet}` };
    }
    if ((now - startUs) / 1000 > longestPhaseMs + (exchange.seconds ?? 0) * 1000) {
      return { status: "aborted", reason: `not done after ${longestPhaseMs / 60_000} minutes` };
    }
  }
}

function pastThreshold(errors: number, { errorThreshold }: Plan): Ending | null {
  if (errors <= errorThreshold) return null;
  return {
    status: "aborted",
    reason: `${errors.toLocaleString("en")} errors, more than the ${errorThreshold.toLocaleString("en")} allowed`,
  };
}

/** Whether a server that has gone quiet still answers at all: it lost messages then, and is not hung. */
async function stillAnswers({ host, port }: Server): Promise<boolean> {
  return (await readStats(host, port, answerTimeoutMs)) !== null;
}

function showView(context: RoundContext, { phase, plannedDeliveries }: Exchange, startUs: number): void {
  const { board, clockUs, onView } = context;
  const { arrived, errors } = board.phaseTotals();
  const [last] = [...board.seconds.entries()].sort(([a], [b]) => b - a);
  onView({
    kind: phase.kind,
    workload: phase.workload,
    elapsedMs: Math.max(0, (clockUs() - startUs) / 1000),
    done: arrived,
    total: plannedDeliveries,
    ratePerSecond: last?.[1].delivered ?? 0,
    p50Us: last?.[1].latency.valueAt(0.5) ?? null,
    p99Us: last?.[1].latency.valueAt(0.99) ?? null,
    errors,
  });
}

async function settle({ pool, board }: RoundContext): Promise<PhaseReport[]> {
  const reports = await pool.settle();
  for (const [worker, report] of reports.entries()) board.notePhase(worker, report);
  return reports;
}

function addUp(reports: readonly PhaseReport[]) {
  const sum = (pick: (report: PhaseReport) => number) => reports.reduce((all, one) => all + pick(one), 0);
  const diedByReason: Record<string, number> = {};
  for (const report of reports) {
    for (const [reason, count] of Object.entries(report.diedByReason)) {
      diedByReason[reason] = (diedByReason[reason] ?? 0) + count;
    }
  }
  const sentByRoom = reports.reduce<number[]>(
    (all, { sentByRoom: sent }) => (sent ?? []).map((count, room) => count + (all[room] ?? 0)),
    [],
  );
  const lostOnClosed = reports
    .flatMap(({ closed }) => closed)
    .reduce(
      (lost, { room, sent, delivered }) => lost + Math.max(0, (sent ?? sentByRoom[room] ?? 0) - delivered),
      0,
    );
  return {
    planned: sum((one) => one.planned),
    sent: sum((one) => one.sent),
    expected: sum((one) => one.expected),
    delivered: sum((one) => one.delivered),
    duplicated: sum((one) => one.duplicated),
    reordered: sum((one) => one.reordered),
    corrupted: sum((one) => one.corrupted),
    malformed: sum((one) => one.malformed),
    misrouted: sum((one) => one.misrouted),
    late: sum((one) => one.late),
    unsent: sum((one) => one.unsent),
    errors: sum((one) => one.errors),
    died: sum((one) => one.died),
    diedByReason,
    lostOnClosed,
    frames: sum((one) => one.frames),
    undeclaredBatches: sum((one) => one.undeclaredBatches),
    errorReplies: sum((one) => one.errorReplies),
    firstErrorReply: reports.map((one) => one.firstErrorReply).find((reply) => reply !== null) ?? null,
  };
}

/** From the first send to what came last over all workers, in microseconds; 0 when there was none. */
function span(reports: readonly PhaseReport[], lastUs: (report: PhaseReport) => number | null): number {
  const starts = reports.flatMap(({ firstSendUs }) => firstSendUs ?? []);
  const ends = reports.flatMap((report) => lastUs(report) ?? []);
  return starts.length === 0 || ends.length === 0 ? 0 : Math.max(...ends) - Math.min(...starts);
}

function perSecond(count: number, spanUs: number): number {
  return Math.round((count * 1e7) / spanUs) / 10;
}

/** Only what arrived while the load lasted was held; what came afterwards was backlog. */
function heldRate({ seconds, plannedDeliveries }: Exchange, timeline: Phase["timeline"]): Phase["rate"] {
  if (seconds === null) return null;
  const held = timeline
    .filter(({ second }) => second < seconds)
    .reduce((all, { delivered }) => all + delivered, 0);
  return {
    offeredPerSecond: Math.round((plannedDeliveries * 10) / seconds) / 10,
    heldPerSecond: Math.round((held * 10) / seconds) / 10,
    heldShare: plannedDeliveries === 0 ? 0 : Math.round((held * 1e4) / plannedDeliveries) / 1e4,
  };
}

/** Over the broadcasts of a burst: when the first, the median and the last member had each. */
function describeReceivers(reports: readonly PhaseReport[]): Phase["receiversUs"] {
  const broadcasts = reports[0]?.receivers.length ?? 0;
  if (broadcasts === 0) return null;
  const [first, median, last] = [0, 1, 2].map(() => mergeHistograms([])) as [Histogram, Histogram, Histogram];
  for (let broadcast = 0; broadcast < broadcasts; broadcast += 1) {
    const parts = reports.map(({ receivers }) => receivers[broadcast]).filter((part) => part !== undefined);
    const all = mergeHistograms(parts);
    if (all.count === 0) continue;
    first.record(all.min);
    median.record(all.valueAt(0.5) ?? 0);
    last.record(all.max);
  }
  return { first: summarize(first), median: summarize(median), last: summarize(last) };
}
