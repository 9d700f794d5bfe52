import { mergeFailures } from "../../engine/failure-tally.ts";
import type { Workload } from "../../plan/plan.ts";
import type {
  BurstPhase,
  Ending,
  EndurancePhase,
  GeneratorFigures,
  ServerFigures,
  SteadyPhase,
} from "../../result/phase.ts";
import type { Failures } from "../../result/reasons.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import { describeServer } from "../../trust/server-usage.ts";
import { findGeneratorLimit, findServerContention, invalidIfAny } from "../../trust/validity.ts";
import type { PhaseView } from "../events.ts";
import { describeAgentParts, findAgentLimit } from "./agent-parts.ts";
import { poolEnding, type RoundContext, sumOf, thresholdEnding } from "./context.ts";
import { describeLoad, describeRate, type LoadFigures } from "./load-figures.ts";
import type { LoadState } from "./observe-load.ts";
import { blockPace, type Offered, offerLoad, type Pace, prepareLoad } from "./offer-load.ts";
import { type Load, type LoadPlan, orderBurst, orderEndurance, orderSteady, type Scene } from "./orders.ts";
import { type CounterGrowth, describeCollector, growthSince } from "./server-counters.ts";

/** What a load showed, before anyone asks whether it was the server that was measured. */
export interface Measured {
  readonly ending: Ending;
  readonly startedAt: string;
  readonly durationMs: number;
  readonly figures: LoadFigures;
  readonly server: ServerFigures;
  readonly generator: GeneratorFigures;
  /** Of connections that died between the load before and this one's preparation. */
  readonly deathsBefore: Failures;
  /** Delivered before the load's planned end. */
  readonly deliveredInTime: number;
  /** From the first send to the last delivery; 0 when there was none. */
  readonly spanMs: number;
  /** Null where the server has no counters. */
  readonly counters: CounterGrowth | null;
}

type Kind = "burst" | "steady" | "endurance";

/** One load in one block, and whether its figures count. */
export async function runMessagePhase(
  context: RoundContext,
  { kind, workload }: LoadPlan & { readonly kind: Kind },
  pace = blockPace,
): Promise<BurstPhase | SteadyPhase | EndurancePhase> {
  const { plan, connections } = context;
  const load = orderLoad({ plan, alive: connections.alive, phase: connections.nextPhase() }, kind, workload);
  const measured = await measureLoad(context, load, (view) => ({ kind, workload, ...view }), { pace });
  const { figures, server, generator, spanMs, startedAt, durationMs } = measured;
  const ending = invalidIfAny(
    measured.ending,
    findServerContention({ plan, server, spanMs }),
    findGeneratorLimit(kind, { plan, generator, server, spanMs, ...figures }),
    findAgentLimit(
      (part, own) => findGeneratorLimit(kind, { ...part, plan: own, server, spanMs }),
      context,
      figures.agents ?? [],
    ),
  );
  const { receiversUs, rate, ...rest } = keepWhole(figures, ending);
  const phase = { workload, ...ending, startedAt, durationMs, server, generator, ...rest };
  if (kind === "burst") return { kind, ...phase, receiversUs };
  return kind === "steady"
    ? { kind, ...phase, rate }
    : { kind, ...phase, rate, ...pickCollections(measured.counters) };
}

function pickCollections(counters: CounterGrowth | null): Pick<EndurancePhase, "majorCollections"> {
  const count = counters?.kind === "known" ? counters.majorCollections : undefined;
  return count === undefined ? {} : { majorCollections: count };
}

function orderLoad(scene: Scene, kind: Kind, workload: Workload): Load {
  const { steadyRatePerSecond: ratePerSecond, slicedSeconds: seconds } = scene.plan;
  if (kind === "burst") return orderBurst(scene, workload);
  if (kind === "endurance") return orderEndurance(scene, workload);
  return orderSteady(scene, workload, { ratePerSecond, seconds });
}

