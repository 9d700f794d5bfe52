import type { PhaseReport } from "../../engine/worker-protocol.ts";
import { type CpuUsage, watchCpuUsage } from "../../machine/cpu-usage.ts";
import type {
  BurstPhase,
  Ending,
  EndurancePhase,
  GeneratorFigures,
  ServerFigures,
} from "../../result/phase.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer, watchServerUsage } from "../../trust/server-usage.ts";
import { findBottleneck, findLateness, findServerContention, invalidIfAny } from "../../trust/validity.ts";
import type { PhaseView } from "../events.ts";
import { askAll, exitEnding, ok, poolEnding, type RoundContext, thresholdEnding } from "./context.ts";
import { describeLoad, type LoadFigures } from "./load-figures.ts";
import { type LoadState, observeLoad } from "./observe-load.ts";
import { type Load, type LoadPlan, orderBurst, orderEndurance } from "./orders.ts";
import { compareCounters } from "./server-counters.ts";

/** Time for the start to reach every worker; all of them are ready by then. */
const leadUs = 50_000;
const answerTimeoutMs = 2000;
const stragglerMs = 50;
/** A phase that trickles on is ended after this. */
const longestPhaseMs = 300_000;

/** What a load showed, before anyone asks whether it was the server that was measured. */
export interface Measured {
  readonly ending: Ending;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly figures: LoadFigures;
  readonly server: ServerFigures;
  readonly generator: GeneratorFigures;
  /** Delivered before the load's planned end. */
  readonly deliveredInTime: number;
  /** From the first send to the last delivery; 0 when there was none. */
  readonly spanMs: number;
}

/** A burst or an endurance phase: one load, and whether its figures count. */
export async function runMessagePhase(
  context: RoundContext,
  { kind, workload }: LoadPlan & { readonly kind: "burst" | "endurance" },
): Promise<BurstPhase | EndurancePhase> {
  const { plan, connections } = context;
  const scene = { plan, alive: connections.alive, phase: connections.nextPhase() };
  const load = (kind === "burst" ? orderBurst : orderEndurance)(scene, workload);
  const measured = await measureLoad(context, load, (view) => ({ kind, workload, ...view }));
  const { figures, server, generator, spanMs, startedAt, durationMs } = measured;
  const limited =
    kind === "endurance"
      ? findLateness({
          plan,
          sendLagP99Us: figures.sendLagUs.p99,
          latencyP99Us: figures.latencyUs.p99,
        })
      : findBottleneck({ plan, generator, serverCpuMs: server.cpuMs, spanMs });
  const ending = invalidIfAny(measured.ending, findServerContention({ plan, server, spanMs }), limited);
  const phase = {
    workload,
    ...ending,
    startedAt,
    durationMs,
    server,
    generator,
    ...keepWhole(figures, ending),
  };
  const { receiversUs, rate, ...common } = phase;
  return kind === "burst" ? { kind, ...common, receiversUs } : { kind, ...common, rate };
}

/** Aborted, failed and invalid phases have no throughput: a part of the work is not the work. */
export function keepWhole(figures: LoadFigures, { status }: Ending): LoadFigures {
  return status === "ok" ? figures : { ...figures, throughput: null, rate: null };
}

/** Where a load is; whose phase it belongs to, only the phase knows. */
export type LoadView = Omit<PhaseView, "kind" | "workload">;

