import { describe, expect, test } from "bun:test";
import { bucketsPerSlot } from "../../engine/faults/impact.ts";
import { Histogram } from "../../stats/histogram.ts";
import { accountFor } from "./fault-account.ts";

const slots = 30;
const faultSlot = 10;
const perSlot = 100;

/** Ten deliveries a millisecond are meant in every slot, and arrive after 1 ms: but for what a test changes. */
class Scene {
  readonly delivered: { onTime: number; late: number }[] = Array.from({ length: slots }, () => ({
    onTime: perSlot,
    late: 0,
  }));

  lose(slot: number, count: number): this {
    (this.delivered[slot] ?? { onTime: 0 }).onTime -= count;
    return this;
  }

  delay(slot: number, count: number): this {
    const state = this.delivered[slot];
    if (state !== undefined) {
      state.onTime -= count;
      state.late += count;
    }
    return this;
  }

  account(beforeUs = 1000, latencyUs = 50_000) {
    const bucket = (us: number) => Math.floor(Math.log2(us) * 16);
    const counts = new Uint32Array(slots * bucketsPerSlot);
    for (const [slot, { onTime, late }] of this.delivered.entries()) {
      counts[slot * bucketsPerSlot + bucket(1000)] = onTime;
      counts[slot * bucketsPerSlot + bucket(latencyUs)] = late;
    }
    const before = new Histogram();
    for (let i = 0; i < 1000; i += 1) before.record(beforeUs);
    const none = new Histogram().toSparse();
    // Two workers, of which one saw nothing.
    return accountFor({
      windows: [
        [before.toSparse(), none, none],
        [none, none, none],
      ],
      slots: [counts, new Uint32Array(slots * bucketsPerSlot)],
      plannedBySlot: new Array<number>(slots).fill(perSlot),
      faultSlot,
    });
  }
}

test("a fault that nobody noticed", () => {
  expect(new Scene().account()).toMatchObject({
    planned: 2100,
    lost: 0,
    late: 0,
    lateUs: 20_000,
    lostBefore: 0,
    disturbedMs: 0,
  });
});

describe("recovery is the end of the last slot", () => {
  test("in which anything was lost", () => {
    expect(new Scene().lose(12, 1).lose(14, 30).account()).toMatchObject({ lost: 31, disturbedMs: 500 });
  });

  test("of those in a row in which more than one in a hundred was late", () => {
    const scene = new Scene().delay(11, 40).delay(12, 60).delay(13, 2);
    expect(scene.account()).toMatchObject({ lost: 0, late: 102, disturbedMs: 400 });
  });

  test("and there is none when the load ends before", () => {
    expect(new Scene().lose(29, 1).account()).toMatchObject({ lost: 1, disturbedMs: null });
  });
});

test("what was lost before the fault is not its doing, and is told", () => {
  expect(new Scene().lose(3, 7).account()).toMatchObject({ lost: 0, lostBefore: 7, disturbedMs: 0 });
});

test("what was under way when the fault was injected was hit by it", () => {
  expect(new Scene().lose(9, 5).account()).toMatchObject({ lost: 5, lostBefore: 0, disturbedMs: 0 });
  expect(new Scene().lose(9, 5).lose(10, 5).account()).toMatchObject({ lost: 10, disturbedMs: 100 });
});

test("one late slot by itself is no relapse, but in the slot of the fault it is the disturbance", () => {
  expect(new Scene().delay(20, 50).account()).toMatchObject({ late: 50, disturbedMs: 0 });
  expect(new Scene().delay(10, 50).account()).toMatchObject({ late: 50, disturbedMs: 100 });
});

test("after a second in which all was well, only a loss is a relapse", () => {
  const scene = () => new Scene().delay(10, 50).delay(11, 50);
  expect(scene().delay(20, 50).delay(21, 50).account()).toMatchObject({ disturbedMs: 1200 });
  expect(scene().delay(22, 50).delay(23, 50).account()).toMatchObject({ late: 200, disturbedMs: 200 });
  expect(scene().lose(25, 1).account()).toMatchObject({ disturbedMs: 1600 });
});

test("a disturbance may begin late", () => {
  expect(new Scene().delay(25, 50).delay(26, 50).account()).toMatchObject({ disturbedMs: 1700 });
});

test("one late delivery in a slot is none", () => {
  expect(new Scene().delay(11, 1).delay(12, 1).account()).toMatchObject({ late: 2, disturbedMs: 0 });
});

test("late is later than twice the p99 before", () => {
  const scene = new Scene().delay(11, 50).delay(12, 50);
  expect(scene.account(30_000, 50_000)).toMatchObject({ lateUs: 60_000, late: 0, disturbedMs: 0 });
  expect(scene.account(30_000, 70_000)).toMatchObject({ lateUs: 60_000, late: 100, disturbedMs: 300 });
});
