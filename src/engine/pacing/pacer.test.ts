import { expect, test } from "bun:test";
import fc from "fast-check";
import { burstPacer, type Pacer, steadyPacer } from "./pacer.ts";

/** A world with a clock of its own, in place of the socket loop: time passes only as the test and the pacer say. */
class World {
  nowUs = 0;
  turns = 0;
  readonly #turnUs: number;

  /** @param turnUs what one turn of the loop takes */
  constructor(turnUs: number) {
    this.#turnUs = turnUs;
  }

  /** Ends when the pacer has nothing more to do. */
  run(pacer: Pacer, until: () => boolean = () => false): void {
    while (!until()) {
      if (++this.turns > 100_000) throw new Error("the pacer never ends");
      this.nowUs += this.#turnUs;
      const waitUs = pacer.turn();
      expect(waitUs).toBeGreaterThanOrEqual(0);
      if (waitUs === Number.POSITIVE_INFINITY) return;
      this.nowUs += waitUs;
    }
  }
}

let world: World;

function enter(turnUs: number): World {
  world = new World(turnUs);
  return world;
}

interface Sent {
  readonly send: number;
  readonly dueUs: number;
  readonly atUs: number;
  readonly turn: number;
}

interface Circumstances {
  readonly turnUs?: number;
  readonly sendUs?: number;
  readonly freeze?: readonly [number, number];
  readonly isOwed?: () => boolean;
}

function pace(
  dues: readonly number[],
  pacing: "spin" | "timer",
  { turnUs = 1, sendUs = 0, freeze, isOwed = () => true }: Circumstances = {},
): Sent[] {
  const { nowUs: startUs } = enter(turnUs);
  const sent: Sent[] = [];
  let finished = 0;
  const pacer = steadyPacer({
    count: dues.length,
    pacing,
    wakesWithinUs: 100,
    isOwed,
    clockUs: () => world.nowUs,
    dueUs: (send) => startUs + (dues[send] ?? Number.NaN),
    send: (send, dueUs) => {
      if (send === freeze?.[0]) world.nowUs += freeze[1];
      sent.push({ send, dueUs, atUs: world.nowUs, turn: world.turns });
      world.nowUs += sendUs;
    },
    finish: () => void finished++,
  });
  world.run(pacer);
  // The loop goes on turning while answers are awaited.
  expect(pacer.turn()).toBe(Number.POSITIVE_INFINITY);
  expect(finished).toBe(1);
  return sent;
}

const everyMs = (count: number) => Array.from({ length: count }, (_, send) => send * 1000);

test.each(["spin", "timer"] as const)(
  "%s: each send is made once, in order, at its due time or after",
  (pacing) => {
    fc.assert(
      fc.property(
        fc.array(fc.nat({ max: 5000 }), { maxLength: 300 }),
        fc.integer({ min: 1, max: 700 }),
        (gaps, turnUs) => {
          let at = 0;
          const dues = gaps.map((gap) => {
            at += gap;
            return at;
          });
          const sent = pace(dues, pacing, { turnUs });
          expect(sent.map(({ send }) => send)).toEqual(dues.map((_, send) => send));
          expect(sent.map(({ dueUs }) => dueUs)).toEqual(dues);
          for (const { dueUs, atUs } of sent) expect(atUs).toBeGreaterThanOrEqual(dueUs);
        },
      ),
    );
  },
);

test.each(["spin", "timer"] as const)(
  "%s is late by no more than a turn of the loop when nothing holds it up",
  (pacing) => {
    const dues = Array.from({ length: 200 }, (_, send) => send * 1234);
    for (const { dueUs, atUs } of pace(dues, pacing, { turnUs: 10 })) {
      expect(atUs - dueUs).toBeLessThanOrEqual(10);
    }
  },
);

test("timer pacing sleeps where spinning asks the clock all the time", () => {
  pace(everyMs(50), "timer", { turnUs: 1 });
  const { turns } = world;
  expect(turns).toBeLessThan(60);
  pace(everyMs(50), "spin", { turnUs: 1 });
  expect(world.turns).toBeGreaterThan(100 * turns);
});

