import type { PhaseReport } from "../../engine/worker-protocol.ts";
import type { CpuUsage } from "../../machine/cpu-usage.ts";
import type { Ending } from "../../result/phase.ts";
import { watchServerUsage } from "../../trust/server-usage.ts";
import type { PhaseView } from "../events.ts";
import { askAll, exitEnding, ok, type RoundContext, tellAll, thresholdEnding } from "./context.ts";
import { type LoadState, observeLoad } from "./observe-load.ts";
import type { Load } from "./orders.ts";
import { type Times, timesBetween } from "./server-watch.ts";

const answerTimeoutMs = 2000;
const msPerFurtherWorker = 10;

/** How a load is begun, watched and ended. */
export interface Pace {
  /** Time for the start to reach every worker; all of them are ready by then. */
  readonly leadMs: number;
  /** Whether everybody has to keep the start, wherever they are. */
  readonly isCommon: boolean;
  readonly pollMs: number;
  /** What comes a second time comes behind what everyone waited for. */
  readonly stragglerMs: number;
  /** A load that trickles on is ended after this, beside its own time. */
  readonly longestMs: number;
}

/** Nothing is short in a load of seconds and minutes. */
export const blockPace: Pace = {
  leadMs: 50,
  isCommon: true,
  pollMs: 20,
  stragglerMs: 50,
  longestMs: 300_000,
};

/** Where milliseconds count: nobody else has load in between. */
export const shortPace: Pace = { ...blockPace, leadMs: 5, isCommon: false, pollMs: 3, stragglerMs: 4 };

export interface Offer {
  readonly load: Load;
  readonly pace: Pace;
  /** What counts towards the error threshold from earlier parts of the phase. */
  readonly errorsBefore: number;
  readonly view: (state: LoadState, startUs: number) => PhaseView;
  /** The start everyone keeps is known. */
  readonly onStart?: (startUs: number) => void;
}

/** A load that was offered, from the first send to what came last. */
export interface Offered {
  readonly ending: Ending;
  readonly elapsedMs: number;
  /** One per worker; none where a worker is gone. */
  readonly reports: readonly PhaseReport[];
  /** Of the CPUs of the workers and of the server, whoever used them. */
  readonly usage: { readonly workers: CpuUsage | null; readonly server: CpuUsage | null };
  /** The server's own in the same time. */
  readonly serverTimes: Times;
}

/** All that takes time comes before the start: workers prepare. What arrives from then on is counted. */
export async function prepareLoad({ pool, board }: RoundContext, { orders, seconds }: Load): Promise<void> {
  board.reset(seconds ?? undefined);
  await tellAll(pool, pool.prepare(orders));
}

/** Begins the prepared load, waits for the end of what it causes, and takes everybody's account of it. */
export async function offerLoad(context: RoundContext, offer: Offer): Promise<Offered> {
  const { pool, board, plan, generator, clockUs, connections, watch, target } = context;
  const { pace } = offer;
  const leadMs = pace.isCommon ? Math.max(pace.leadMs, generator.leadMs) : pace.leadMs;
  const startUs = Math.ceil(clockUs()) + (leadMs + crowdMs(plan)) * 1000;
  offer.onStart?.(startUs);
  if (pool.failed === null) pool.start(startUs);
  // Until then the workers spin, which would be taken for the work of others.
  await Bun.sleep(Math.max(0, (startUs - clockUs()) / 1000));
  const endWorkerUsage = generator.watchCpus(plan);
  const endServerUsage = watchServerUsage(plan);
  const before = await watch.take();
  const reached = await observeLoad(context, {
    startUs,
    pollMs: pace.pollMs,
    judge: (state) => judgeLoad(context, offer, startUs, state),
    view: (state) => offer.view(state, startUs),
  });
  const elapsedMs = (clockUs() - startUs) / 1000;
  const usage = { workers: endWorkerUsage(), server: endServerUsage() };
  const after = await watch.take();
  if (reached.status === "ok") await Bun.sleep(pace.stragglerMs);
  const reports = await askAll(pool, pool.failed === null ? pool.settle() : Promise.resolve([]));
  for (const [worker, report] of reports.entries()) board.notePhase(worker, report);
  connections.update(reports.map(({ alive }) => alive));
  // Of a server that is nobody's child this is all that tells its end.
  const isGone = target.process === null && reports.length > 0 && connections.alive.length === 0;
  const gone: Ending = { status: "failed", reason: { kind: "all-connections-closed" } };
  const ending = isGone ? gone : reached;
  return { ending, elapsedMs, reports, usage, serverTimes: timesBetween(before, after) };
}

/** Workers that share CPUs sleep longer at a time, and hear of a start one after another. */
function crowdMs({ workers, workerCpus }: RoundContext["plan"]): number {
  return msPerFurtherWorker * Math.max(0, workers - (workerCpus?.length ?? workers));
}

/** Whether everything owed has arrived, or it is clear that it won't. */
async function judgeLoad(
  { plan, target, signal }: RoundContext,
  { load, pace, errorsBefore }: Offer,
  startUs: number,
  state: LoadState,
): Promise<Ending | null> {
  const { nowUs, delivered, expected, errors, finishedSending, quietMs, silentMs, stoodStillMs } = state;
  if (finishedSending && delivered >= expected) return ok;
  if (signal.aborted) return null;
  const ended = exitEnding(target) ?? thresholdEnding(errorsBefore + errors, plan);
  if (ended !== null) return ended;
  if (quietMs >= plan.timeouts.quietMs) {
    // A server that has gone quiet and still answers has lost messages, and is not hung.
    if (finishedSending && (await stillAnswers(target))) return ok;
    if (silentMs >= plan.timeouts.quietMs) {
      const missing = expected - delivered;
      return { status: "failed", reason: { kind: "server-hung", quietMs: plan.timeouts.quietMs, missing } };
    }
  }
  const afterMs = Math.round((nowUs - startUs) / 1000 - stoodStillMs);
  return afterMs > pace.longestMs + (load.seconds ?? 0) * 1000
    ? { status: "aborted", reason: { kind: "server-busy", afterMs } }
    : null;
}

async function stillAnswers({ counters }: RoundContext["target"]): Promise<boolean> {
  return counters === null || (await counters.read(answerTimeoutMs)) !== null;
}
