import type { Plan, Workload } from "../plan/plan.ts";
import type { Environment } from "../result/schema.ts";
import { runConnect } from "./phases/connect.ts";
import { warmedUpConnections } from "./phases/connect-memory.ts";
import { type RoundContext, tellAll } from "./phases/context.ts";
import { runMessagePhase } from "./phases/message-phase.ts";
import { shortPace } from "./phases/offer-load.ts";

const mostRatePerSecond = 2000;
/** Ten thousand deliveries a burst: a fraction of a second, whatever the plan's bursts are. */
const mostMessagesPerConnection = 100;

/** The plan with as few connections and messages as a warm-up needs. */
export function warmUpPlan(plan: Plan): Plan {
  return {
    ...plan,
    connections: Math.min(plan.connections, warmedUpConnections),
    messagesPerConnection: Math.min(plan.messagesPerConnection, mostMessagesPerConnection),
    enduranceSeconds: plan.warmupSeconds,
    enduranceRatePerSecond: Math.min(plan.enduranceRatePerSecond, mostRatePerSecond),
  };
}

/**
 * Unrecorded load on a few connections, so that neither the server's compiler nor the workers' is measured: what every
 * contender has to do, and a burst of each workload of the plan.
 *
 * A server that fails here will fail in the first phase too, where it is recorded.
 *
 * @param context with the plan of the warm-up, for which the workers have been set up
 */
export async function warmUp(context: RoundContext, environment: Environment): Promise<void> {
  const { plan, pool } = context;
  const quiet: RoundContext = { ...context, onView: () => {} };
  await runConnect(quiet, environment);
  const isAlive = () => quiet.connections.alive.length > 0 && pool.failed === null;
  if (isAlive()) await runMessagePhase(quiet, { kind: "endurance", workload: "echo" }, shortPace);
  const planned = plan.phases.flatMap(({ workload }) => workload ?? []);
  for (const workload of new Set<Workload>(["echo", ...planned])) {
    if (isAlive()) await runMessagePhase(quiet, { kind: "burst", workload }, shortPace);
  }
  await tellAll(pool, pool.close());
}
