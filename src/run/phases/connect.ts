import { freemem, totalmem } from "node:os";
import { mergeFailures } from "../../engine/failure-tally.ts";
import type { ConnectReport } from "../../engine/worker-protocol.ts";
import { readKernelSockets } from "../../machine/kernel-sockets.ts";
import { splitExactly } from "../../plan/split.ts";
import type { ConnectPhase, Ending } from "../../result/phase.ts";
import type { Failures, Limit } from "../../result/reasons.ts";
import type { Environment } from "../../result/schema.ts";
import { mergeHistograms, type SparseHistogram, summarize } from "../../stats/histogram.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer } from "../../trust/server-usage.ts";
import { findBottleneck, invalidIfAny } from "../../trust/validity.ts";
import { ConnectMemoryWatch } from "./connect-memory.ts";
import {
  askAll,
  exitEnding,
  ok,
  poolEnding,
  type RoundContext,
  stopped,
  sumOf,
  thresholdEnding,
} from "./context.ts";
import { holdConnections } from "./hold.ts";
import { nameLimit } from "./limit.ts";
import { connectBatches } from "./orders.ts";

const pollMs = 100;
const viewIntervalMs = 250;
/** A server at its descriptor limit can't even answer /stats: this many descriptors are given back to it. */
const releasedAtLimit = 64;
/** Attempts that all fail, over all workers, before the rest is given up. */
const batchesOfPatience = 3;

/** Opens the plan's connections in batches, joins each to its room, and names what stopped them. */
export async function runConnect(context: RoundContext, environment: Environment): Promise<ConnectPhase> {
  const { plan, pool, watch, connections, clockUs, handicapShare } = context;
  const startedAt = new Date().toISOString();
  const socketsBefore = readKernelSockets();
  context.board.reset();
  await watch.begin();
  const memoryWatch = new ConnectMemoryWatch(context);
  const takeCpuUsage = context.generator.watchCpus(plan);
  const startUs = clockUs();
  const connecting = askAll(pool, pool.connect(connectBatches(plan)));
  await superviseConnecting(context, connecting, startUs);
  const reports = await connecting;
  const elapsedMs = (clockUs() - startUs) / 1000;
  const usage = takeCpuUsage();
  const memory = memoryWatch.describe();
  await watch.end();

  const opened = sumOf(reports, (one) => one.opened);
  const failures = listFailures(reports);
  const limit = findLimit(context, environment, {
    opened,
    failures,
    overflowsBefore: socketsBefore.listenOverflows,
  });
  connections.update(reports.map(({ alive }) => alive));
  if (limit?.kind === "server-descriptors") await giveBack(context);

  const spanUs = spanOf(reports);
  const server = describeServer(watch.figures(0), null, handicapShare);
  const generator = describeGenerator(
    reports.map((report) => report.usage),
    elapsedMs,
    plan,
    { usage, serverCpuMs: server.cpuMs },
  );
  // How many connections a server holds does not hang on how fast they are opened.
  const doubt = findBottleneck({ plan, generator, serverCpuMs: null, spanMs: spanUs / 1000 });
  const judged = judgeConnecting(context, reports, failures);
  // Given back by us, not closed by the server.
  const released = sumOf(reports, (one) => one.open) - connections.alive.length;
  const held = judged.status === "ok" && plan.holdSeconds > 0 ? await holdConnections(context) : null;
  const ending = held?.ending ?? judged;
  const open = connections.alive.length + released;
  const summary = (pick: (report: ConnectReport) => SparseHistogram) =>
    summarize(mergeHistograms(reports.map(pick)));
  const handshakes = reports.flatMap(({ tls }) => tls ?? []);
  return {
    kind: "connect",
    workload: null,
    ...invalidIfAny(ending, doubt),
    startedAt,
    durationMs: Math.round((clockUs() - startUs) / 1000),
    server,
    generator,
    connections: {
      requested: plan.connections,
      opened,
      open,
      failed: plan.connections - opened,
      failures,
      died: opened - open,
      deaths: mergeFailures([
        ...reports.map(({ deaths }) => deaths),
        ...(held?.hold.sweeps ?? []).map(({ deaths }) => deaths),
      ]),
    },
    limit,
    connectionsPerSecond: spanUs > 0 ? Math.round((opened * 1e7) / spanUs) / 10 : 0,
    memory: { ...memory, generator: generatorMemory(reports) },
    tcpUs: summary(({ tcp }) => tcp),
    ...(handshakes.length === 0 ? {} : { tlsUs: summarize(mergeHistograms(handshakes)) }),
    upgradeUs: summary(({ upgrade }) => upgrade),
    joinUs: summary(({ join }) => join),
    ...(held === null ? {} : { hold: held.hold }),
    findings: [
      ...(ending.reason?.kind !== "server-exited" && limit !== null
        ? [{ kind: "limit" as const, count: plan.connections - opened, limit }]
        : []),
      ...(held?.findings ?? []),
    ],
  };
}

