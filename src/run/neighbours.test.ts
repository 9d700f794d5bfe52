import { expect, test } from "bun:test";
import { describeNeighbours, watchIdling } from "./neighbours.ts";
import type { RoundContext } from "./phases/context.ts";

/** A contender whose server has used so much CPU time at each look. */
function contender(cpuMs: readonly number[], exit: { code: number } | null = null) {
  const left = [...cpuMs];
  const context = {
    target: { process: { exit } },
    watch: { take: async () => ({ cpuMs: left.shift() ?? null }) },
  } as unknown as RoundContext;
  return { context };
}

test("what the others use is summed over those that are there", async () => {
  const end = await watchIdling([
    contender([100, 103]),
    contender([50, 52]),
    contender([7, 9], { code: 1 }),
    { context: null },
  ]);
  expect(await end()).toMatchObject({ servers: 2, cpuMs: 5 });
});

test("over several slices it is a rate", () => {
  const times = [
    { servers: 3, cpuMs: 1, elapsedMs: 100 },
    { servers: 2, cpuMs: 2, elapsedMs: 400 },
  ];
  expect(describeNeighbours(times)).toEqual({ neighbours: { servers: 3, cpuMsPerSecond: 6 } });
  expect(describeNeighbours([{ servers: 0, cpuMs: 0, elapsedMs: 100 }])).toEqual({});
  expect(describeNeighbours([])).toEqual({});
});
