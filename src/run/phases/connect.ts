import { freemem, totalmem } from "node:os";
import type { ConnectReport } from "../../engine/worker-protocol.ts";
import { watchCpuUsage } from "../../machine/cpu-usage.ts";
import { readKernelSockets } from "../../machine/kernel-sockets.ts";
import { splitExactly } from "../../plan/split.ts";
import { describeExit } from "../../process/server.ts";
import type { Environment, Phase } from "../../result/schema.ts";
import { mergeHistograms, summarize } from "../../stats/histogram.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer } from "../../trust/server-usage.ts";
import { findBottleneck, voidIfAny } from "../../trust/validity.ts";
import { emptyPhase, type RoundContext } from "./context.ts";
import { nameLimit } from "./limit.ts";

const pollMs = 100;
/** A server at its descriptor limit can't even answer /stats: this many descriptors are given back to it. */
const releasedAtLimit = 64;
/** Attempts that all fail, over all workers, before the rest is given up. */
const batchesOfPatience = 3;

/** Opens the plan's connections in batches, joins each to its room, and names what stopped them. */
export async function runConnect(context: RoundContext, environment: Environment): Promise<Phase> {
  const { plan, pool, watch, server, clockUs } = context;
  const phase = emptyPhase("connect", null);
  const startUs = clockUs();
  const socketsBefore = readKernelSockets();

  context.board.reset();
  await watch.begin();
  const takeCpuUsage = watchCpuUsage(plan.workerCpus);
  const connecting = pool.connect(splitExactly(Math.max(plan.connectBatch, plan.workers), plan.workers));
  const gaveUp = await superviseConnecting(context, connecting, startUs);
  const reports = await connecting;
  const elapsedMs = (clockUs() - startUs) / 1000;
  const usage = takeCpuUsage();
  await watch.end();
  const atEnd = await watch.take();

  const sum = (pick: (report: ConnectReport) => number) => reports.reduce((all, one) => all + pick(one), 0);
  const opened = sum((one) => one.opened);
  const failedByReason = mergeCounts(reports.map((one) => one.failedByReason));
  const attemptsFailed = sum((one) => one.failed);
  const notAttempted = sum((one) => one.notAttempted);
  if (notAttempted > 0) failedByReason["not attempted after the limit was reached"] = notAttempted;
  const socketsAfter = readKernelSockets();
  const limit = nameLimit({
    requested: plan.connections,
    opened,
    failedByReason,
    serverDescriptors: { open: atEnd.openDescriptors, limit: atEnd.descriptorLimit },
    generatorDescriptorLimit: environment.descriptorLimit.soft,
    workers: plan.workers,
    portRange: environment.portRange,
    sourceAddresses: Math.max(1, context.sourceAddresses),
    listenOverflows: difference(socketsAfter.listenOverflows, socketsBefore.listenOverflows),
    acceptQueueLimit: Number(environment.sysctls["net.core.somaxconn"] ?? Number.NaN) || null,
    freeMemoryShare: freemem() / totalmem(),
  });

  context.alive = reports.flatMap(({ alive }) => alive).sort((a, b) => a - b);
  if (limit?.name === "server-descriptors") await giveBack(context);

  const firstUs = Math.min(...reports.map((one) => one.firstAttemptUs ?? Number.POSITIVE_INFINITY));
  const lastUs = Math.max(...reports.map((one) => one.lastOpenedUs ?? 0));
  const serverFigures = describeServer(context, { connections: opened, delivered: 0, usage: null });
  const generator = describeGenerator(
    reports.map((report) => report.usage),
    elapsedMs,
    plan,
    { usage, serverCpuMs: serverFigures.cpuMs },
  );
  // How many connections a server holds does not hang on how fast they are opened.
  const spanMs = lastUs > firstUs ? (lastUs - firstUs) / 1000 : 0;
  const guilt = findBottleneck({ plan, generator, serverCpuMs: null, spanMs });
  return {
    ...phase,
    ...voidIfAny(ending(context, opened, attemptsFailed, gaveUp), guilt),
    durationMs: Math.round(elapsedMs),
    connections: {
      requested: plan.connections,
      opened,
      failed: plan.connections - opened,
      failedByReason,
      died: 0,
    },
    limit,
    connect: {
      connectionsPerSecond: lastUs > firstUs ? Math.round((opened * 1e7) / (lastUs - firstUs)) / 10 : 0,
      tcpUs: summarize(mergeHistograms(reports.map(({ tcp }) => tcp))),
      upgradeUs: summarize(mergeHistograms(reports.map(({ upgrade }) => upgrade))),
      joinUs: summarize(mergeHistograms(reports.map(({ join }) => join))),
    },
    server: { ...serverFigures, descriptorLimit: atEnd.descriptorLimit },
    generator,
    findings:
      server.exit === null && limit !== null
        ? [{ kind: "limit", count: plan.connections - opened, text: limit.text }]
        : [],
  };
}

