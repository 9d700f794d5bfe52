import { expect, test } from "bun:test";
import fc from "fast-check";
import { Recorder } from "./recorder.ts";

const startUs = 10_000_000;
const at = (ms: number) => startUs + ms * 1000;

function createRecorder(broadcasts: number): Recorder {
  const recorder = new Recorder(broadcasts);
  recorder.begin(startUs);
  return recorder;
}

/** `[second, sent, delivered]` of what a recorder hands over. */
function seconds(recorder: Recorder, nowMs: number, all = false) {
  return recorder.takeSeconds(at(nowMs), all).map(({ second, sent, delivered }) => [second, sent, delivered]);
}

test("what happens is counted in the second in which it happens, a delivery in that of its arrival", () => {
  const recorder = createRecorder(0);
  recorder.recordSend(at(0), 0);
  recorder.recordSend(at(999.999), 0);
  recorder.recordDelivery(at(1000), at(0), 0, -1);
  recorder.recordSend(at(1500), 0);
  recorder.recordDelivery(at(4200), at(1500), 0, -1);
  expect(seconds(recorder, 4300, true)).toEqual([
    [0, 2, 0],
    [1, 1, 1],
    [4, 0, 1],
  ]);
});

test("what another machine sent is a delivery of its second, and in no latency but its own", () => {
  const recorder = createRecorder(0);
  recorder.recordDelivery(at(10), at(0), 0, -1);
  recorder.recordOneWay(at(1030), at(1000));
  // By the other clock it was sent after it came.
  recorder.recordOneWay(at(1030), at(1040));
  const taken = recorder.takeSeconds(at(2000), true);
  expect(taken.map(({ delivered, latency }) => [delivered, latency.count])).toEqual([
    [1, 1],
    [2, 0],
  ]);
  expect(recorder.delivered).toBe(3);
  expect(recorder.uncorrected.count).toBe(1);
  expect(recorder.oneWay).toMatchObject({ count: 2, min: 0, max: 30_000 });
});

test("a second is handed over when it has ended, and once", () => {
  const recorder = createRecorder(0);
  recorder.recordSend(at(100), 0);
  expect(seconds(recorder, 999)).toEqual([]);
  expect(seconds(recorder, 1000)).toEqual([[0, 1, 0]]);
  expect(seconds(recorder, 1001)).toEqual([]);
  expect(seconds(recorder, 5000, true)).toEqual([]);
});

test("the seconds sum to the whole, whenever they are taken", () => {
  fc.assert(
    fc.property(
      fc.array(fc.record({ gapMs: fc.nat({ max: 700 }), take: fc.boolean() }), { maxLength: 60 }),
      (steps) => {
        const recorder = createRecorder(0);
        const taken = [];
        let nowMs = 0;
        for (const { gapMs, take } of steps) {
          nowMs += gapMs;
          recorder.recordSend(at(nowMs), 0);
          recorder.recordDelivery(at(nowMs), at(nowMs), 0, -1);
          if (take) taken.push(...recorder.takeSeconds(at(nowMs), false));
        }
        taken.push(...recorder.takeSeconds(at(nowMs), true));
        expect(taken.reduce((sum, { sent }) => sum + sent, 0)).toBe(steps.length);
        expect(taken.reduce((sum, { delivered }) => sum + delivered, 0)).toBe(steps.length);
        expect(taken.reduce((sum, { latency }) => sum + latency.count, 0)).toBe(steps.length);
        expect(recorder).toMatchObject({ sent: steps.length, delivered: steps.length });
        const order = taken.map(({ second }) => second);
        expect(order).toEqual(order.toSorted((a, b) => a - b));
        expect(new Set(order).size).toBe(order.length);
      },
    ),
  );
});

test("latency counts from the intended time, the uncorrected one from the actual sending", () => {
  const recorder = createRecorder(0);
  recorder.recordSend(at(5), 5000);
  recorder.recordDelivery(at(7), at(0), 5000, -1);
  const [second] = recorder.takeSeconds(at(8), true);
  expect(second?.latency.max).toBe(7000);
  expect(recorder.uncorrected.max).toBe(2000);
  expect(recorder.sendLag.max).toBe(5000);
});

