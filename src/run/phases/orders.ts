import type { PhaseOrder } from "../../engine/worker-protocol.ts";
import { type PhasePlan, type RoomGroup, roomGroup, type Workload } from "../../plan/plan.ts";
import { splitExactly } from "../../plan/split.ts";
import type { RoundContext } from "./context.ts";
import type { Exchange } from "./exchange.ts";
import { chooseSenders } from "./senders.ts";

/** Time for the orders to reach every worker before the first send is due. */
const leadUs = 100_000;

type Scene = Pick<RoundContext, "plan" | "alive" | "saySeqs" | "clockUs">;

/** Burst: connections × `messagesPerConnection` deliveries, offered as fast as the server takes them. */
export function orderBurst(context: Scene, phase: PhasePlan & { workload: Workload }): Exchange {
  const { plan, alive } = context;
  const startUs = context.clockUs() + leadUs;
  const batches = splitExactly(Math.max(plan.messageBatch, plan.workers), plan.workers);
  const base = (worker: number) => ({
    workload: phase.workload,
    pattern: { kind: "burst", batch: batches[worker] as number } as const,
    startUs,
  });
  const plannedDeliveries = alive.length * plan.messagesPerConnection;
  const group = roomGroup(plan, phase.workload);
  if (group === null) {
    const orders = aliveByWorker(context).map(
      (own, worker): PhaseOrder => ({
        ...base(worker),
        echoSends: own * plan.messagesPerConnection,
        rooms: null,
      }),
    );
    return { phase, orders, plannedDeliveries, seconds: null };
  }
  const rooms = {
    ...sendersFor(context, phase.workload, group),
    sends: plan.messagesPerConnection * group.count,
  };
  const orders = batches.map((_, worker): PhaseOrder => ({ ...base(worker), echoSends: 0, rooms }));
  return { phase, orders, plannedDeliveries, seconds: null };
}

/** Endurance: the same offered rate for everyone, over all connections. */
export function orderEndurance(context: Scene, phase: PhasePlan & { workload: Workload }): Exchange {
  const { enduranceSeconds: seconds, enduranceRatePerSecond: ratePerSecond } = context.plan;
  return orderSteady(context, phase, { ratePerSecond, seconds });
}

export interface SteadyLoad {
  /** Deliveries per second. */
  readonly ratePerSecond: number;
  readonly seconds: number;
}

/** An offered rate over all connections, to the nearest whole message. */
export function orderSteady(
  context: Scene,
  phase: PhasePlan & { workload: Workload },
  { ratePerSecond, seconds }: SteadyLoad,
): Exchange {
  const { plan, alive } = context;
  const startUs = context.clockUs() + leadUs;
  const base = { workload: phase.workload, pattern: { kind: "steady", seconds } as const, startUs };
  const deliveries = Math.round(ratePerSecond * seconds);
  const group = roomGroup(plan, phase.workload);
  if (group === null) {
    const orders = shareOut(deliveries, aliveByWorker(context)).map(
      (echoSends): PhaseOrder => ({ ...base, echoSends, rooms: null }),
    );
    return { phase, orders, plannedDeliveries: deliveries, seconds };
  }
  const sends = Math.max(1, Math.round(deliveries / deliveriesPerSend(context, phase.workload)));
  const rooms = { ...sendersFor(context, phase.workload, group), sends };
  const orders = Array.from({ length: plan.workers }, (): PhaseOrder => ({ ...base, echoSends: 0, rooms }));
  return { phase, orders, plannedDeliveries: Math.round((sends / group.count) * alive.length), seconds };
}

/** Deliveries that one message causes, on average over the rooms: a load comes in multiples of it. */
export function deliveriesPerSend(
  { plan, alive }: Pick<Scene, "plan" | "alive">,
  workload: Workload,
): number {
  const group = roomGroup(plan, workload);
  return group === null ? 1 : Math.max(1, alive.length) / group.count;
}

/**
 * Shares of `total` in proportion to `weights` that sum to it exactly (largest remainders), so that a worker
 * with fewer living connections sends less and each connection the same.
 */
export function shareOut(total: number, weights: readonly number[]): number[] {
  const whole = weights.reduce((all, weight) => all + weight, 0);
  if (whole === 0) return weights.map(() => 0);
  const exact = weights.map((weight) => (total * weight) / whole);
  const shares = exact.map(Math.floor);
  const byRemainder = exact
    .map((value, index) => ({ index, remainder: value - Math.floor(value) }))
    .sort((a, b) => b.remainder - a.remainder || a.index - b.index);
  let missing = total - shares.reduce((all, share) => all + share, 0);
  for (const { index } of byRemainder) {
    if (missing <= 0) break;
    shares[index] = (shares[index] as number) + 1;
    missing -= 1;
  }
  return shares;
}

function aliveByWorker({ plan, alive }: Scene): number[] {
  const counts = new Array<number>(plan.workers).fill(0);
  for (const connection of alive)
    counts[connection % plan.workers] = (counts[connection % plan.workers] ?? 0) + 1;
  return counts;
}

function sendersFor({ plan, alive, saySeqs }: Scene, workload: Workload, group: RoomGroup) {
  return chooseSenders(alive, group, plan.sendersPerRoom, plan.seed, saySeqs[workload]);
}
