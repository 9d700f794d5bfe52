import type { PhaseOrder, RoomsOrder } from "../../engine/worker-protocol.ts";
import { type PhasePlan, type Plan, type RoomGroup, roomGroup, type Workload } from "../../plan/plan.ts";
import { createRandom, shuffle } from "../../plan/random.ts";
import { splitExactly } from "../../plan/split.ts";

/** Of connections, in order: 4 bytes each where there are many. */
type Indexes = Uint32Array | readonly number[];

export type LoadPlan = PhasePlan & { readonly workload: Workload };

/** A load of messages, ready for the workers. */
export interface Load {
  /** One per worker. */
  readonly orders: readonly PhaseOrder[];
  readonly plannedDeliveries: number;
  /** Steady: how long it lasts. */
  readonly seconds: number | null;
}

/** What a load is made for. */
export interface Scene {
  readonly plan: Plan;
  /** Open connections by index. */
  readonly alive: Indexes;
  /** The load's number. */
  readonly phase: number;
}

/** Burst: connections × `messagesPerConnection` deliveries, offered as fast as the server takes them. */
export function orderBurst(scene: Scene, workload: Workload): Load {
  const { plan, alive } = scene;
  const senders = roomGroup(plan, workload)?.count ?? alive.length;
  return orderSends(scene, workload, senders * plan.messagesPerConnection);
}

/** So many messages over all connections, offered as fast as the server takes them. */
export function orderSends(scene: Scene, workload: Workload, sends: number): Load {
  const { plan, alive, phase } = scene;
  const batches = splitExactly(Math.max(plan.messageBatch, plan.workers), plan.workers);
  const base = (worker: number) => ({
    phase,
    workload,
    pattern: { kind: "burst", batch: batches[worker] as number } as const,
  });
  const group = roomGroup(plan, workload);
  if (group === null) {
    const orders = shareOut(sends, aliveByWorker(scene)).map(
      (echoSends, worker): PhaseOrder => ({ ...base(worker), echoSends, rooms: null }),
    );
    return { orders, plannedDeliveries: sends, seconds: null };
  }
  const rooms = { ...chooseSenders(plan, alive, group), sends };
  const orders = batches.map((_, worker): PhaseOrder => ({ ...base(worker), echoSends: 0, rooms }));
  return { orders, plannedDeliveries: Math.round((sends / group.count) * alive.length), seconds: null };
}

/** Endurance: the same offered rate for everyone, over all connections. */
export function orderEndurance(scene: Scene, workload: Workload): Load {
  const { enduranceSeconds: seconds, enduranceRatePerSecond: ratePerSecond } = scene.plan;
  return orderSteady(scene, workload, { ratePerSecond, seconds });
}

export interface SteadyLoad {
  /** Deliveries per second. */
  readonly ratePerSecond: number;
  readonly seconds: number;
}

/** An offered rate over all connections, to the nearest whole message. */
export function orderSteady(scene: Scene, workload: Workload, { ratePerSecond, seconds }: SteadyLoad): Load {
  const { plan, alive, phase } = scene;
  const base = { phase, workload, pattern: { kind: "steady", seconds } as const };
  const deliveries = Math.round(ratePerSecond * seconds);
  const group = roomGroup(plan, workload);
  if (group === null) {
    const orders = shareOut(deliveries, aliveByWorker(scene)).map(
      (echoSends): PhaseOrder => ({ ...base, echoSends, rooms: null }),
    );
    return { orders, plannedDeliveries: deliveries, seconds };
  }
  const sends = Math.max(1, Math.round(deliveries / deliveriesPerSend(plan, alive, workload)));
  const rooms = { ...chooseSenders(plan, alive, group), sends };
  const orders = Array.from({ length: plan.workers }, (): PhaseOrder => ({ ...base, echoSends: 0, rooms }));
  return { orders, plannedDeliveries: Math.round((sends / group.count) * alive.length), seconds };
}

/** Deliveries that one message causes, on average over the rooms: a load comes in multiples of it. */
export function deliveriesPerSend(plan: Plan, alive: Indexes, workload: Workload): number {
  const group = roomGroup(plan, workload);
  return group === null ? 1 : Math.max(1, alive.length) / group.count;
}

/** Connections that each worker opens at once. */
export function connectBatches({ connectBatch, workers }: Pick<Plan, "connectBatch" | "workers">): number[] {
  return splitExactly(Math.max(connectBatch, workers), workers);
}

/** Who sends in each room, the same choice for every contender that opened the same connections. */
export function chooseSenders(
  { sendersPerRoom, seed }: Plan,
  alive: Indexes,
  group: RoomGroup,
): Omit<RoomsOrder, "sends"> {
  const members = Array.from({ length: group.count }, (): number[] => []);
  for (const connection of alive) members[connection % group.count]?.push(connection);
  const random = createRandom(seed);
  return {
    group,
    senders: members.map((room) => shuffle(random, room).slice(0, sendersPerRoom)),
    members: members.map(({ length }) => length),
  };
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
  for (const connection of alive) {
    counts[connection % plan.workers] = (counts[connection % plan.workers] ?? 0) + 1;
  }
  return counts;
}
