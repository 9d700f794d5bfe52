import { mergeFailures } from "../../engine/failure-tally.ts";
import { slotUs } from "../../engine/faults/impact.ts";
import type { ChaosReport, PhaseReport, ReconnectReport } from "../../engine/worker-protocol.ts";
import { chaosLoadSeconds, type Fault } from "../../plan/faults.ts";
import type { Ending, FaultReport } from "../../result/phase.ts";
import { mergeHistograms } from "../../stats/histogram.ts";
import { validityLimits } from "../../trust/validity.ts";
import type { PhaseView } from "../events.ts";
import { askAll, exitEnding, ok, poolEnding, type RoundContext, stopped, sumOf, tellAll } from "./context.ts";
import { accountFor, type FaultAccount } from "./fault-account.ts";
import { type ChaosWorkload, type FaultOrders, orderFault } from "./fault-orders.ts";
import { observeLoad } from "./observe-load.ts";
import { type Fate, ServerNurse } from "./server-nurse.ts";

/** Time for the start to reach every worker; all of them are ready by then. */
const leadUs = 50_000;
const pollMs = 20;
/** What is still on its way when the load ends may take this long from one arrival to the next, and so long in all. */
const quietMs = 1000;
const longestDrainMs = 10_000;
const answerTimeoutMs = 2000;
/** Workers tell how far they are this often. */
const progressMs = 200;

/** One of the faults of a phase, and its place among them, from 0. */
export interface PlannedFault {
  readonly fault: Fault;
  readonly index: number;
  readonly count: number;
}

export interface FaultRun {
  readonly report: FaultReport | null;
  /** One per worker; none where the load did not begin. */
  readonly reports: readonly PhaseReport[];
  readonly lostBefore: number;
  /** Not null: nothing further can be done. */
  readonly ending: Ending | null;
}

/** Injects one fault under its load, and brings everyone back. */
export async function runFault(
  context: RoundContext,
  workload: ChaosWorkload,
  planned: PlannedFault,
): Promise<FaultRun> {
  const { pool, board, plan, signal, connections, clockUs } = context;
  const nothing = { report: null, reports: [], lostBefore: 0 };
  if (signal.aborted) return { ...nothing, ending: stopped };
  const { alive } = connections;
  if (alive.length === 0) {
    return { ...nothing, ending: { status: "failed", reason: { kind: "all-connections-closed" } } };
  }
  const orders = orderFault({ plan, alive, phase: connections.nextPhase() }, planned.fault, workload);
  board.reset();
  await tellAll(pool, pool.prepare(orders.orders));
  const startUs = Math.ceil(clockUs()) + leadUs;
  if (pool.failed === null) pool.start(startUs);
  const fate = await attend(context, orders, { ...planned, workload, startUs });
  const reports = await askAll(pool, pool.settle());
  // Nobody comes back to a server that is gone, nor does the user wait who has stopped the run.
  const patienceMs = fate.hopeless !== null || signal.aborted ? 0 : plan.timeouts.connectMs;
  const reconnects = await askAll(pool, pool.reconnect(patienceMs));
  connections.update(reconnects.map((one) => one.alive));
  const early = poolEnding(pool) ?? (signal.aborted ? stopped : null);
  if (early !== null) return { ...nothing, reports, ending: early };
  if (fate.hopeless === null && reports.some(({ finishedSending }) => !finishedSending)) {
    return { ...nothing, reports, ending: generatorBehind(reports, plan.pacing) };
  }
  const account = accountFor({
    windows: reports.map(({ chaos }) => chaos?.windows ?? []),
    slots: reports.map(({ chaos }) => chaos?.slots ?? new Uint32Array()),
    plannedBySlot: orders.plannedBySlot,
    faultSlot: Math.round(orders.injectUs / slotUs),
  });
  return {
    report: describeFault(context, orders, { startUs, account, reports, reconnects, fate }),
    reports,
    lostBefore: account.lostBefore,
    ending: fate.hopeless === null ? null : { status: "failed", reason: fate.hopeless },
  };
}

/** Seconds after the load's end a worker was still sending: its last messages were late by as much. */
function generatorBehind(reports: readonly PhaseReport[], pacing: "spin" | "timer"): Ending {
  const lags = mergeHistograms(reports.map(({ sendLag }) => sendLag));
  return {
    status: "invalid",
    reason: {
      kind: "generator-late",
      sendLagP99Us: lags.valueAt(0.99) ?? longestDrainMs * 1000,
      allowedUs: validityLimits.leastLagUs[pacing],
    },
  };
}

interface FaultUnderWay extends PlannedFault {
  readonly workload: ChaosWorkload;
  /** On the run's epoch. */
  readonly startUs: number;
}

