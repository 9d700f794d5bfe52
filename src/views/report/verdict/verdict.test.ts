import { expect, test } from "bun:test";
import { fixtureCases } from "../../../../test/support/fixture-cases.ts";
import {
  bunNative,
  fixtureCapacity,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  goGorilla,
  nodeWs,
} from "../../../../test/support/fixture-result.ts";
import type { Result, Round } from "../../../result/schema.ts";
import { describeChoice } from "./choice.ts";
import { judge, type Use, type VerdictItem } from "./verdict.ts";

function itemOf(result: Result, use: Use, phase?: string): VerdictItem {
  const item = judge(result).items.find(
    (one) => one.use === use && (phase === undefined || one.phase === phase),
  );
  if (item === undefined) throw new Error(`no verdict for ${use}`);
  return item;
}

/** Five rounds of two contenders whose burst throughput is given by round. */
function bursts(first: readonly number[], second: readonly number[]): Result {
  const plan = fixturePlan({ rounds: first.length, phases: [{ kind: "burst", workload: "echo" }] });
  const contenders = [bunNative, nodeWs];
  const rounds = fixtureRounds(contenders, plan).map((round): Round => {
    const values = round.contender === "bun-native" ? first : second;
    const deliveriesPerSecond = values[round.round - 1] ?? 0;
    const phases = round.phases.map((phase) => ({
      ...phase,
      throughput: { deliveriesPerSecond, sendsPerSecond: deliveriesPerSecond, spanMs: 1, sendSpanMs: 1 },
    }));
    return { ...round, phases };
  });
  return fixtureResult({ contenders, plan, rounds });
}

test("a clear difference over rounds is claimed with its limits", () => {
  const { outcome, text } = itemOf(
    bursts([2000, 2020, 1980, 2010, 1990], [1000, 1015, 995, 1000, 990]),
    "burst",
  );
  if (outcome.kind !== "compared") throw new Error(outcome.kind);
  const [rival] = outcome.rivals;
  expect(outcome.leader).toMatchObject({ name: "bun-native", value: 2000 });
  expect(rival).toMatchObject({ name: "node-ws", isClear: true });
  expect(rival?.limits?.[0]).toBeGreaterThan(1.9);
  expect(text).toMatch(
    /^Burst echo \(5 rounds\): bun-native delivered the most, 2,000\/s: 2\.0\d? times as many as/,
  );
});

test("a difference within the noise is a tie", () => {
  const { outcome, text } = itemOf(
    bursts([1000, 1300, 900, 1100, 1000], [1100, 950, 1200, 900, 1020]),
    "burst",
  );
  if (outcome.kind !== "compared") throw new Error(outcome.kind);
  expect(outcome.rivals[0]?.isClear).toBe(false);
  expect(text).toContain("no clear difference between");
});

/** Five rounds of a capacity, three of whose contenders end by their own doing. */
function searched(rates: Readonly<Record<string, readonly number[]>>, isLowerBound = false): Result {
  const plan = fixturePlan({ rounds: 5, phases: [{ kind: "capacity", workload: "echo" }] });
  const contenders = [bunNative, goGorilla, nodeWs];
  const rounds = fixtureRounds(contenders, plan).map((round): Round => {
    const ratePerSecond = rates[round.contender]?.[round.round - 1] ?? 0;
    const isBound = isLowerBound && round.contender === "bun-native";
    const phase = fixtureCapacity(plan, "echo", 1, { ratePerSecond, isLowerBound: isBound });
    return { ...round, phases: [phase] };
  });
  return fixtureResult({ contenders, plan, rounds });
}

test("a difference between capacities counts from the precision of the search on, however far others are", () => {
  const twice = (rate: number) => [rate, rate, rate, rate, rate];
  const rates = { "bun-native": twice(291_000), "go-gorilla": twice(2090), "node-ws": twice(2000) };
  const close = itemOf(searched(rates), "sustained").outcome;
  if (close.kind !== "compared") throw new Error(close.kind);
  expect(close.leader.name).toBe("bun-native");
  expect(close.rivals.map(({ isClear }) => isClear)).toEqual([true, true]);
  const pair = judge(searched({ ...rates, "bun-native": twice(2085) })).items[0];
  if (pair?.outcome.kind !== "compared") throw new Error(pair?.text);
  expect(pair.outcome.rivals.map(({ isClear }) => isClear)).toEqual([false, false]);
  const apart = judge(searched({ ...rates, "go-gorilla": twice(2200), "bun-native": twice(2000) })).items[0];
  if (apart?.outcome.kind !== "compared") throw new Error(apart?.text);
  expect(apart.outcome.rivals.map(({ isClear }) => isClear)).toEqual([true, true]);
});

test("nobody is called the best while something else ended another's search", () => {
  const same = [30_000, 30_100, 30_200, 29_900, 30_000];
  const rates = {
    "bun-native": [64_000, 60_000, 64_000, 62_000, 64_000],
    "go-gorilla": same,
    "node-ws": [20_000, 20_100, 20_000, 19_900, 20_000],
  };
  const { text, unranked } = itemOf(searched(rates, true), "sustained");
  expect(unranked).toEqual([
    {
      name: "bun-native",
      reason: "at least 64,000/s, no doing of the server ended the search",
      atLeast: 64_000,
    },
  ]);
  expect(text).toContain("sustained the most of those whose limit was found");
});