/** Aborted, failed and invalid phases have no throughput: a part of the work is not the work. */
export function keepWhole(figures: LoadFigures, { status }: Ending): LoadFigures {
  return status === "ok" ? figures : { ...figures, throughput: null, rate: null };
}

/** Where a load is; whose phase it belongs to, only the phase knows. */
export type LoadView = Omit<PhaseView, "kind" | "workload">;

interface MeasureOptions {
  readonly pace?: Pace;
  /** What is waited for when everybody is ready; deaths meanwhile are the load's. */
  readonly pause?: () => Promise<void>;
}

/** Runs one load from the first send to the last delivery, and settles its account. */
export async function measureLoad(
  context: RoundContext,
  load: Load,
  describeView: (view: LoadView) => PhaseView,
  { pace = blockPace, pause }: MeasureOptions = {},
): Promise<Measured> {
  const { pool, board, target, watch, plan, generator, connections } = context;
  const startedAt = new Date().toISOString();
  const open = connections.alive.length;
  await watch.begin();
  await generator.fleet?.readClocks();
  await prepareLoad(context, load);
  // Before the start that everyone keeps too: a server may take its time to answer.
  const countersBefore = (await target.counters?.read()) ?? null;
  await pause?.();
  const offered = await offerLoad(context, {
    load,
    pace,
    errorsBefore: 0,
    view: (state, startUs) => describeView(viewLoad(context, load, startUs, state)),
    onStart: (startUs) => watch.drawInto(board.timeline, startUs),
  });
  await watch.end();
  const { ending: reached, reports, elapsedMs } = offered;
  await generator.fleet?.readClocks();
  const counters = target.counters === null ? null : await growthSince(context, countersBefore);
  const { latency, timeline, deliveredInTime } = board;
  const figures = describeLoad({
    open,
    parts: [reports],
    timed: [reports],
    latency,
    timeline: timeline.build(),
    rate: load.seconds === null ? null : describeRate(load.plannedDeliveries, deliveredInTime, load.seconds),
    counters,
    agents: describeAgentParts(context, offered),
    clockErrorUs: load.orders.some(({ rooms }) => rooms !== null) ? clockErrorOf(generator) : null,
  });
  // Short loads are over before anyone has counted their errors: only the settled account knows them.
  const errors = sumOf(reports, (one) => one.errors);
  const counted = reached.status === "ok" ? thresholdEnding(errors, plan) : null;
  return {
    ending: poolEnding(pool) ?? counted ?? reached,
    startedAt,
    durationMs: Math.round(elapsedMs),
    figures,
    ...describeUsage(context, offered, figures, counters),
    deathsBefore: mergeFailures(reports.map((one) => one.deathsBefore)),
    deliveredInTime,
    spanMs: figures.throughput?.spanMs ?? 0,
    counters,
  };
}

/** Between any two agents; null where there is one clock alone. */
function clockErrorOf({ fleet }: RoundContext["generator"]): number | null {
  return fleet === null || fleet.agents.length < 2 || fleet.clockErrorUs === 0 ? null : fleet.clockErrorUs;
}

function describeUsage(
  { watch, handicapShare, plan }: RoundContext,
  { reports, elapsedMs, usage }: Offered,
  figures: LoadFigures,
  counters: CounterGrowth | null,
): Pick<Measured, "server" | "generator"> {
  const own = watch.figures(figures.messages.delivered);
  const described = describeServer(own, usage.server, handicapShare);
  const server = { ...described, ...describeCollector(counters, own.cpuMs) };
  const seen = { usage: usage.workers, serverCpuMs: server.cpuMs };
  const usages = reports.map((report) => report.usage);
  return { server, generator: describeGenerator(usages, elapsedMs, plan, seen) };
}

export function viewLoad(
  { board }: RoundContext,
  { plannedDeliveries }: Pick<Load, "plannedDeliveries">,
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