/** Watches the attempts; gives up the rest when the server has no descriptors left or nothing opens any more. */
async function superviseConnecting(
  context: RoundContext,
  connecting: Promise<unknown>,
  startUs: number,
): Promise<"aborted" | "stuck" | null> {
  const { plan, pool, board, server, watch, signal, clockUs, onView } = context;
  let isOver = false;
  const over = connecting.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  let gaveUp: "aborted" | "stuck" | null = null;
  let openedBefore = 0;
  let viewedUs = startUs;
  for (;;) {
    await Promise.race([Bun.sleep(pollMs), over]);
    if (isOver) return gaveUp;
    const now = clockUs();
    const totals = board.connectTotals();
    if (now - viewedUs >= 250_000) {
      const ratePerSecond = Math.round(((totals.opened - openedBefore) * 1e6) / (now - viewedUs));
      openedBefore = totals.opened;
      viewedUs = now;
      onView({
        kind: "connect",
        workload: null,
        elapsedMs: (now - startUs) / 1000,
        done: totals.opened,
        total: plan.connections,
        ratePerSecond,
        p50Us: null,
        p99Us: null,
        errors: totals.failed,
      });
    }
    if (gaveUp !== null) continue;
    const { openDescriptors = null, descriptorLimit = null } = watch.latest() ?? {};
    const atLimit =
      openDescriptors !== null && descriptorLimit !== null && openDescriptors >= descriptorLimit - 1;
    // One full look: descriptors are taken at accept, a little before the connection is open.
    const stuck = atLimit && now - viewedUs > 0 && totals.opened === openedBefore && totals.opened > 0;
    if (signal.aborted) gaveUp = "aborted";
    else if (server.exit !== null || stuck || hopeless(context)) gaveUp = "stuck";
    if (gaveUp !== null) pool.stopConnecting();
  }
}

function hopeless({ plan, board }: RoundContext): boolean {
  const { failing, failedInARow, failed } = board.connectTotals();
  return (failing && failedInARow >= batchesOfPatience * plan.connectBatch) || failed > plan.errorThreshold;
}

function ending(
  { server, plan }: RoundContext,
  opened: number,
  attemptsFailed: number,
  gaveUp: "aborted" | "stuck" | null,
): Pick<Phase, "status" | "reason"> {
  if (server.exit !== null) {
    return {
      status: "failed",
      reason: `crashed: the server ${describeExit(server.exit)} at ${opened.toLocaleString("en")} connections`,
    };
  }
  if (gaveUp === "aborted") return { status: "aborted", reason: "stopped by the user" };
  if (attemptsFailed > plan.errorThreshold) {
    return {
      status: "aborted",
      reason: `${attemptsFailed.toLocaleString("en")} attempts failed, more than the ${plan.errorThreshold.toLocaleString("en")} errors allowed`,
    };
  }
  return opened === 0
    ? { status: "failed", reason: "no connection could be opened" }
    : { status: "ok", reason: null };
}

/** So that what follows measures the server and not its struggle for descriptors. */
async function giveBack(context: RoundContext): Promise<void> {
  const count = Math.min(releasedAtLimit, Math.floor(context.alive.length / 2));
  context.alive = await context.pool.release(splitExactly(count, context.plan.workers));
}

function mergeCounts(parts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const merged: Record<string, number> = {};
  for (const part of parts) {
    for (const [reason, count] of Object.entries(part)) merged[reason] = (merged[reason] ?? 0) + count;
  }
  return merged;
}

function difference(after: number | null, before: number | null): number | null {
  return after === null || before === null ? null : after - before;
}
