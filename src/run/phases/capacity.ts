import { mergeFailures } from "../../engine/failure-tally.ts";
import type { Plan } from "../../plan/plan.ts";
import type { CapacityPhase, Ending } from "../../result/phase.ts";
import type { Finding } from "../../result/reasons.ts";
import { concludeSearch, nextRate } from "./capacity-search.ts";
import { judgeStep, type MeasuredStep } from "./capacity-step.ts";
import { ok, type RoundContext, stopped, sumOf } from "./context.ts";
import { keepWhole, type LoadView, measureLoad } from "./message-phase.ts";
import { deliveriesPerSend, type LoadPlan, orderSteady } from "./orders.ts";
import { settle } from "./settling.ts";

/** Searches for the highest rate that the server sustains: one open-loop load for each step. */
export async function runCapacity(context: RoundContext, { workload }: LoadPlan): Promise<CapacityPhase> {
  const { plan, clockUs, connections, target } = context;
  const { capacityStepSeconds: seconds, capacityStartRatePerSecond: startRatePerSecond } = plan;
  const open = connections.alive.length;
  const startedAt = new Date().toISOString();
  const startUs = clockUs();
  const hasCounters = ((await target.counters?.read()) ?? null) !== null;
  const steps: MeasuredStep[] = [];
  let ending: Ending | null = null;
  while (ending === null) {
    const { alive } = connections;
    const grainPerSecond = deliveriesPerSend(plan, alive, workload) / seconds;
    const searched = searchedOf(steps);
    const ratePerSecond = nextRate(searched, { startRatePerSecond, grainPerSecond });
    if (ratePerSecond === null) break;
    const scene = { plan, alive, phase: connections.nextPhase() };
    const load = orderSteady(scene, workload, { ratePerSecond, seconds });
    const step = {
      number: steps.length + 1,
      ratePerSecond,
      highestSustainedPerSecond: concludeSearch(searched).sustainedPerSecond,
    };
    const measured = await measureLoad(context, load, (view) => ({
      kind: "capacity",
      workload,
      ...addUp(steps, view),
      elapsedMs: (clockUs() - startUs) / 1000,
      step,
    }));
    const { plannedDeliveries } = load;
    steps.push(judgeStep(measured, { askedPerSecond: ratePerSecond, plannedDeliveries, plan }));
    ending = endAfter(measured.ending, context) ?? (await settle(context, hasCounters));
  }
  return describeSearch(steps, {
    workload,
    plan,
    ending,
    startedAt,
    open,
    durationMs: Math.round((clockUs() - startUs) / 1000),
  });
}

function searchedOf(steps: readonly MeasuredStep[]) {
  return steps.map(({ askedPerSecond, step }) => ({ ratePerSecond: askedPerSecond, outcome: step.outcome }));
}

/** What ends the search before its time; null when it goes on. */
function endAfter(ending: Ending, { signal, connections }: RoundContext): Ending | null {
  if (signal.aborted) return stopped;
  if (ending.status === "failed" || ending.status === "invalid") return ending;
  return connections.alive.length > 0
    ? null
    : { status: "failed", reason: { kind: "all-connections-closed" } };
}

/** Deliveries of all steps, so that what a viewer sees only grows. */
function addUp(steps: readonly MeasuredStep[], view: LoadView): LoadView {
  const before = sumOf(steps, ({ measured }) => measured.figures.messages.delivered);
  return { ...view, done: before + view.done, total: before + view.total };
}

interface Search extends Pick<CapacityPhase, "workload" | "startedAt" | "durationMs"> {
  readonly plan: Plan;
  /** Why it was not searched to its end; null when it was. */
  readonly ending: Ending | null;
  /** Connections at its start. */
  readonly open: number;
}

/** The phase as the rate sustained shows it; one that was not searched to its end has no throughput. */
function describeSearch(steps: readonly MeasuredStep[], search: Search): CapacityPhase {
  const { workload, startedAt, durationMs, plan, open } = search;
  const { sustainedPerSecond, isLowerBound } = concludeSearch(searchedOf(steps));
  const best = steps.findLast(
    ({ askedPerSecond, step }) => step.outcome === "sustained" && askedPerSecond === sustainedPerSecond,
  );
  const nothingKnown: Ending =
    isLowerBound && best === undefined ? { status: "invalid", reason: { kind: "no-valid-step" } } : ok;
  const ending = search.ending ?? nothingKnown;
  const shown = (best ?? steps.at(-1))?.measured;
  if (shown === undefined) throw new Error("a search has at least one step");
  // A rate that was not sustained is no throughput.
  const { receiversUs: _, ...figures } =
    best === undefined
      ? { ...shown.figures, throughput: null, rate: null }
      : keepWhole(shown.figures, ending);
  const died = sumOf(steps, ({ measured }) => measured.figures.connections.died);
  const failures = mergeFailures(steps.map(({ measured }) => measured.figures.connections.failures));
  const { findings, findingRates } = collectFindings(steps);
  return {
    kind: "capacity",
    workload,
    ...ending,
    startedAt,
    durationMs,
    server: shown.server,
    generator: shown.generator,
    ...figures,
    connections: { open, died, failures },
    capacity: {
      ratePerSecond: best?.step.ratePerSecond ?? null,
      isLowerBound,
      p99LimitMs: plan.p99LimitMs,
      ...(best === undefined ? { perCpu: null, perCpuSecond: null } : measureYield(best, plan)),
      steps: steps.map(({ step }) => step),
      findingRates,
    },
    findings,
  };
}

/** What the rate is per CPU that the server may use, and per second of CPU time that it used. */
function measureYield(
  { measured, step }: MeasuredStep,
  { serverCpus }: Plan,
): Pick<CapacityPhase["capacity"], "perCpu" | "perCpuSecond"> {
  const { cpuMs } = measured.server;
  const { delivered } = measured.figures.messages;
  return {
    perCpu: serverCpus === null ? null : Math.round((step.ratePerSecond * 10) / serverCpus.length) / 10,
    perCpuSecond: cpuMs === null || cpuMs <= 0 ? null : Math.round((delivered * 1000) / cpuMs),
  };
}

/** The worst step's of each kind. A stall is no finding here: whether it matters is what the limit of latency says. */
function collectFindings(steps: readonly MeasuredStep[]): {
  readonly findings: Finding[];
  readonly findingRates: CapacityPhase["capacity"]["findingRates"];
} {
  const found = steps.flatMap(({ measured, step }) =>
    measured.figures.findings
      .filter(({ kind }) => kind !== "stall")
      .map((finding) => ({ finding, ratePerSecond: step.ratePerSecond })),
  );
  const worst = [...Map.groupBy(found, ({ finding }) => finding.kind).values()].map((all) =>
    all.reduce((most, one) => (one.finding.count > most.finding.count ? one : most)),
  );
  return {
    findings: worst.map(({ finding }) => finding),
    findingRates: Object.fromEntries(
      worst.map(({ finding, ratePerSecond }) => [finding.kind, ratePerSecond]),
    ),
  };
}
