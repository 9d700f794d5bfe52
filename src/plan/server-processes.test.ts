import { expect, test } from "bun:test";
import fc from "fast-check";
import { countServerProcesses, mostPerProcess } from "./server-processes.ts";

test("one process as long as its descriptors are enough, and as many as a million takes", () => {
  const limit = 20_000;
  expect(countServerProcesses(mostPerProcess(limit), limit)).toBe(1);
  expect(countServerProcesses(mostPerProcess(limit) + 1, limit)).toBe(2);
  expect(countServerProcesses(1_000_000, limit)).toBe(53);
  expect(countServerProcesses(1_000_000, null)).toBe(1);
});

/** The system gives each connection to one of the processes by chance. */
function spread(connections: number, processes: number, seed: number): number[] {
  const counts = new Array<number>(processes).fill(0);
  let state = seed | 1;
  for (let connection = 0; connection < connections; connection += 1) {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    const drawn = (state >>> 0) % processes;
    counts[drawn] = (counts[drawn] as number) + 1;
  }
  return counts;
}

test("however the system spreads them, no process gets more than it can hold", () => {
  const scenes = fc.record({
    connections: fc.integer({ min: 500, max: 20_000 }),
    limit: fc.integer({ min: 300, max: 2000 }),
    seed: fc.integer(),
  });
  fc.assert(
    fc.property(scenes, ({ connections, limit, seed }) => {
      const processes = countServerProcesses(connections, limit);
      expect(Math.max(...spread(connections, processes, seed))).toBeLessThanOrEqual(mostPerProcess(limit));
    }),
    { numRuns: 50 },
  );
});
