import { afterEach, beforeEach, expect, test } from "bun:test";
import fc from "fast-check";
import { burstPacer, steadyPacer } from "./pacer.ts";

/**
 * A world with a clock of its own: timers and immediates run in the order in which they are due, and time
 * passes only as the test says. It stands in for the globals, which the pacer uses as they are.
 */
class World {
  nowUs = 0;
  turns = 0;
  #waiting: { readonly dueUs: number; readonly run: () => void }[] = [];
  readonly #turnUs: number;

  /** @param turnUs what one turn of the event loop takes */
  constructor(turnUs: number) {
    this.#turnUs = turnUs;
  }

  later(run: () => void, delayMs: number): void {
    this.#waiting.push({ dueUs: this.nowUs + delayMs * 1000, run });
  }

  run(until: () => boolean = () => false): void {
    while (this.#waiting.length > 0 && !until()) {
      if (++this.turns > 100_000) throw new Error("the pacer never ends");
      const next = this.#waiting.reduce((first, one) => (one.dueUs < first.dueUs ? one : first));
      this.#waiting = this.#waiting.filter((one) => one !== next);
      this.nowUs = Math.max(this.nowUs, next.dueUs) + this.#turnUs;
      next.run();
    }
  }
}

const real = { setTimeout: globalThis.setTimeout, setImmediate: globalThis.setImmediate };
let world: World;

function enter(turnUs: number): World {
  world = new World(turnUs);
  return world;
}

beforeEach(() => {
  Object.assign(globalThis, {
    setTimeout: (run: () => void, delayMs: number) => world.later(run, delayMs),
    setImmediate: (run: () => void) => world.later(run, 0),
  });
});
afterEach(() => void Object.assign(globalThis, real));

interface Sent {
  readonly send: number;
  readonly dueUs: number;
  readonly atUs: number;
  readonly turn: number;
}

function pace(
  dues: readonly number[],
  pacing: "spin" | "timer",
  { turnUs = 1, sendUs = 0, freeze }: { turnUs?: number; sendUs?: number; freeze?: [number, number] } = {},
): Sent[] {
  const { nowUs: startUs } = enter(turnUs);
  const sent: Sent[] = [];
  let finished = 0;
  const pacer = steadyPacer({
    count: dues.length,
    pacing,
    clockUs: () => world.nowUs,
    dueUs: (send) => startUs + (dues[send] ?? Number.NaN),
    send: (send, dueUs) => {
      if (send === freeze?.[0]) world.nowUs += freeze[1];
      sent.push({ send, dueUs, atUs: world.nowUs, turn: world.turns });
      world.nowUs += sendUs;
    },
    finish: () => void finished++,
  });
  pacer.start();
  world.run();
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

test.each([
  // A turn takes 10 µs: spinning is never later than one turn, a timer than the rest of its millisecond.
  ["spin", 10],
  ["timer", 1010],
] as const)("%s is late by no more than %i µs when nothing holds it up", (pacing, mostUs) => {
  const dues = Array.from({ length: 200 }, (_, send) => send * 1234);
  for (const { dueUs, atUs } of pace(dues, pacing, { turnUs: 10 })) {
    expect(atUs - dueUs).toBeLessThanOrEqual(mostUs);
  }
});

test("timer pacing sleeps where spinning asks the clock all the time", () => {
  pace(everyMs(50), "timer", { turnUs: 1 });
  const { turns } = world;
  expect(turns).toBeLessThan(60);
  pace(everyMs(50), "spin", { turnUs: 1 });
  expect(world.turns).toBeGreaterThan(100 * turns);
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
    clockUs: () => world.nowUs,
    dueUs: (send) => send * 1000,
    send: () => void sent++,
    finish: () => expect.unreachable(),
  });
  pacer.start();
  world.run(() => sent >= 10);
  pacer.stop();
  const before = sent;
  world.run();
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
  pacer.start();
  world.run();
  expect(finished).toBe(1);
  return turns;
}

test("a burst is sent whole, in order, a batch per turn of the event loop", () => {
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
  const turns = burst(20, 10, () => world.turns > 0 && ++blockedTurns <= 20);
  expect(turns).toHaveLength(2);
  expect(blockedTurns).toBe(21);
});
