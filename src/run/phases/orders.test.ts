import { expect, test } from "bun:test";
import fc from "fast-check";
import { echoSchedule, plannedByRoom, type Schedule, senderSchedule } from "../../engine/pacing/schedule.ts";
import type { PhaseOrder, WorkerSetup } from "../../engine/worker-protocol.ts";
import type { Workload } from "../../plan/plan.ts";
import { resolvePlan } from "../../plan/resolve.ts";
import { type Load, orderBurst, orderEndurance, type Scene, shareOut } from "./orders.ts";

const smoke = resolvePlan({
  preset: "smoke",
  settings: {},
  entrants: [],
  serverCpus: null,
  workerCpus: null,
  descriptorLimit: null,
  leastMessageBytes: () => 1,
});

/** A plan with some of its connections gone, as after a phase in which the server closed them. */
const scene = fc
  .record({
    connections: fc.integer({ min: 1, max: 120 }),
    workers: fc.integer({ min: 1, max: 7 }),
    messagesPerConnection: fc.integer({ min: 1, max: 12 }),
    messageBatch: fc.integer({ min: 1, max: 300 }),
    enduranceSeconds: fc.integer({ min: 1, max: 4 }),
    enduranceRatePerSecond: fc.integer({ min: 1, max: 900 }),
    roomSize: fc.integer({ min: 1, max: 30 }),
    sendersPerRoom: fc.integer({ min: 1, max: 20 }),
    seed: fc.nat(),
    closed: fc.array(fc.nat({ max: 119 }), { maxLength: 20 }),
  })
  .map(({ closed, ...changes }): Scene => {
    const plan = { ...smoke, ...changes };
    const all = Array.from({ length: plan.connections }, (_, connection) => connection);
    return { plan, alive: all.filter((connection) => !closed.includes(connection)), phase: 7 };
  });

const workload = fc.constantFrom<Workload>("echo", "broadcast", "rooms");

/** What each worker makes of its order, as a worker does. */
function schedules({ plan, alive }: Scene, { orders }: Load): Schedule[] {
  return orders.map((order: PhaseOrder, worker) => {
    const setup = { worker, workers: plan.workers, seed: plan.seed } as WorkerSetup;
    const places = [...alive]
      .filter((connection) => connection % plan.workers === worker)
      .map((connection) => Math.floor(connection / plan.workers));
    return order.rooms === null
      ? echoSchedule(places, order, setup)
      : senderSchedule(order.rooms, order, setup);
  });
}

/** Sends by connection, over all workers. */
function sendsByConnection(of: Scene, load: Load): Map<number, number> {
  const counts = new Map<number, number>();
  for (const [worker, schedule] of schedules(of, load).entries()) {
    for (let send = 0; send < schedule.count; send += 1) {
      const connection = schedule.sender(send) * of.plan.workers + worker;
      counts.set(connection, (counts.get(connection) ?? 0) + 1);
    }
  }
  return counts;
}

function spread(counts: readonly number[]): number {
  return counts.length === 0 ? 0 : Math.max(...counts) - Math.min(...counts);
}

test("burst echo: each living connection sends exactly its messages, whichever worker owns it", () => {
  fc.assert(
    fc.property(scene, (of) => {
      const load = orderBurst(of, "echo");
      const counts = sendsByConnection(of, load);
      expect([...counts.keys()].sort((a, b) => a - b)).toEqual([...of.alive]);
      for (const count of counts.values()) expect(count).toBe(of.plan.messagesPerConnection);
      expect(load.plannedDeliveries).toBe(of.alive.length * of.plan.messagesPerConnection);
    }),
  );
});

test("endurance echo: the workers' sends sum to the planned load, and every connection has its share within one", () => {
  fc.assert(
    fc.property(scene, (of) => {
      const load = orderEndurance(of, "echo");
      const counts = sendsByConnection(of, load);
      const all = [...of.alive].map((connection) => counts.get(connection) ?? 0);
      const planned = of.alive.length === 0 ? 0 : of.plan.enduranceRatePerSecond * of.plan.enduranceSeconds;
      expect(all.reduce((sum, count) => sum + count, 0)).toBe(planned);
      expect([...counts.keys()].every((connection) => of.alive.includes(connection))).toBe(true);
      expect(spread(all)).toBeLessThanOrEqual(1);
    }),
  );
});