test("one round is reported as one round and claims nothing beyond it", () => {
  const result = bursts([2000], [1000]);
  const { outcome, text } = itemOf(result, "burst");
  if (outcome.kind !== "compared") throw new Error(outcome.kind);
  expect(outcome.rivals[0]).toMatchObject({ ratio: 2, limits: null, isClear: null });
  expect(text).toBe(
    "Burst echo (one round): bun-native delivered the most, 2,000/s: 2 times as many as node-ws (1,000/s).",
  );
  expect(judge(result).remarks[0]).toContain("One round supports no claim");
});

test("in one round a small difference is called close", () => {
  expect(itemOf(bursts([1000], [980]), "burst").text).toContain("came within 2.0 % of each other");
});

test("equal counts are equal, and who did not take part is named", () => {
  expect(itemOf(fixtureResult(), "connections").text).toBe(
    "Connect (one round): all four opened 25,000 connections.",
  );
  const stopped = fixtureCases.stopped ?? fixtureResult();
  expect(itemOf(stopped, "connections").text).toContain(
    "Not ranked: go-gorilla (did not come to this phase).",
  );
});

test("what was aborted, failed or void is never ranked, with its reason", () => {
  const result = fixtureCases["every-status"] ?? fixtureResult();
  const echo = itemOf(result, "burst", "Burst echo");
  expect(echo.unranked).toContainEqual({
    name: "node-ws",
    reason: "void: the generator was the bottleneck: send lag p99 212 ms",
  });
  const named = echo.outcome.kind === "compared" ? [echo.outcome.leader, ...echo.outcome.rivals] : [];
  expect(named.map(({ name }) => name)).not.toContain("node-ws");
});

test("a rate is not told without the share that was lost on the way", () => {
  const result = fixtureCases["every-status"] ?? fixtureResult();
  expect(itemOf(result, "burst", "Burst broadcast").text).toContain(
    "go-gorilla lost 31.2 % of its deliveries (all of it declared).",
  );
});

test("different work is not ranked silently", () => {
  const { remarks } = judge(fixtureResult({ contenders: [bunNative, goGorilla] }));
  expect(remarks.join(" ")).toContain(
    "bun-native reads the JSON of each message, go-gorilla reads only its first bytes",
  );
  expect(judge(fixtureResult({ contenders: [bunNative, nodeWs] })).remarks.join(" ")).not.toContain(
    "same work",
  );
});

test("one contender, and none", () => {
  expect(itemOf(fixtureResult({ contenders: [bunNative] }), "burst").text).toContain(
    "nobody to compare it with",
  );
  expect(judge(fixtureCases["nothing-run"] ?? fixtureResult())).toEqual({
    items: [],
    declared: [],
    remarks: ["Nothing was measured, so there is nothing to judge."],
  });
});

test("advice is given no further than the figures go", () => {
  const clear = bursts([2000, 2020, 1980, 2010, 1990], [1000, 1015, 995, 1000, 990]);
  expect(itemOf(clear, "burst").choice).toBe(
    "Choose bun-native when bursts of answers to single clients matter most.",
  );
  const tie = bursts([1000, 1300, 900, 1100, 1000], [1100, 950, 1200, 900, 1020]);
  expect(itemOf(tie, "burst").choice).toMatch(
    /^Choose (bun-native or node-ws|node-ws or bun-native) when .*: a tie\.$/,
  );
  expect(itemOf(bursts([2000], [1000]), "burst").choice).toStartWith(
    "By this one round, choose bun-native when",
  );
  expect(itemOf(fixtureResult(), "connections").choice).toContain("they are equal");
  const alone = fixtureResult({ contenders: [bunNative] });
  expect(itemOf(alone, "burst").choice).toBeNull();
});

test("a difference that is clear and below 1 % is no reason to choose", () => {
  const { choice, text } = itemOf(bursts([1000, 1001, 1000, 999, 1000], [998, 999, 998, 997, 998]), "burst");
  expect(choice).toContain("Choose bun-native or node-ws when");
  expect(choice).toContain("less than 1 % lies between them");
  expect(text).toContain("0.2 % more than node-ws");
});

test("nobody is advised while somebody else may hold more", () => {
  const same = [30_000, 30_100, 30_200, 29_900, 30_000];
  const rates = {
    "bun-native": [64_000, 60_000, 64_000, 62_000, 64_000],
    "go-gorilla": same,
    "node-ws": same,
  };
  expect(itemOf(searched(rates, true), "sustained").choice).toBeNull();
});

test("what no phase measures is advised by the manifests", () => {
  expect(judge(fixtureResult()).declared).toEqual([
    "Choose bun-native (bun build --compile) when a single binary to deploy matters; not elixir-genserver. By their manifests.",
  ]);
});

test("whoever dies of one client's fault is not advised, however well it did by share", () => {
  const chaos = fixtureCases.chaos ?? fixtureResult();
  const { choice, died } = itemOf(chaos, "faults");
  expect(died.length).toBeGreaterThan(0);
  const [advised = "", why] = (choice ?? "").split(": ");
  for (const name of died) expect(advised).not.toContain(name);
  expect(why).toStartWith("one client's fault ended ");
  expect(describeChoice({ ...itemOf(chaos, "faults"), died: [bunNative.name] })).toContain(
    "choose elixir-genserver",
  );
  const nobody = chaos.contenders.map(({ name }) => name);
  expect(describeChoice({ ...itemOf(chaos, "faults"), died: nobody })).toStartWith(
    "By this one round, none of them when",
  );
});
