import type { PhasePlan, Plan, Workload } from "../../plan/plan.ts";
import { readStats } from "../../process/counters.ts";
import { describeExit } from "../../process/server.ts";
import type { Capacity, Finding, Phase } from "../../result/schema.ts";
import { concludeSearch, nextRate } from "./capacity-search.ts";
import { type CapacityStep, judgeStep } from "./capacity-step.ts";
import { emptyPhase, type PhaseView, type RoundContext } from "./context.ts";
import { runExchange } from "./exchange.ts";
import { deliveriesPerSend, orderSteady } from "./orders.ts";

/** A server whose counters stand still for this long has nothing left to do. */
const settledMs = 200;
const longestSettlingMs = 30_000;

type Ending = Pick<Phase, "status" | "reason">;

/** Searches for the highest rate that the server holds: one open-loop exchange for each step. */
export async function runCapacity(
  context: RoundContext,
  phase: PhasePlan & { readonly workload: Workload },
): Promise<Phase> {
  const { plan, clockUs } = context;
  const { capacityStepSeconds: seconds, capacityStartRatePerSecond: startRatePerSecond } = plan;
  const opened = context.alive.length;
  const startUs = clockUs();
  const { startedAt } = emptyPhase(phase.kind, phase.workload);
  const steps: CapacityStep[] = [];
  let ending: Ending | null = null;
  for (;;) {
    const grainPerSecond = deliveriesPerSend(context, phase.workload) / seconds;
    const searched = steps.map(({ askedPerSecond: ratePerSecond, verdict }) => ({ ratePerSecond, verdict }));
    const ratePerSecond = nextRate(searched, { startRatePerSecond, grainPerSecond });
    if (ratePerSecond === null) break;
    const exchange = orderSteady(context, phase, { ratePerSecond, seconds });
    const highest = concludeSearch(searched).heldPerSecond;
    const stepContext: RoundContext = {
      ...context,
      // The judge of a step asks itself whether it was the server that was measured.
      plan: { ...plan, validityRule: false },
      onView: (view) => {
        const elapsedMs = (clockUs() - startUs) / 1000;
        const step = { number: steps.length + 1, ratePerSecond, highestHeldPerSecond: highest };
        context.onView({ ...addUp(steps, view), elapsedMs, step });
      },
    };
    const measured = await runExchange(stepContext, exchange);
    context.alive = stepContext.alive;
    const { plannedDeliveries } = exchange;
    steps.push(judgeStep(measured, { askedPerSecond: ratePerSecond, plannedDeliveries, plan }));
    ending = endAfter(measured, context) ?? (await settle(context));
    if (ending !== null) break;
  }
  const search = describeSearch(steps, phase, { plan, ending });
  const died = steps.reduce((all, { phase }) => all + phase.connections.died, 0);
  const failedByReason = sumUp(steps.map(({ phase }) => phase.connections.failedByReason));
  return {
    ...search,
    startedAt,
    durationMs: Math.round((clockUs() - startUs) / 1000),
    connections: { requested: opened, opened, failed: 0, failedByReason, died },
  };
}

/** What ends the search before its time; null when it goes on. */
function endAfter({ status, reason }: Phase, { signal, alive }: RoundContext): Ending | null {
  if (signal.aborted) return { status: "aborted", reason: "stopped by the user" };
  if (status === "failed") return { status, reason };
  return alive.length === 0 ? { status: "failed", reason: "every connection was closed" } : null;
}

/** Deliveries of all steps, so that what a viewer sees only grows. */
function addUp(steps: readonly CapacityStep[], view: PhaseView): PhaseView {
  const before = steps.reduce((all, { phase }) => all + (phase.messages?.delivered ?? 0), 0);
  return { ...view, done: before + view.done, total: before + view.total };
}

