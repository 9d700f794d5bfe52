import { expect, test } from "bun:test";
import fc from "fast-check";
import { connectionStages } from "../../plan/attack/connection-stages.ts";
import { countOf, rateSegments } from "../../plan/attack/rate.ts";
import { shareMessages } from "./own-messages.ts";

const rate = [{ seconds: 4, fromPerSecond: 100, toPerSecond: 100 }];

function messagesOf(worker: number, workers: number, stages: Parameters<typeof shareMessages>[1]): number[] {
  const own = shareMessages(rate, stages, { worker, workers });
  return Array.from({ length: own.count }, (_, send) => own.message(send));
}

test("without stages workers take turns from the first message on", () => {
  expect(messagesOf(1, 3, null).slice(0, 3)).toEqual([1, 4, 7]);
});

test("a worker takes part a second after its first connection was to open, until shortly before that is to close", () => {
  const stages = connectionStages([
    { seconds: 2, value: 4 },
    { seconds: 2, value: 0 },
  ]);
  // Connection 1 is wanted from 0.5 s to 3.5 s.
  const [first = [], second = []] = [0, 1].map((worker) => messagesOf(worker, 2, stages));
  expect(second[0]).toBe(151);
  expect(second.at(-1)).toBe(323);
  expect(first.filter((message) => message < 150)).toHaveLength(150);
  expect(first.filter((message) => message >= 325)).toHaveLength(75);
});

test("whatever the stages, each message is exactly one worker's, in order", () => {
  const seconds = fc.integer({ min: 1, max: 9 });
  const list = (max: number) =>
    fc.array(fc.record({ seconds, value: fc.integer({ min: 0, max }) }), { minLength: 1, maxLength: 6 });
  fc.assert(
    fc.property(list(200), list(12), fc.integer({ min: 1, max: 5 }), (rates, connections, workers) => {
      const segments = rateSegments(rates);
      const stages = connectionStages(connections);
      const all = Array.from({ length: workers }, (_, worker) => {
        const own = shareMessages(segments, stages, { worker, workers });
        const messages = Array.from({ length: own.count }, (__, send) => own.message(send));
        expect(messages).toEqual(messages.toSorted((a, b) => a - b));
        return messages;
      });
      const count = countOf(segments);
      expect(all.flat().sort((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, at) => at));
    }),
    { numRuns: 100 },
  );
});