function generatorMemory(reports: readonly ConnectReport[]) {
  return {
    idleRssBytes: sumOf(reports, ({ idleRssBytes }) => idleRssBytes),
    rssBytes: sumOf(reports, ({ usage }) => usage.rssBytes),
  };
}

function listFailures(reports: readonly ConnectReport[]): Failures {
  const count = sumOf(reports, (one) => one.notAttempted);
  const notAttempted: Failures = count > 0 ? [{ failure: { kind: "not-attempted" }, count }] : [];
  return mergeFailures([...reports.map((report) => report.failures), notAttempted]);
}

function findLimit(
  { plan, watch, sourceAddresses }: RoundContext,
  environment: Environment,
  seen: { readonly opened: number; readonly failures: Failures; readonly overflowsBefore: number | null },
): Limit | null {
  const { openDescriptors = null, descriptorLimit = null } = watch.latest() ?? {};
  const { listenOverflows } = readKernelSockets();
  return nameLimit({
    requested: plan.connections,
    opened: seen.opened,
    failures: seen.failures,
    serverDescriptors: { open: openDescriptors, limit: descriptorLimit },
    generatorDescriptorLimit: environment.descriptorLimit.soft,
    workers: plan.workers,
    portRange: environment.portRange,
    sourceAddresses: Math.max(1, sourceAddresses),
    listenOverflows:
      listenOverflows === null || seen.overflowsBefore === null
        ? null
        : listenOverflows - seen.overflowsBefore,
    acceptQueueLimit: Number(environment.sysctls["net.core.somaxconn"] ?? Number.NaN) || null,
    freeMemoryShare: freemem() / totalmem(),
  });
}

/** From the first attempt to the last that succeeded, in microseconds; 0 where there was none. */
function spanOf(reports: readonly ConnectReport[]): number {
  const starts = reports.flatMap((one) => one.firstAttemptUs ?? []);
  const ends = reports.flatMap((one) => one.lastOpenedUs ?? []);
  return starts.length === 0 || ends.length === 0 ? 0 : Math.max(0, Math.max(...ends) - Math.min(...starts));
}

/** Watches the attempts; gives up the rest when the server has no descriptors left or nothing opens any more. */
async function superviseConnecting(
  context: RoundContext,
  connecting: Promise<unknown>,
  startUs: number,
): Promise<void> {
  const { plan, pool, board, target, watch, signal, clockUs, onView } = context;
  let isOver = false;
  const over = connecting.finally(() => {
    isOver = true;
  });
  over.catch(() => {});
  let gaveUp = false;
  let openedBefore = 0;
  let viewedUs = startUs;
  for (;;) {
    await Promise.race([Bun.sleep(pollMs), over]);
    if (isOver) return;
    const now = clockUs();
    const totals = board.connectTotals();
    if (now - viewedUs >= viewIntervalMs * 1000) {
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
    if (gaveUp) continue;
    const { openDescriptors = null, descriptorLimit = null } = watch.latest() ?? {};
    const atLimit =
      openDescriptors !== null && descriptorLimit !== null && openDescriptors >= descriptorLimit - 1;
    // One full look: descriptors are taken at accept, a little before the connection is open.
    const isStuck = atLimit && now - viewedUs > 0 && totals.opened === openedBefore && totals.opened > 0;
    gaveUp = signal.aborted || exitEnding(target) !== null || isStuck || isHopeless(context);
    if (gaveUp && pool.failed === null) pool.stopConnecting();
  }
}

function isHopeless({ plan, board }: RoundContext): boolean {
  const { failing, failedInARow, failed } = board.connectTotals();
  return (failing && failedInARow >= batchesOfPatience * plan.connectBatch) || failed > plan.errorThreshold;
}

function judgeConnecting(
  { pool, target, plan, signal }: RoundContext,
  reports: readonly ConnectReport[],
  failures: Failures,
): Ending {
  const opened = sumOf(reports, (one) => one.opened);
  const early =
    poolEnding(pool) ??
    exitEnding(target, opened) ??
    (signal.aborted ? stopped : null) ??
    thresholdEnding(
      sumOf(reports, (one) => one.failed),
      plan,
    );
  if (early !== null) return early;
  if (opened === 0) {
    const failure = failures.find((one) => one.failure.kind !== "not-attempted")?.failure ?? null;
    return { status: "failed", reason: { kind: "no-connection-opened", failure } };
  }
  const open = sumOf(reports, (one) => one.open);
  return open === 0 ? { status: "failed", reason: { kind: "all-connections-closed" } } : ok;
}

/** So that what follows measures the server and not its struggle for descriptors. */
async function giveBack({ pool, plan, connections }: RoundContext): Promise<void> {
  const count = Math.min(releasedAtLimit, Math.floor(connections.alive.length / 2));
  connections.update(await askAll(pool, pool.release(splitExactly(count, plan.workers))));
}