/** Waits for the end of the load and of what is still on its way; starts the server again when it has died. */
async function attend(context: RoundContext, orders: FaultOrders, underWay: FaultUnderWay): Promise<Fate> {
  const { plan, target, watch } = context;
  const { startUs } = underWay;
  const nurse = new ServerNurse(target.process, watch);
  let hasKilled = orders.fault !== "kill";
  await observeLoad(context, {
    startUs,
    pollMs,
    view: (state) => viewFault(context, orders, underWay, state),
    judge: async ({ nowUs, delivered, expected, finishedSending, quietMs: quietSoFarMs, stoodStillMs }) => {
      if (!hasKilled && nowUs >= startUs + orders.injectUs) {
        hasKilled = true;
        await nurse.kill();
      }
      nurse.look();
      if (nurse.fate.hopeless !== null) return ok;
      const overMs = (nowUs - startUs - orders.endUs) / 1000;
      if (overMs < 0) return null;
      if ((finishedSending && delivered >= expected) || overMs - stoodStillMs > longestDrainMs) return ok;
      const isQuiet = finishedSending && quietSoFarMs >= Math.min(quietMs, plan.timeouts.quietMs);
      return isQuiet && (await staysQuiet(context, delivered)) ? ok : null;
    },
  });
  return await nurse.done();
}

/** A server that had to wait for a CPU is not done: what it answers now comes behind what it owed. */
async function staysQuiet({ target, board }: RoundContext, delivered: number): Promise<boolean> {
  if (exitEnding(target) !== null) return true;
  await target.counters?.read(answerTimeoutMs);
  await Bun.sleep(2 * progressMs);
  return board.phaseTotals().delivered === delivered;
}

function viewFault(
  { plan, board }: RoundContext,
  orders: FaultOrders,
  { workload, startUs, fault, index, count }: FaultUnderWay,
  {
    nowUs,
    delivered,
    errors,
  }: { readonly nowUs: number; readonly delivered: number; readonly errors: number },
): PhaseView {
  const share = orders.plannedBySlot.reduce((all, planned) => all + planned, 0);
  const { delivered: ratePerSecond, p50Us, p99Us } = board.latest();
  const loadUs = nowUs - startUs;
  const loadMs = (chaosLoadSeconds(plan) / Math.max(1, plan.faults.length)) * 1000;
  return {
    kind: "chaos",
    workload,
    elapsedMs: index * loadMs + Math.max(0, loadUs) / 1000,
    done: index * share + delivered,
    total: count * share,
    ratePerSecond,
    p50Us,
    p99Us,
    errors,
    fault: {
      name: fault,
      number: index + 1,
      count,
      window: loadUs < orders.injectUs ? "before" : loadUs < orders.clearUs ? "under" : "after",
    },
  };
}

interface FaultOutcome {
  readonly startUs: number;
  readonly account: FaultAccount;
  readonly reports: readonly PhaseReport[];
  readonly reconnects: readonly ReconnectReport[];
  readonly fate: Fate;
}

function describeFault(context: RoundContext, orders: FaultOrders, outcome: FaultOutcome): FaultReport {
  const { startUs, account, reports, reconnects, fate } = outcome;
  const { watch, clockUs, plan } = context;
  const seen = reports.flatMap(({ chaos }) => chaos ?? []);
  const longestMs = (pick: (chaos: ChaosReport) => number) =>
    Math.round(seen.reduce((longest, one) => Math.max(longest, pick(one)), 0) / 1000);
  const reconnect = {
    wanted: sumOf(reconnects, (one) => one.wanted),
    opened: sumOf(reconnects, (one) => one.opened),
    unserved: sumOf(seen, (one) => one.unserved),
    slowestMs: slowest(reconnects),
  };
  const areAllBack = reconnect.opened >= reconnect.wanted && reconnect.unserved === 0;
  const faultUs = startUs + orders.injectUs;
  const rssBefore = watch.memory(startUs - 1e6, faultUs);
  const rssSince = watch.memory(faultUs, clockUs());
  const { hopeless: _, ...server } = fate;
  return {
    fault: orders.fault,
    seconds: plan.chaosSeconds,
    faultyClients: orders.garbage > 0 ? orders.garbage : orders.faulty.length,
    unaffectedClients: orders.unaffected.length,
    before: account.before,
    under: account.under,
    after: account.after,
    lostConnections: sumOf(reports, (one) => one.died),
    failures: mergeFailures(reports.map(({ deaths }) => deaths)),
    planned: account.planned,
    lost: account.lost,
    unsent: Math.min(account.lost, unsentDeliveries(orders, reports)),
    late: account.late,
    lateUs: account.lateUs,
    longestSilenceMs: longestMs((one) => one.longestSilenceUs),
    silenceBeforeMs: longestMs((one) => one.silenceBeforeUs),
    rssBeforeBytes: rssBefore?.last ?? null,
    rssPeakBytes: rssSince?.peak ?? null,
    rssAfterBytes: rssSince?.last ?? null,
    reconnect,
    faulty: {
      lost: sumOf(seen, (one) => one.faultyLost),
      delivered: sumOf(seen, (one) => one.faultyDelivered),
    },
    recoveredMs:
      account.disturbedMs === null || !areAllBack
        ? null
        : Math.max(account.disturbedMs, reconnect.slowestMs ?? 0),
    server,
  };
}

/** Sends that no connection could take, times the unaffected clients in a room: rooms differ by a member at most. */
function unsentDeliveries({ unaffected, orders }: FaultOrders, reports: readonly PhaseReport[]): number {
  const rooms = orders[0]?.rooms?.group.count ?? 1;
  return Math.round((sumOf(reports, (one) => one.unsent) * unaffected.length) / rooms);
}

function slowest(reconnects: readonly ReconnectReport[]): number | null {
  const known = reconnects.flatMap(({ slowestUs }) => slowestUs ?? []);
  return known.length === 0 ? null : Math.round(Math.max(...known) / 1000);
}
