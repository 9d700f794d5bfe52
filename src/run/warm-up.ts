import type { Plan, Workload } from "../plan/plan.ts";
import type { Environment, Round } from "../result/schema.ts";
import { SteadinessWatch } from "../stats/steadiness.ts";
import { runConnect } from "./phases/connect.ts";
import { warmedUpConnections } from "./phases/connect-memory.ts";
import { type RoundContext, sumOf, tellAll } from "./phases/context.ts";
import { spanOf } from "./phases/load-figures.ts";
import { runMessagePhase, viewLoad } from "./phases/message-phase.ts";
import { offerLoad, prepareLoad, shortPace } from "./phases/offer-load.ts";
import { deliveriesPerSend, orderSends } from "./phases/orders.ts";

const mostRatePerSecond = 2000;
const mostPacedSeconds = 0.1;
/** Some milliseconds for the slow. */
const firstDeliveries = 500;
const windowMs = 25;
const mostGrowth = 8;

/** The plan with as few connections as a warm-up needs, and a moment of paced load. */
export function warmUpPlan(plan: Plan): Plan {
  return {
    ...plan,
    connections: Math.min(plan.connections, warmedUpConnections),
    holdSeconds: 0,
    enduranceSeconds: Math.min(plan.warmupSeconds, mostPacedSeconds),
    enduranceRatePerSecond: Math.min(plan.enduranceRatePerSecond, mostRatePerSecond),
  };
}

/**
 * Unrecorded load on a few connections, so that neither the server's compiler nor the workers' is measured: a moment of
 * paced echoes, then short bursts of each workload of the plan in turn, until their rates are steady. It takes at least
 * the plan's `warmupSeconds` and at most its `warmupLimitSeconds`.
 *
 * A server that fails here will fail in the first phase too, where it is recorded.
 *
 * @param context with the plan of the warm-up, for which the workers have been set up
 */
export async function warmUp(context: RoundContext, environment: Environment): Promise<Round["warmUp"]> {
  const { plan, pool, clockUs } = context;
  const quiet: RoundContext = { ...context, onView: () => {} };
  const startUs = clockUs();
  const elapsedMs = () => (clockUs() - startUs) / 1000;
  await runConnect(quiet, environment);
  if (isAlive(quiet)) await runMessagePhase(quiet, { kind: "endurance", workload: "echo" }, shortPace);
  const planned = plan.phases.flatMap(({ workload }) => workload ?? []);
  const bursts = [...new Set<Workload>(["echo", ...planned])].map((workload) => new Bursts(quiet, workload));
  const steadiness = new SteadinessWatch();
  let ended: "steady" | "time" | "failed" | null = null;
  while (ended === null) {
    const rates: number[] = [];
    for (const burst of bursts) {
      const rate = isAlive(quiet) ? await burst.offer() : null;
      if (rate === null) ended = "failed";
      else rates.push(rate);
    }
    if (ended !== null) break;
    steadiness.note(rates);
    if (elapsedMs() >= plan.warmupSeconds * 1000 && steadiness.isSteady()) ended = "steady";
    else if (elapsedMs() >= plan.warmupLimitSeconds * 1000)
      ended = steadiness.hasSlowed() ? "steady" : "time";
  }
  await tellAll(pool, pool.close());
  return { durationMs: Math.round(elapsedMs()), ended };
}

function isAlive({ connections, pool, signal }: RoundContext): boolean {
  return connections.alive.length > 0 && pool.failed === null && !signal.aborted;
}

/** Bursts of one workload, each as long as a window by the rate of the one before. */
class Bursts {
  readonly #context: RoundContext;
  readonly #workload: Workload;
  #sends: number;

  constructor(context: RoundContext, workload: Workload) {
    this.#context = context;
    this.#workload = workload;
    this.#sends = Math.ceil(firstDeliveries / this.#deliveriesPerSend);
  }

  get #deliveriesPerSend(): number {
    const { plan, connections } = this.#context;
    return deliveriesPerSend(plan, connections.alive, this.#workload);
  }

  /** @returns deliveries per second; null where the burst did not come to its end */
  async offer(): Promise<number | null> {
    const workload = this.#workload;
    const { plan, connections } = this.#context;
    const scene = { plan, alive: connections.alive, phase: connections.nextPhase() };
    const load = orderSends(scene, workload, this.#sends);
    await prepareLoad(this.#context, load);
    const { ending, reports } = await offerLoad(this.#context, {
      load,
      pace: shortPace,
      errorsBefore: 0,
      view: (state, startUs) => ({
        kind: "burst",
        workload,
        ...viewLoad(this.#context, load, startUs, state),
      }),
    });
    const delivered = sumOf(reports, (one) => one.delivered);
    const spanMs = spanOf(reports, ({ lastDeliveryUs }) => lastDeliveryUs) / 1000;
    if (ending.status !== "ok" || delivered === 0 || spanMs <= 0) return null;
    this.#sends = Math.ceil(this.#sends * Math.min(mostGrowth, windowMs / spanMs));
    return (delivered * 1000) / spanMs;
  }
}