test("with nothing owed, spinning begins as long before a send as a wait may be late", () => {
  const sent = pace(everyMs(50), "spin", { turnUs: 1, isOwed: () => false });
  // 100 turns of a microsecond each, after one that found out how long to sleep.
  expect(world.turns).toBeGreaterThan(49 * 95);
  expect(world.turns).toBeLessThan(49 * 110);
  for (const { dueUs, atUs } of sent) expect(atUs - dueUs).toBeLessThanOrEqual(1);
});

test("after a standstill, what is overdue is sent at once with the due times it had (coordinated omission)", () => {
  const sent = pace(everyMs(1000), "spin", { turnUs: 10, freeze: [100, 500_000] });
  expect(sent.map(({ dueUs }) => dueUs)).toEqual(everyMs(1000));
  const overdue = sent.slice(101, 600);
  expect(overdue.every(({ dueUs, atUs }) => atUs > dueUs)).toBe(true);
  // The 500 that were missed take a few turns, and from then on the pace is as planned.
  expect(sent.slice(610).every(({ dueUs, atUs }) => atUs - dueUs <= 10)).toBe(true);
});

test("what is overdue is sent in slices, so that arrivals are read in between", () => {
  const sent = pace(everyMs(1000), "spin", { turnUs: 10, freeze: [0, 900_000] });
  const perTurn = new Map<number, number>();
  for (const { turn } of sent) perTurn.set(turn, (perTurn.get(turn) ?? 0) + 1);
  expect(Math.max(...perTurn.values())).toBe(128);
});

test("a rate that can't be held is still sent whole", () => {
  // 1,000 sends per second are due, and each takes 5 ms.
  const sent = pace(everyMs(300), "spin", { sendUs: 5000 });
  expect(sent).toHaveLength(300);
  expect(sent.at(-1)?.dueUs).toBe(299_000);
});

test("a stopped pacer sends nothing more and does not finish", () => {
  enter(10);
  let sent = 0;
  const pacer = steadyPacer({
    count: 100,
    pacing: "timer",
    wakesWithinUs: 100,
    isOwed: () => true,
    clockUs: () => world.nowUs,
    dueUs: (send) => send * 1000,
    send: () => void sent++,
    finish: () => expect.unreachable(),
  });
  world.run(pacer, () => sent >= 10);
  pacer.stop();
  const before = sent;
  world.nowUs += 1e6;
  expect(pacer.turn()).toBe(Number.POSITIVE_INFINITY);
  expect(sent).toBe(before);
});

test("no sends at all are finished at once", () => {
  expect(pace([], "spin")).toEqual([]);
});

function burst(count: number, batch: number, isBlocked: () => boolean = () => false) {
  enter(1);
  const turns: number[][] = [];
  let finished = 0;
  let turn = -1;
  const pacer = burstPacer({
    count,
    batch,
    isBlocked: () => isBlocked(),
    send: (send) => {
      if (turn !== world.turns) turns.push([]);
      turn = world.turns;
      turns.at(-1)?.push(send);
    },
    finish: () => void finished++,
  });
  world.run(pacer);
  expect(pacer.turn()).toBe(Number.POSITIVE_INFINITY);
  expect(finished).toBe(1);
  return turns;
}

test("a burst is sent whole, in order, a batch per turn of the loop", () => {
  fc.assert(
    fc.property(fc.nat({ max: 500 }), fc.integer({ min: 1, max: 120 }), (count, batch) => {
      const turns = burst(count, batch);
      expect(turns.flat()).toEqual(Array.from({ length: count }, (_, send) => send));
      for (const sends of turns.slice(0, -1)) expect(sends).toHaveLength(batch);
    }),
  );
});

test("a burst waits while bytes of the last batch have not been taken", () => {
  let blockedTurns = 0;
  // Blocked for 20 turns after the first batch.
  const turns = burst(20, 10, () => world.turns > 1 && ++blockedTurns <= 20);
  expect(turns).toHaveLength(2);
  expect(blockedTurns).toBe(21);
});
