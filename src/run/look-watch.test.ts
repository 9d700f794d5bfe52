import { expect, test } from "bun:test";
import { fixtureThroughputs } from "../../test/support/fixture-run.ts";
import type { Result } from "../result/schema.ts";
import type { RunEvent } from "./events.ts";
import { LookWatch, mostRounds, planLooks } from "./look-watch.ts";
import { RunRecord } from "./run-record.ts";

test("looks follow from the time and the first round alone", () => {
  expect(planLooks(3, 60_000, 10_000)).toEqual([3, 4, 5, 6]);
  // What ends nearest to the time, be it a little later: a fourth round is worth more than a quarter of the limits.
  expect(planLooks(3, 120_000, 32_000)).toEqual([3, 4]);
  expect(planLooks(3, 120_000, 35_000)).toEqual([3]);
  // The fewest are done whatever they take.
  expect(planLooks(3, 60_000, 40_000)).toEqual([3]);
  expect(planLooks(1, 60_000, 30_000)).toEqual([2]);
  expect(planLooks(5, 60_000, 12_000)).toEqual([5]);
  expect(planLooks(3, 3_600_000, 1).at(-1)).toBe(mostRounds);
});

/** Rounds as they come in, one after another, until the watch has seen enough. */
async function watch(result: Result, maxMinutes: number, awaited?: readonly string[]) {
  const plan = { ...result.plan, rounds: 3, untilPercent: 5, maxMinutes };
  const record = new RunRecord({ ...result, plan, rounds: [], looks: null }, "/nowhere");
  const events: Extract<RunEvent, { kind: "looked" }>[] = [];
  let rounds = 0;
  const onEvent = (event: RunEvent) => {
    if (event.kind === "looked") events.push(event);
  };
  // Every round takes 10 s.
  const watched = new LookWatch({ plan, record, onEvent, awaited, clockUs: () => rounds * 10_000_000 });
  do {
    rounds += 1;
    await record.keep({ rounds: result.rounds.filter(({ round }) => round <= rounds) });
  } while (await watched.goesOn(rounds));
  return { rounds, looks: record.result.looks, events };
}

const steady = [100, 101, 99, 100, 101, 100, 99, 100, 101, 100];
const restless = [100, 130, 80, 110, 70, 120, 90, 140, 75, 115];

test("it ends as soon as every pair is decided", async () => {
  const run = fixtureThroughputs({ "bun-native": steady.map((rate) => rate * 1.3), "node-ws": steady });
  const { rounds, looks, events } = await watch(run, 1);
  expect(rounds).toBe(3);
  expect(looks).toMatchObject({ taken: [3], pairs: 3, decided: 3, ended: "decided" });
  expect(looks?.planned).toEqual([3, 4, 5, 6]);
  expect(events).toMatchObject([{ kind: "looked", open: [] }]);
});

test("undecided pairs take all rounds that the time allows, planned after the first", async () => {
  const run = fixtureThroughputs({ "bun-native": restless, "node-ws": steady });
  const { rounds, looks, events } = await watch(run, 1);
  expect(rounds).toBe(6);
  expect(looks).toMatchObject({ planned: [3, 4, 5, 6], taken: [3, 4, 5, 6], decided: 0, ended: "time" });
  expect(events.map(({ looks: { ended } }) => ended === null)).toEqual(
    events.map((_, at) => at < events.length - 1),
  );
  expect(events[0]?.open).toContainEqual({ measure: "throughput", phase: "burst-echo" });
});

test("one contender has nothing to be compared with, however long it takes", async () => {
  const { rounds, looks } = await watch(fixtureThroughputs({ "node-ws": steady }), 1);
  expect({ rounds, ended: looks?.ended }).toEqual({ rounds: 3, ended: "nothing-to-compare" });
});

test("only what is awaited holds it up", async () => {
  const run = fixtureThroughputs({ "bun-native": restless, "node-ws": steady }, (phase) => ({
    ...phase,
    latencyUs: { ...phase.latencyUs, p99: 1000 },
  }));
  const { rounds, looks } = await watch(run, 1, ["latency.p99"]);
  expect({ rounds, ...looks }).toMatchObject({ rounds: 3, pairs: 1, decided: 1, ended: "decided" });
});
