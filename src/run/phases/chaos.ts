import { slotUs } from "../../engine/faults/impact.ts";
import type { ChaosReport, MendReport, PhaseReport, WorkerUsage } from "../../engine/worker-protocol.ts";
import { ContenderFailedError } from "../../errors.ts";
import { chaosLoadSeconds, type Fault } from "../../plan/faults.ts";
import { readStats } from "../../process/counters.ts";
import { createProbe } from "../../process/probe.ts";
import { describeExit } from "../../process/server.ts";
import type { FaultReport, Finding, Phase } from "../../result/schema.ts";
import { mergeHistograms, summarize } from "../../stats/histogram.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer, watchServerUsage } from "../../trust/server-usage.ts";
import { findLateness, findStarvedServer, voidIfAny } from "../../trust/validity.ts";
import type { RoundContext } from "./context.ts";
import { emptyPhase } from "./context.ts";
import { accountFor, type FaultAccount } from "./fault-account.ts";
import { type ChaosWorkload, type FaultOrders, orderFault } from "./fault-orders.ts";
import { describeFault } from "./fault-text.ts";

const pollMs = 20;
const viewIntervalMs = 250;
/** What is still on its way when the load ends may take this long from one arrival to the next, and so long in all. */
const quietMs = 1000;
const longestDrainMs = 10_000;
const answerTimeoutMs = 2000;
/** Workers tell how far they are this often. */
const progressMs = 200;
/** A server that dies again and again is not started for ever. */
const mostRestarts = 3;
const outputBytes = 2000;

/** How the server fared while a fault struck. */
interface Fate {
  exit: string | null;
  output: string | null;
  restarted: boolean;
  downMs: number | null;
  /** Why it could not be started again. */
  hopeless: string | null;
}

type Ending = Pick<Phase, "status" | "reason">;

/** Lets one fault after another strike while the others talk, and tells what it did to them. */
export async function runChaos(context: RoundContext, workload: ChaosWorkload): Promise<Phase> {
  const { plan, watch, clockUs } = context;
  const phase = emptyPhase("chaos", workload);
  const opened = context.alive.length;
  const startUs = clockUs();
  const faults: FaultReport[] = [];
  const reports: PhaseReport[] = [];
  let ending: Ending = { status: "ok", reason: null };
  let lostBefore = 0;

  await watch.begin();
  const endServerUsage = watchServerUsage(plan);
  try {
    for (const fault of plan.faults) {
      const done = await runFault(context, fault, workload, faults);
      reports.push(...done.reports);
      if (done.report !== null) faults.push(done.report);
      lostBefore += done.lostBefore;
      if (done.ending !== null) {
        ending = done.ending;
        break;
      }
    }
  } finally {
    await watch.end();
  }
  const serverUsage = endServerUsage();

  const elapsedMs = (clockUs() - startUs) / 1000;
  const delivered = sumOf(reports, (one) => one.delivered);
  const server = describeServer(context, {
    connections: context.alive.length,
    delivered,
    usage: serverUsage,
  });
  // What the workers use from one fault to the next is in none of their reports: others' share is unknown.
  const generator = describeGenerator(addUsage(reports, plan.workers), elapsedMs, plan, null);
  const sendLagUs = summarize(mergeHistograms(reports.map(({ sendLag }) => sendLag)));
  const guilt = findLateness({
    plan,
    sendLagP99Us: sendLagUs.p99,
    // Lateness is forgiven a delivery (fault-account.ts), up to what would be called late.
    latencyP99Us: faults.length === 0 ? null : Math.min(...faults.map(({ lateUs }) => lateUs)),
  });
  return {
    ...phase,
    ...voidIfAny(ending, findStarvedServer({ plan, server, spanMs: elapsedMs }), guilt),
    durationMs: Math.round(elapsedMs),
    connections: {
      requested: opened,
      opened,
      failed: 0,
      failedByReason: mergeCounts(faults.map(({ lostByReason }) => lostByReason)),
      died: faults.reduce((all, { lostConnections }) => all + lostConnections, 0),
    },
    sendLagUs,
    longestSilenceMs: faults.length === 0 ? null : Math.max(...faults.map((one) => one.longestSilenceMs)),
    server,
    generator,
    chaos: { workload, faults },
    findings: listChaosFindings(reports, lostBefore),
  };
}