/** Waits until the server has worked off what a step left in it, also what will never arrive here; null when it has. */
async function settle({ server, signal, clockUs }: RoundContext): Promise<Ending | null> {
  const untilUs = clockUs() + longestSettlingMs * 1000;
  let before: number | null = null;
  while (clockUs() < untilUs) {
    if (signal.aborted) return { status: "aborted", reason: "stopped by the user" };
    if (server.exit !== null) {
      return { status: "failed", reason: `crashed: the server ${describeExit(server.exit)} after a step` };
    }
    const stats = await readStats(server.host, server.port);
    const handled = stats === null ? null : stats.received + stats.sent + stats.dropped;
    if (handled !== null && handled === before) return null;
    before = handled;
    await Bun.sleep(settledMs);
  }
  return {
    status: "aborted",
    reason: `the server was still busy ${longestSettlingMs / 1000} s after a step, so that no other can be measured`,
  };
}

/** The phase as the rate held shows it; one that was not searched to its end has no throughput. */
function describeSearch(
  steps: readonly CapacityStep[],
  { kind, workload }: PhasePlan & { readonly workload: Workload },
  { plan, ending }: { readonly plan: Plan; readonly ending: Ending | null },
): Phase {
  const { heldPerSecond, isLowerBound } = concludeSearch(
    steps.map(({ askedPerSecond, verdict }) => ({ ratePerSecond: askedPerSecond, verdict })),
  );
  const best = steps.findLast(
    ({ askedPerSecond, verdict }) => verdict === "held" && askedPerSecond === heldPerSecond,
  );
  const last = steps.at(-1);
  const capacity: Capacity = {
    ratePerSecond: best?.shown.ratePerSecond ?? null,
    isLowerBound,
    p99LimitMs: plan.p99LimitMs,
    ...(best === undefined ? { perCore: null, perCpuSecond: null } : measureYield(best, plan)),
    steps: steps.map(({ shown }) => shown),
  };
  const nothingHeld: Ending =
    isLowerBound && best === undefined
      ? { status: "void", reason: `at no rate was it the server that was measured: ${last?.shown.reason}` }
      : { status: "ok", reason: null };
  const { status, reason } = ending ?? nothingHeld;
  const at = ending === null || last === undefined ? "" : ` (${count(last.shown.ratePerSecond)}/s offered)`;
  const isWhole = status === "ok" && best !== undefined;
  const shown = best?.phase ?? last?.phase ?? emptyPhase(kind, workload);
  return {
    ...shown,
    status,
    reason: reason === null ? null : reason + at,
    throughput: isWhole ? shown.throughput : null,
    rate: isWhole ? shown.rate : null,
    capacity,
    findings: collectFindings(steps),
  };
}

/** What the rate is per processor that the server may use, and per second of processor time that it used. */
function measureYield(
  { phase, shown }: CapacityStep,
  { serverCpus }: Plan,
): Pick<Capacity, "perCore" | "perCpuSecond"> {
  const { cpuMs } = phase.server;
  const delivered = phase.messages?.delivered ?? 0;
  return {
    perCore: serverCpus === null ? null : Math.round((shown.ratePerSecond * 10) / serverCpus.length) / 10,
    perCpuSecond: cpuMs === null || cpuMs <= 0 ? null : Math.round((delivered * 1000) / cpuMs),
  };
}

/** The worst step's of each kind. A stall is no finding here: whether it matters is what the limit of latency says. */
function collectFindings(steps: readonly CapacityStep[]): Finding[] {
  const found = steps.flatMap(({ phase, shown }) =>
    phase.findings
      .filter(({ kind }) => kind !== "stall")
      .map((finding) => ({
        ...finding,
        text: `at ${count(shown.ratePerSecond)}/s offered: ${finding.text}`,
      })),
  );
  return [...Map.groupBy(found, ({ kind }) => kind).values()].map((all) =>
    all.reduce((worst, one) => (one.count > worst.count ? one : worst)),
  );
}

function sumUp(counts: readonly Readonly<Record<string, number>>[]): Record<string, number> {
  const sum: Record<string, number> = {};
  for (const [reason, count] of counts.flatMap((one) => Object.entries(one))) {
    sum[reason] = (sum[reason] ?? 0) + count;
  }
  return sum;
}

function count(value: number): string {
  return value.toLocaleString("en");
}