/** Runs one load from the first send to the last delivery, and settles its account. */
export async function measureLoad(
  context: RoundContext,
  load: Load,
  describeView: (view: LoadView) => PhaseView,
): Promise<Measured> {
  const { pool, board, target, watch, plan, clockUs, connections } = context;
  const startedAt = new Date().toISOString();
  const open = connections.alive.length;
  board.reset(load.seconds ?? undefined);
  await watch.begin();
  // All that takes time comes before the start that everyone keeps: workers prepare, the server answers.
  await askAll(
    pool,
    pool.prepare(load.orders).then(() => []),
  );
  const countersBefore = (await target.counters?.read()) ?? null;
  const startUs = Math.ceil(clockUs()) + leadUs;
  watch.drawInto(board.timeline, startUs);
  if (pool.failed === null) pool.start(startUs);
  // Until then the workers spin, which would be taken for the work of others.
  await Bun.sleep(Math.max(0, (startUs - clockUs()) / 1000));
  const endWorkerUsage = watchCpuUsage(plan.workerCpus);
  const endServerUsage = watchServerUsage(plan);
  const reached = await observeLoad(context, {
    startUs,
    judge: (state) => judgeLoad(context, load, startUs, state),
    view: (state) => describeView(viewLoad(context, load, startUs, state)),
  });
  const elapsedMs = (clockUs() - startUs) / 1000;
  const usage = { workers: endWorkerUsage(), server: endServerUsage() };
  await watch.end();
  // What comes a second time comes behind what everyone waited for.
  if (reached.status === "ok") await Bun.sleep(stragglerMs);

  const reports = await askAll(pool, pool.failed === null ? pool.settle() : Promise.resolve([]));
  for (const [worker, report] of reports.entries()) board.notePhase(worker, report);
  connections.update(reports.map(({ alive }) => alive));
  const isGone = target.process !== null && target.process.exit !== null;
  const countersAfter = isGone ? null : ((await target.counters?.read()) ?? null);
  const figures = describeLoad({
    load,
    open,
    reports,
    board,
    // Of a server that is gone nobody expects an answer.
    counters: target.counters === null || isGone ? null : compareCounters(countersBefore, countersAfter),
  });
  // Short loads are over before anyone has counted their errors: only the settled account knows them.
  const errors = reports.reduce((all, one) => all + one.errors, 0);
  const counted = reached.status === "ok" ? thresholdEnding(errors, plan) : null;
  return {
    ending: poolEnding(pool) ?? counted ?? reached,
    startedAt,
    durationMs: Math.round(elapsedMs),
    figures,
    ...describeUsage(context, { reports, elapsedMs, usage, figures }),
    deliveredInTime: board.deliveredInTime,
    spanMs: figures.throughput?.spanMs ?? 0,
  };
}

function describeUsage(
  { watch, idleRssBytes, handicapShare, plan, connections }: RoundContext,
  {
    reports,
    elapsedMs,
    usage,
    figures,
  }: {
    readonly reports: readonly PhaseReport[];
    readonly elapsedMs: number;
    readonly usage: { readonly workers: CpuUsage | null; readonly server: CpuUsage | null };
    readonly figures: LoadFigures;
  },
): Pick<Measured, "server" | "generator"> {
  const own = watch.figures(connections.alive.length, figures.messages.delivered, idleRssBytes);
  const server = describeServer(own, usage.server, handicapShare);
  const seen = { usage: usage.workers, serverCpuMs: server.cpuMs };
  const usages = reports.map((report) => report.usage);
  return { server, generator: describeGenerator(usages, elapsedMs, plan, seen) };
}

/** Whether everything owed has arrived, or it is clear that it won't. */
async function judgeLoad(
  { plan, target, signal }: RoundContext,
  { seconds }: Load,
  startUs: number,
  state: LoadState,
): Promise<Ending | null> {
  const { nowUs, delivered, expected, errors, finishedSending, quietMs, silentMs } = state;
  if (finishedSending && delivered >= expected) return ok;
  if (signal.aborted) return null;
  const ended = exitEnding(target) ?? thresholdEnding(errors, plan);
  if (ended !== null) return ended;
  if (quietMs >= plan.timeouts.quietMs) {
    // A server that has gone quiet and still answers has lost messages, and is not hung.
    if (finishedSending && (await stillAnswers(target))) return ok;
    if (silentMs >= plan.timeouts.quietMs) {
      const missing = expected - delivered;
      return { status: "failed", reason: { kind: "server-hung", quietMs: plan.timeouts.quietMs, missing } };
    }
  }
  const afterMs = Math.round((nowUs - startUs) / 1000);
  return afterMs > longestPhaseMs + (seconds ?? 0) * 1000
    ? { status: "aborted", reason: { kind: "server-busy", afterMs } }
    : null;
}

async function stillAnswers({ counters }: RoundContext["target"]): Promise<boolean> {
  return counters === null || (await counters.read(answerTimeoutMs)) !== null;
}

function viewLoad(
  { board }: RoundContext,
  { plannedDeliveries }: Load,
  startUs: number,
  { nowUs, delivered, errors }: LoadState,
): LoadView {
  const { delivered: ratePerSecond, p50Us, p99Us } = board.latest();
  return {
    elapsedMs: Math.max(0, (nowUs - startUs) / 1000),
    done: delivered,
    total: plannedDeliveries,
    ratePerSecond,
    p50Us,
    p99Us,
    errors,
  };
}