interface FaultRun {
  readonly report: FaultReport | null;
  readonly reports: readonly PhaseReport[];
  readonly lostBefore: number;
  /** Not null: nothing further can be done. */
  readonly ending: Ending | null;
}

async function runFault(
  context: RoundContext,
  fault: Fault,
  workload: ChaosWorkload,
  earlier: readonly FaultReport[],
): Promise<FaultRun> {
  const { pool, board, plan, signal } = context;
  const nothing = { report: null, reports: [], lostBefore: 0 };
  if (signal.aborted) return { ...nothing, ending: aborted };
  if (context.alive.length === 0) {
    return { ...nothing, ending: { status: "failed", reason: `no connection was left for ${fault}` } };
  }
  const orders = orderFault(context, fault, workload);
  board.reset();
  pool.start(orders.orders);
  const fate = await attend(context, orders, earlier);
  const reports = await pool.settle();
  for (const [connection, seq] of reports.flatMap(({ lastSeqs }) => lastSeqs)) {
    context.saySeqs[workload].set(connection, seq);
  }
  // Nobody comes back to a server that is gone, nor does the user wait who has stopped the run.
  const patienceMs = fate.hopeless !== null || signal.aborted ? 0 : plan.timeouts.connectMs;
  const mends = await pool.mend(patienceMs);
  context.alive = mends.flatMap(({ alive }) => alive).sort((a, b) => a - b);
  if (signal.aborted) return { ...nothing, reports, ending: aborted };

  if (fate.hopeless === null && reports.some(({ finishedSending }) => !finishedSending)) {
    return { ...nothing, reports, ending: generatorBehind };
  }
  const account = accountFor({
    windows: reports.map(({ chaos }) => chaos?.windows ?? []),
    slots: reports.map(({ chaos }) => chaos?.slots ?? new Uint32Array()),
    plannedBySlot: orders.plannedBySlot,
    strikeSlot: Math.round((orders.strikeUs - orders.startUs) / slotUs),
  });
  return {
    report: tellFault(context, orders, { account, reports, mends, fate }),
    reports,
    lostBefore: account.lostBefore,
    ending:
      fate.hopeless === null ? null : { status: "failed", reason: `${fault}: the server ${fate.hopeless}` },
  };
}

const aborted: Ending = { status: "aborted", reason: "stopped by the user" };

const generatorBehind: Ending = {
  status: "void",
  reason: "the generator was the bottleneck: it could not send what was planned",
};

/** Waits for the end of the load and of what is still on its way; starts the server again when it has died. */
async function attend(
  context: RoundContext,
  orders: FaultOrders,
  earlier: readonly FaultReport[],
): Promise<Fate> {
  const { plan, board, server, signal, clockUs, pool, watch } = context;
  const fate: Fate = { exit: null, output: null, restarted: false, downMs: null, hopeless: null };
  let hasKilled = orders.fault !== "kill";
  let restarts = 0;
  let restarting: Promise<void> | null = null;
  let arrivedBefore = -1;
  let arrivalMs = performance.now();
  let viewedMs = 0;

  const restart = async (): Promise<void> => {
    const diedMs = performance.now();
    if (server.exit !== null) fate.exit ??= describeExit(server.exit);
    fate.output ??= server.output().slice(-outputBytes);
    restarts += 1;
    if (restarts > mostRestarts) {
      fate.hopeless = `${fate.exit}, and did so again after each of ${mostRestarts} restarts`;
      return;
    }
    try {
      await server.restart();
      watch.follow(createProbe(server.pid));
      fate.restarted = true;
      fate.downMs = Math.round((fate.downMs ?? 0) + performance.now() - diedMs);
    } catch (error) {
      fate.restarted = false;
      fate.hopeless = `${fate.exit} and could not be started again: ${error instanceof Error ? error.message : error}`;
      if (error instanceof ContenderFailedError)
        fate.output = `${fate.output}${error.output}`.slice(-outputBytes);
    }
  };

  for (;;) {
    await Promise.race([Bun.sleep(pollMs), pool.fault]);
    const nowUs = clockUs();
    if (!hasKilled && nowUs >= orders.strikeUs) {
      hasKilled = true;
      if (server.exit === null) await server.kill();
    }
    if (server.exit !== null && restarting === null && fate.hopeless === null) {
      restarting = restart().finally(() => {
        restarting = null;
      });
    }
    const { arrived, expected, errors, finishedSending } = board.phaseTotals();
    const nowMs = performance.now();
    // Of a generator that is behind nothing can be called quiet.
    if (arrived !== arrivedBefore || !finishedSending) {
      arrivedBefore = arrived;
      arrivalMs = nowMs;
    }
    if (nowMs - viewedMs >= viewIntervalMs) {
      viewedMs = nowMs;
      showView(context, orders, earlier, { arrived, errors });
    }
    if (signal.aborted || fate.hopeless !== null) break;
    const overMs = (nowUs - orders.endUs) / 1000;
    if (overMs < 0) continue;
    const isQuiet = nowMs - arrivalMs >= Math.min(quietMs, plan.timeouts.quietMs);
    if ((finishedSending && arrived >= expected) || overMs > longestDrainMs) break;
    if (isQuiet && (await staysQuiet(context, arrived))) break;
  }
  await restarting;
  return fate;
}

