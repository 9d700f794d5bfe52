import { expect, test } from "bun:test";
import { describeNeighbours, watchIdling } from "./neighbours.ts";
import type { RoundContext } from "./phases/context.ts";

/** A contender whose server has used so much CPU time at each look. */
function contender(name: string, cpuMs: readonly number[], exit: { code: number } | null = null) {
  const left = [...cpuMs];
  const context = {
    target: { process: { exit } },
    watch: { take: async () => ({ cpuMs: left.shift() ?? null }) },
  } as unknown as RoundContext;
  return { options: { contender: name, variant: "default" }, context };
}

test("what each of those used that are there", async () => {
  const end = await watchIdling([
    contender("a", [100, 103]),
    contender("b", [50, 52]),
    contender("dead", [7, 9], { code: 1 }),
    { options: { contender: "never", variant: "there" }, context: null },
  ]);
  expect((await end()).contenders).toEqual([
    { contender: "a", cpuMs: 3 },
    { contender: "b", cpuMs: 2 },
  ]);
});

test("over several slices it is a rate, of each in the slices in which it was there", () => {
  const times = [
    {
      contenders: [
        { contender: "a", cpuMs: 1 },
        { contender: "b", cpuMs: 0 },
      ],
      elapsedMs: 100,
    },
    { contenders: [{ contender: "a", cpuMs: 2 }], elapsedMs: 400 },
  ];
  expect(describeNeighbours(times)).toEqual({
    neighbours: {
      servers: 2,
      cpuMsPerSecond: 6,
      each: [
        { contender: "a", cpuMsPerSecond: 6 },
        { contender: "b", cpuMsPerSecond: 0 },
      ],
    },
  });
  expect(describeNeighbours([{ contenders: [], elapsedMs: 100 }])).toEqual({});
  expect(describeNeighbours([])).toEqual({});
});