test.each([
  ["from the sending, when everything before had arrived", [[0, 0, 500]], [[0, 500]]],
  [
    "from the last arrival, when others came meanwhile",
    [
      [0, 0, 10],
      [5, 0, 200],
    ],
    [[10, 200]],
  ],
  ["not before it was really sent", [[0, 300, 380]], [[300, 380]]],
  [
    "not below 50 ms",
    [
      [0, 0, 49.9],
      [60, 0, 100],
    ],
    [],
  ],
  [
    "not while nothing was owed",
    [
      [0, 0, 1],
      [900, 0, 901],
    ],
    [],
  ],
  [
    "each by itself",
    [
      [0, 0, 100],
      [1, 0, 100],
      [200, 0, 300],
    ],
    [
      [0, 100],
      [200, 300],
    ],
  ],
] as const)("a silence counts %s", (_, deliveries, silences) => {
  const recorder = createRecorder(0);
  for (const [dueMs, lagMs, arrivedMs] of deliveries) {
    recorder.recordDelivery(at(arrivedMs), at(dueMs), lagMs * 1000, -1);
  }
  expect(recorder.silences).toEqual(silences.map(([from, to]) => [at(from), at(to)]));
});

test("silences are in order and do not overlap, whatever arrives when", () => {
  const delivery = fc.record({
    gapUs: fc.nat({ max: 200_000 }),
    agoUs: fc.nat({ max: 900_000 }),
    lagUs: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(delivery, { maxLength: 50 }), (deliveries) => {
      const recorder = createRecorder(0);
      let nowUs = startUs + 1_000_000;
      for (const { gapUs, agoUs, lagUs } of deliveries) {
        nowUs += gapUs;
        recorder.recordDelivery(nowUs, nowUs - agoUs, Math.min(lagUs, agoUs), -1);
      }
      let endUs = 0;
      for (const [from, to] of recorder.silences) {
        expect(from).toBeGreaterThanOrEqual(endUs);
        expect(to - from).toBeGreaterThanOrEqual(50_000);
        endUs = to;
      }
    }),
  );
});

test("of a phase with many thousand silences the longest are kept", () => {
  const recorder = createRecorder(0);
  for (let second = 0; second < 20_000; second += 1) {
    const gapMs = second === 17_777 ? 900 : 60 + (second % 100);
    recorder.recordDelivery(at(second * 1000 + gapMs), at(second * 1000), 0, -1);
  }
  expect(recorder.silences.length).toBeLessThanOrEqual(4096);
  expect(recorder.silences).toContainEqual([at(17_777_000), at(17_777_900)]);
});

test("receivers are told apart per broadcast", () => {
  const recorder = createRecorder(2);
  recorder.recordDelivery(at(1), at(0), 0, 0);
  recorder.recordDelivery(at(3), at(0), 0, 1);
  recorder.recordDelivery(at(4), at(0), 0, 1);
  expect(recorder.receivers().map(({ count, min, max }) => [count, min, max])).toEqual([
    [1, 1000, 1000],
    [2, 3000, 4000],
  ]);
});

test.each([1, 16, 17, 100, 160, 1000, 100_000])(
  "of %i broadcasts at most 16 are tracked, evenly",
  (count) => {
    const recorder = createRecorder(count);
    for (let broadcast = 0; broadcast < count; broadcast += 1) {
      recorder.recordDelivery(at(broadcast), at(0), 0, broadcast);
    }
    const tracked = recorder.receivers().filter((receiver) => receiver.count === 1);
    const numbers = tracked.map(({ max }) => max / 1000);
    expect(tracked.length).toBeLessThanOrEqual(16);
    expect(tracked.length).toBeGreaterThan(Math.min(count, 16) / 2 - 1);
    const stretch = Math.ceil(count / 16);
    for (const [at, number] of numbers.entries()) expect(Math.floor(number / stretch)).toBe(at);
    // Ten senders in turn: all of them are among those tracked.
    if (count >= 100) expect(new Set(numbers.map((number) => number % 10)).size).toBeGreaterThanOrEqual(5);
  },
);