/** A server that had to wait for a processor is not done: what it answers now comes behind what it owed. */
async function staysQuiet({ server, board }: RoundContext, arrived: number): Promise<boolean> {
  if (server.exit !== null) return true;
  await readStats(server.host, server.port, answerTimeoutMs);
  await Bun.sleep(2 * progressMs);
  return board.phaseTotals().arrived === arrived;
}

function showView(
  { plan, board, clockUs, onView }: RoundContext,
  orders: FaultOrders,
  earlier: readonly FaultReport[],
  totals: { readonly arrived: number; readonly errors: number },
): void {
  const share = orders.plannedBySlot.reduce((all, planned) => all + planned, 0);
  const [last] = [...board.seconds.entries()].sort(([a], [b]) => b - a);
  const struckSeconds = (clockUs() - orders.strikeUs) / 1e6;
  onView({
    kind: "chaos",
    workload: orders.orders[0]?.workload ?? null,
    elapsedMs:
      (earlier.length / plan.faults.length) * chaosLoadSeconds(plan) * 1000 +
      Math.max(0, clockUs() - orders.startUs) / 1000,
    done: earlier.length * share + totals.arrived,
    total: plan.faults.length * share,
    ratePerSecond: last?.[1].delivered ?? 0,
    p50Us: last?.[1].latency.valueAt(0.5) ?? null,
    p99Us: last?.[1].latency.valueAt(0.99) ?? null,
    errors: totals.errors,
    fault: {
      name: orders.fault,
      number: earlier.length + 1,
      count: plan.faults.length,
      window: struckSeconds < 0 ? "before" : struckSeconds < plan.chaosSeconds.strike ? "under" : "after",
    },
  });
}

interface FaultOutcome {
  readonly account: FaultAccount;
  readonly reports: readonly PhaseReport[];
  readonly mends: readonly MendReport[];
  readonly fate: Fate;
}

