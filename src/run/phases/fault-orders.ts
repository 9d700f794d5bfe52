import { slotUs } from "../../engine/faults/impact.ts";
import type { ChaosOrder, PhaseOrder, RoomsOrder } from "../../engine/worker-protocol.ts";
import { countFaultyClients, type Fault, faultNames } from "../../plan/faults.ts";
import { roomGroup } from "../../plan/plan.ts";
import { createRandom, shuffle } from "../../plan/random.ts";
import { splitExactly } from "../../plan/split.ts";
import { chooseSenders, connectBatches, type Scene } from "./orders.ts";

export type ChaosWorkload = "broadcast" | "rooms";

/** One fault, ready to be sent to the workers. Times are microseconds after the start of its load. */
export interface FaultOrders {
  readonly fault: Fault;
  readonly injectUs: number;
  readonly clearUs: number;
  readonly endUs: number;
  readonly faulty: readonly number[];
  readonly unaffected: readonly number[];
  /** Extra connections, where the fault needs some. */
  readonly garbage: number;
  /** One per worker. */
  readonly orders: readonly PhaseOrder[];
  /** Per slot of intended time, the deliveries that the unaffected clients are to see. */
  readonly plannedBySlot: readonly number[];
}

/**
 * Faulty clients are drawn by seed and fault, so that they are the same for every contender with the same connections.
 * Everybody who sends or is audited is unaffected: what becomes of messages to or from faulty clients is no finding.
 */
export function orderFault(scene: Scene, fault: Fault, workload: ChaosWorkload): FaultOrders {
  const { plan, alive, phase } = scene;
  const { before, under, after } = plan.chaosSeconds;
  const seconds = before + under + after;
  const [injectUs, clearUs, endUs] = [before * 1e6, (before + under) * 1e6, seconds * 1e6];
  const count = countFaultyClients(fault, alive.length);
  const garbage = fault === "garbage" ? count : 0;
  const faulty = drawFaulty(alive, fault, garbage > 0 ? 0 : count, plan.seed);
  const isFaulty = new Set(faulty);
  const unaffected = [...alive].filter((connection) => !isFaulty.has(connection));

  const group = roomGroup(plan, workload) ?? { first: 0, count: 1 };
  const deliveries = plan.enduranceRatePerSecond * seconds;
  const sends = Math.max(1, Math.round((deliveries * group.count) / Math.max(1, alive.length)));
  const rooms: RoomsOrder = { ...chooseSenders(plan, unaffected, group), sends };
  const batches = connectBatches(plan);
  const orders = splitExactly(garbage, plan.workers).map((own, worker): PhaseOrder => {
    const chaos: ChaosOrder = {
      fault,
      injectUs,
      clearUs,
      endUs,
      faulty,
      garbage: own,
      reconnectBatch: batches[worker] ?? 1,
    };
    return { phase, workload, pattern: { kind: "steady", seconds }, echoSends: 0, rooms, chaos };
  });
  const plannedBySlot = planBySlot(rooms, seconds);
  return { fault, injectUs, clearUs, endUs, faulty, unaffected, garbage, orders, plannedBySlot };
}

function drawFaulty(alive: Iterable<number>, fault: Fault, count: number, seed: number): readonly number[] {
  const random = createRandom(seed * faultNames.length + faultNames.indexOf(fault));
  return shuffle(random, alive).slice(0, count);
}

/** With the arithmetic of `senderSchedule`, to the microsecond. */
function planBySlot(rooms: RoomsOrder, seconds: number): number[] {
  const slots = new Array<number>(Math.ceil((seconds * 1e6) / slotUs)).fill(0);
  const intervalUs = (seconds * 1e6) / rooms.sends;
  for (let send = 0; send < rooms.sends; send += 1) {
    const room = send % rooms.group.count;
    if ((rooms.senders[room] ?? []).length === 0) continue;
    const slot = Math.floor(Math.floor(send * intervalUs) / slotUs);
    slots[slot] = (slots[slot] ?? 0) + (rooms.members[room] ?? 0);
  }
  return slots;
}
