import { slotUs } from "../../engine/faults/impact.ts";
import type { ChaosOrder, PhaseOrder, RoomsOrder } from "../../engine/worker-protocol.ts";
import { countVictims, type Fault, faultNames } from "../../plan/faults.ts";
import { roomGroup } from "../../plan/plan.ts";
import { createRandom, shuffle } from "../../plan/random.ts";
import { splitExactly } from "../../plan/split.ts";
import type { RoundContext } from "./context.ts";
import { chooseSenders } from "./senders.ts";

/** Time for the orders to reach every worker before the first send is due. */
const leadUs = 100_000;

export type ChaosWorkload = "broadcast" | "rooms";

/** One fault, ready to be sent to the workers. Times are microseconds on the run's epoch. */
export interface FaultOrders {
  readonly fault: Fault;
  readonly startUs: number;
  readonly strikeUs: number;
  readonly endUs: number;
  readonly victims: readonly number[];
  readonly bystanders: readonly number[];
  /** Extra connections, where the fault needs some. */
  readonly garbage: number;
  /** One per worker. */
  readonly orders: readonly PhaseOrder[];
  /** Per slot of intended time, the deliveries that the bystanders are to see. */
  readonly plannedBySlot: readonly number[];
}

type Scene = Pick<RoundContext, "plan" | "alive" | "saySeqs" | "clockUs">;

/**
 * Victims are drawn by seed and fault, so that they are the same for every contender with the same connections.
 * Everybody who speaks or is audited is a bystander: what becomes of messages to or from victims is no finding.
 */
export function orderFault(context: Scene, fault: Fault, workload: ChaosWorkload): FaultOrders {
  const { plan, alive } = context;
  const { before, strike, after } = plan.chaosSeconds;
  const seconds = before + strike + after;
  // Whole, so that sender and account round the same sums.
  const startUs = Math.ceil(context.clockUs()) + leadUs;
  const strikeUs = startUs + before * 1e6;
  const endUs = startUs + seconds * 1e6;
  const count = countVictims(fault, alive.length);
  const garbage = fault === "garbage" ? count : 0;
  const victims = drawVictims(alive, fault, garbage > 0 ? 0 : count, plan.seed);
  const isVictim = new Set(victims);
  const bystanders = alive.filter((connection) => !isVictim.has(connection));

  const group = roomGroup(plan, workload) ?? { first: 0, count: 1 };
  const deliveries = plan.enduranceRatePerSecond * seconds;
  const sends = Math.max(1, Math.round((deliveries * group.count) / Math.max(1, alive.length)));
  const rooms: RoomsOrder = {
    ...chooseSenders(bystanders, group, plan.sendersPerRoom, plan.seed, context.saySeqs[workload]),
    sends,
  };
  const thrown = splitExactly(garbage, plan.workers);
  const batches = splitExactly(Math.max(plan.connectBatch, plan.workers), plan.workers);
  const orders = thrown.map((own, worker): PhaseOrder => {
    const chaos: ChaosOrder = {
      fault,
      strikeUs,
      relentUs: strikeUs + strike * 1e6,
      endUs,
      victims,
      garbage: own,
      rejoinBatch: batches[worker] ?? 1,
    };
    return { workload, pattern: { kind: "steady", seconds }, startUs, echoSends: 0, rooms, chaos };
  });
  const plannedBySlot = planBySlot(rooms, startUs, seconds);
  return { fault, startUs, strikeUs, endUs, victims, bystanders, garbage, orders, plannedBySlot };
}

export function drawVictims(
  alive: readonly number[],
  fault: Fault,
  count: number,
  seed: number,
): readonly number[] {
  const random = createRandom(seed * faultNames.length + faultNames.indexOf(fault));
  return shuffle(random, alive).slice(0, count);
}

/** With the arithmetic of `senderSchedule`, to the microsecond. */
export function planBySlot(rooms: RoomsOrder, startUs: number, seconds: number): number[] {
  const slots = new Array<number>(Math.ceil((seconds * 1e6) / slotUs)).fill(0);
  const intervalUs = (seconds * 1e6) / rooms.sends;
  for (let send = 0; send < rooms.sends; send += 1) {
    const room = send % rooms.group.count;
    if ((rooms.senders[room] ?? []).length === 0) continue;
    const atUs = Math.floor(startUs + send * intervalUs);
    const slot = Math.floor((atUs - startUs) / slotUs);
    slots[slot] = (slots[slot] ?? 0) + (rooms.members[room] ?? 0);
  }
  return slots;
}