test("rooms: every send is made by exactly one worker, by a living member, senders taking turns", () => {
  fc.assert(
    fc.property(scene, fc.constantFrom("broadcast", "rooms"), fc.boolean(), (of, rooms, isBurst) => {
      const load = isBurst ? orderBurst(of, rooms) : orderEndurance(of, rooms);
      const order = load.orders[0]?.rooms;
      if (!order) throw new Error("no order");
      const planned = plannedByRoom(order);
      const counts = sendsByConnection(of, load);
      for (const [room, senders] of order.senders.entries()) {
        expect(senders.length).toBeLessThanOrEqual(of.plan.sendersPerRoom);
        for (const sender of senders) {
          expect(sender % order.group.count).toBe(room);
          expect(of.alive).toContain(sender);
        }
        const sends = senders.map((sender) => counts.get(sender) ?? 0);
        expect(sends.reduce((sum, count) => sum + count, 0)).toBe(planned[room] as number);
        expect(spread(sends)).toBeLessThanOrEqual(1);
        const members = [...of.alive].filter((connection) => connection % order.group.count === room);
        expect(order.members[room]).toBe(members.length);
      }
      expect([...counts.keys()].every((connection) => order.senders.flat().includes(connection))).toBe(true);
      if (isBurst) {
        const owed = planned.reduce((sum, sends, room) => sum + sends * (order.members[room] ?? 0), 0);
        expect(owed).toBe(load.plannedDeliveries);
        expect(owed).toBe(of.alive.length * of.plan.messagesPerConnection);
      }
    }),
  );
});

test("intended times fill the phase evenly over all workers", () => {
  fc.assert(
    fc.property(scene, workload, (of, kind) => {
      fc.pre(of.alive.length > 0);
      const load = orderEndurance(of, kind);
      const endUs = of.plan.enduranceSeconds * 1e6;
      const offsets = schedules(of, load).flatMap((schedule) => {
        const own = Array.from({ length: schedule.count }, (_, send) => schedule.offsetUs(send));
        expect(own).toEqual(own.toSorted((a, b) => a - b));
        return own;
      });
      const slices = 10;
      const counts = new Array<number>(slices).fill(0);
      for (const offset of offsets) {
        expect(offset).toBeGreaterThanOrEqual(0);
        expect(offset).toBeLessThan(endUs);
        const slice = Math.floor((offset / endUs) * slices);
        counts[slice] = (counts[slice] as number) + 1;
      }
      // A room without a sender leaves holes in the turn; otherwise each worker is even by itself.
      const hasHoles = load.orders[0]?.rooms?.senders.some((senders) => senders.length === 0);
      if (hasHoles) return;
      for (const count of counts) {
        expect(Math.abs(count - offsets.length / slices)).toBeLessThanOrEqual(of.plan.workers);
      }
    }),
  );
});

test("two workers with equal shares keep the pace of one", () => {
  const plan = { ...smoke, connections: 10, workers: 2, seed: 1, enduranceRatePerSecond: 100 };
  const alive = Array.from({ length: 10 }, (_unused, connection) => connection);
  const of: Scene = { plan, alive, phase: 1 };
  const offsets = schedules(of, orderEndurance(of, "echo"))
    .flatMap((schedule) => Array.from({ length: schedule.count }, (_unused, send) => schedule.offsetUs(send)))
    .sort((a, b) => a - b);
  expect(offsets).toEqual(Array.from({ length: 100 }, (_unused, send) => send * 10_000));
});

test("every order carries the number of its phase", () => {
  fc.assert(
    fc.property(scene, workload, (of, kind) => {
      for (const { orders } of [orderBurst(of, kind), orderEndurance(of, kind)]) {
        expect(orders.map(({ phase }) => phase)).toEqual(new Array(of.plan.workers).fill(of.phase));
      }
    }),
  );
});

test("batches of all workers sum to the plan's, and no worker is without one", () => {
  fc.assert(
    fc.property(scene, workload, (of, kind) => {
      const batches = orderBurst(of, kind).orders.map(({ pattern }) =>
        pattern.kind === "burst" ? pattern.batch : 0,
      );
      expect(batches.reduce((sum, batch) => sum + batch, 0)).toBe(
        Math.max(of.plan.messageBatch, of.plan.workers),
      );
      expect(Math.min(...batches)).toBeGreaterThan(0);
    }),
  );
});

test.each([
  [10, [1, 1, 1], [4, 3, 3]],
  [10, [2, 1, 1], [5, 3, 2]],
  [1, [5, 5], [1, 0]],
  [7, [0, 3], [0, 7]],
  [7, [0, 0], [0, 0]],
  [0, [1, 2], [0, 0]],
] as const)("%i shared out over %j is %j", (total, weights, shares) => {
  expect(shareOut(total, weights)).toEqual([...shares]);
});

test("shares sum to the total, each within one of its due", () => {
  fc.assert(
    fc.property(
      fc.nat({ max: 1_000_000 }),
      fc.array(fc.nat({ max: 1000 }), { minLength: 1, maxLength: 20 }),
      (total, weights) => {
        const whole = weights.reduce((sum, weight) => sum + weight, 0);
        fc.pre(whole > 0);
        const shares = shareOut(total, weights);
        expect(shares.reduce((sum, share) => sum + share, 0)).toBe(total);
        for (const [index, share] of shares.entries()) {
          expect(Math.abs(share - (total * (weights[index] as number)) / whole)).toBeLessThan(1 + 1e-6);
        }
      },
    ),
  );
});
