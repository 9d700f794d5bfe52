import { expect, test } from "bun:test";
import fc from "fast-check";
import { fixturePlan } from "../../../test/support/fixture-result.ts";
import { senderSchedule } from "../../engine/pacing/schedule.ts";
import type { WorkerSetup } from "../../engine/worker-protocol.ts";
import { faultNames } from "../../plan/faults.ts";
import { orderFault } from "./fault-orders.ts";

const scenes = fc.record({
  connections: fc.integer({ min: 2, max: 400 }),
  roomSize: fc.integer({ min: 1, max: 60 }),
  sendersPerRoom: fc.integer({ min: 1, max: 20 }),
  workers: fc.integer({ min: 1, max: 5 }),
  seed: fc.nat(1000),
  rate: fc.integer({ min: 1, max: 3000 }),
  fault: fc.constantFrom(...faultNames),
  workload: fc.constantFrom("rooms" as const, "broadcast" as const),
});
type Scene = typeof scenes extends fc.Arbitrary<infer T> ? T : never;

function order({ rate, fault, workload, ...changes }: Scene) {
  const plan = fixturePlan({
    ...changes,
    enduranceRatePerSecond: rate,
    chaosSeconds: { before: 1, under: 2, after: 1 },
  });
  const alive = Array.from({ length: plan.connections }, (_, connection) => connection);
  return { plan, alive, orders: orderFault({ plan, alive, phase: 1 }, fault, workload) };
}

test("faulty and unaffected clients are disjoint, together everyone, and only the unaffected send and are counted", () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { alive, orders } = order(scene);
      const { faulty, unaffected } = orders;
      expect([...faulty, ...unaffected].sort((a, b) => a - b)).toEqual(alive);
      const rooms = orders.orders[0]?.rooms;
      const isFaulty = new Set(faulty);
      expect(rooms?.senders.flat().filter((sender) => isFaulty.has(sender))).toEqual([]);
      expect(rooms?.members.reduce((all, members) => all + members, 0)).toBe(unaffected.length);
      expect(orders.orders.reduce((all, { chaos }) => all + (chaos?.garbage ?? 0), 0)).toBe(orders.garbage);
    }),
  );
});

test("the same faulty clients for every contender, others for every fault", () => {
  const scene = {
    connections: 200,
    roomSize: 50,
    sendersPerRoom: 5,
    workers: 2,
    rate: 100,
    workload: "rooms",
  } as const;
  const faultyOf = (seed: number, fault: Scene["fault"]) => order({ ...scene, seed, fault }).orders.faulty;
  expect(faultyOf(1, "resets")).toEqual(faultyOf(1, "resets"));
  expect(faultyOf(1, "resets")).not.toEqual(faultyOf(2, "resets"));
  expect(faultyOf(1, "storm").slice(0, 10)).not.toEqual(faultyOf(1, "resets"));
});

test("the deliveries planned per slot are those of the workers' own schedules", () => {
  fc.assert(
    fc.property(scenes, (scene) => {
      const { plan, orders } = order(scene);
      const expected = new Array<number>(orders.plannedBySlot.length).fill(0);
      for (const [worker, own] of orders.orders.entries()) {
        const { rooms } = own;
        if (rooms === null) throw new Error("no rooms");
        const setup = { worker, workers: plan.workers } as WorkerSetup;
        const schedule = senderSchedule(rooms, own, setup);
        for (let send = 0; send < schedule.count; send += 1) {
          const connection = schedule.sender(send) * plan.workers + worker;
          const slot = Math.floor(Math.floor(schedule.offsetUs(send)) / 100_000);
          expected[slot] = (expected[slot] ?? 0) + (rooms.members[connection % rooms.group.count] ?? 0);
        }
      }
      expect(orders.plannedBySlot).toEqual(expected);
    }),
  );
});