function tellFault(context: RoundContext, orders: FaultOrders, outcome: FaultOutcome): FaultReport {
  const { account, reports, mends, fate } = outcome;
  const seen = reports.map(({ chaos }) => chaos).filter((chaos) => chaos !== undefined);
  const most = (pick: (chaos: ChaosReport) => number) => Math.round(Math.max(0, ...seen.map(pick)) / 1000);
  const total = (pick: (chaos: ChaosReport) => number) => seen.reduce((all, one) => all + pick(one), 0);
  const rejoin = {
    wanted: sumOf(mends, (one) => one.wanted),
    opened: sumOf(mends, (one) => one.opened),
    unserved: total((one) => one.unserved),
    slowestMs: slowest(mends),
  };
  const areAllBack = rejoin.opened >= rejoin.wanted && rejoin.unserved === 0;
  const beforeStrike = context.watch.memory(orders.startUs - 1e6, orders.strikeUs);
  const since = context.watch.memory(orders.strikeUs, context.clockUs());
  const report: Omit<FaultReport, "text"> = {
    fault: orders.fault,
    seconds: context.plan.chaosSeconds,
    victims: orders.garbage > 0 ? orders.garbage : orders.victims.length,
    bystanders: orders.bystanders.length,
    before: account.before,
    during: account.during,
    after: account.after,
    lostConnections: sumOf(reports, (one) => one.died),
    lostByReason: mergeCounts(reports.map(({ diedByReason }) => diedByReason)),
    planned: account.planned,
    lost: account.lost,
    unsent: Math.min(account.lost, unsentDeliveries(orders, reports)),
    late: account.late,
    lateUs: account.lateUs,
    longestSilenceMs: most((one) => one.longestSilenceUs),
    silenceBeforeMs: most((one) => one.silenceBeforeUs),
    rssBeforeBytes: beforeStrike?.last ?? null,
    rssPeakBytes: since?.peak ?? null,
    rssAfterBytes: since?.last ?? null,
    rejoin,
    struck: { lost: total((one) => one.struckLost), delivered: total((one) => one.struckDelivered) },
    recoveredMs:
      account.disturbedMs === null || !areAllBack
        ? null
        : Math.max(account.disturbedMs, rejoin.slowestMs ?? 0),
    server: {
      died: fate.exit !== null,
      exit: fate.exit,
      output: fate.output,
      restarted: fate.restarted,
      downMs: fate.downMs,
    },
  };
  return { ...report, text: describeFault(report) };
}

/** Sends that no connection could take, times the bystanders in a room: rooms differ by a member at most. */
function unsentDeliveries({ bystanders, orders }: FaultOrders, reports: readonly PhaseReport[]): number {
  const rooms = orders[0]?.rooms?.group.count ?? 1;
  return Math.round((sumOf(reports, (one) => one.unsent) * bystanders.length) / rooms);
}

function slowest(mends: readonly MendReport[]): number | null {
  const known = mends.map(({ slowestUs }) => slowestUs).filter((us) => us !== null);
  return known.length === 0 ? null : Math.round(Math.max(...known) / 1000);
}

/** What no fault excuses: a bystander that gets other messages than were meant for it, or no service without a fault. */
function listChaosFindings(reports: readonly PhaseReport[], lostBefore: number): Finding[] {
  const counted: [kind: string, count: number, text: string][] = [
    ["lost-before", lostBefore, "# deliveries lost before the fault had struck"],
    ["duplicated", sumOf(reports, (one) => one.duplicated), "# deliveries came a second time"],
    [
      "reordered",
      sumOf(reports, (one) => one.reordered),
      "# deliveries came behind a later one of the same sender",
    ],
    [
      "corrupted",
      sumOf(reports, (one) => one.corrupted),
      "# deliveries came with other bytes than were sent",
    ],
    ["malformed", sumOf(reports, (one) => one.malformed), "# messages that are no ChaosChat message"],
    [
      "misrouted",
      sumOf(reports, (one) => one.misrouted),
      "# deliveries to a connection that they were not for",
    ],
  ];
  return counted
    .filter(([, count]) => count > 0)
    .map(([kind, count, text]) => ({ kind, count, text: text.replace("#", count.toLocaleString("en")) }));
}

/** Per worker over all faults: times add up, memory doesn't. */
function addUsage(reports: readonly PhaseReport[], workers: number): WorkerUsage[] {
  return Array.from({ length: workers }, (_, worker) => {
    const own = reports.filter((__, at) => at % workers === worker).map(({ usage }) => usage);
    return {
      cpuMs: sumOf(own, ({ cpuMs }) => cpuMs),
      rssBytes: Math.max(0, ...own.map(({ rssBytes }) => rssBytes)),
      loopDelay: mergeHistograms(own.map(({ loopDelay }) => loopDelay)).toSparse(),
    };
  });
}

function sumOf<T>(list: readonly T[], pick: (one: T) => number): number {
  return list.reduce((all, one) => all + pick(one), 0);
}

function mergeCounts(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const [reason, count] of parts.flatMap((part) => Object.entries(part))) {
    merged[reason] = (merged[reason] ?? 0) + count;
  }
  return merged;
}
