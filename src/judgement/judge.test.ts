import { expect, test } from "bun:test";
import { fixtureCases } from "../../test/support/fixture-cases.ts";
import {
  bunNative,
  elixirGenserver,
  fixtureBurst,
  fixtureCapacity,
  fixtureConnect,
  fixtureEndurance,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  goGorilla,
  messageCounts,
  nodeWs,
} from "../../test/support/fixture-result.ts";
import {
  alterPhases,
  firstRoundOnly,
  fixtureRun,
  fixtureThroughputs,
} from "../../test/support/fixture-run.ts";
import { judgementSchema } from "../result/judgement.ts";
import type { Result } from "../result/schema.ts";
import { judge } from "./judge.ts";
import { leagueOf } from "./league.ts";

function judged(result: Result, phase: string, measure: string) {
  const found = judge(result).find((one) => one.phase === phase && one.measure === measure);
  if (found === undefined) throw new Error(`no judgement of ${measure} in ${phase}`);
  return found;
}

function standings(result: Result, phase: string, measure: string): Record<string, string> {
  return Object.fromEntries(
    judged(result, phase, measure).places.map(({ contender, standing }) => [contender, standing]),
  );
}

test.each(Object.entries(fixtureCases))("%s has judgements as the schema has them", (_, result) => {
  for (const judgement of judge(result)) expect(judgementSchema.safeParse(judgement).error).toBeUndefined();
});

test("who is clearly better than all others leads, with the ratio and its limits", () => {
  const { outcome, best, rounds, places, pairs } = judged(fixtureRun(), "burst-echo", "throughput");
  expect({ outcome, best, rounds }).toEqual({ outcome: "leads", best: ["bun-native"], rounds: 5 });
  expect(places.map(({ contender }) => contender)).toEqual([
    "bun-native",
    "go-gorilla",
    "node-ws",
    "elixir-genserver",
  ]);
  const pair = pairs.find(({ first, second }) => first === "bun-native" && second === "go-gorilla");
  if (pair?.kind !== "leads") throw new Error("expected a lead");
  expect(pair.ratio).toBeCloseTo(1.33, 2);
  expect(pair.low).toBeGreaterThan(1);
  expect(pair).toMatchObject({ confidence: 0.95, decidedAt: 5, withinMargin: false });
  expect(pairs).toHaveLength(6);
});

test("where the second may be as good, nobody leads, and both are among the best", () => {
  const { outcome, best } = judged(fixtureRun(), "connect", "memory-per-connection");
  expect({ outcome, best }).toEqual({ outcome: "undecided", best: ["elixir-genserver", "node-ws"] });
});

test("who differs by less than the margin for sure is equal, and all equals are the best", () => {
  const result = fixtureThroughputs({
    "bun-native": [100, 101, 99, 100, 100],
    "go-gorilla": [101, 100, 100, 99, 101],
    "node-ws": [80, 81, 79, 80, 80],
  });
  const { outcome, best, pairs } = judged(result, "burst-echo", "throughput");
  expect({ outcome, best }).toEqual({ outcome: "equivalent", best: ["bun-native", "go-gorilla"] });
  expect(pairs.find(({ kind }) => kind === "equivalent")).toMatchObject({ confidence: 0.9, decidedAt: 5 });
  // A margin below what the rounds can tell.
  const strict = { ...result, plan: { ...result.plan, marginPercent: 0.5 } };
  expect(judged(strict, "burst-echo", "throughput").outcome).toBe("undecided");
});

test("a lead that is smaller than the margin for sure is marked", () => {
  const result = fixtureThroughputs({
    "bun-native": [102, 102.2, 101.8, 102.1, 101.9],
    "go-gorilla": [100, 100, 100, 100, 100],
  });
  const { outcome, pairs } = judged(result, "burst-echo", "throughput");
  expect(outcome).toBe("leads");
  expect(pairs).toMatchObject([{ kind: "leads", first: "bun-native", withinMargin: true }]);
});

test("no difference found is undecided, with the rounds that a decision would take", () => {
  const result = fixtureThroughputs({
    "bun-native": [100, 130, 90, 120, 80],
    "go-gorilla": [110, 100, 105, 95, 100],
  });
  const { outcome, best, pairs } = judged(result, "burst-echo", "throughput");
  expect({ outcome, best }).toEqual({ outcome: "undecided", best: ["bun-native", "go-gorilla"] });
  const [pair] = pairs;
  if (pair?.kind !== "undecided") throw new Error("expected no decision");
  expect(pair.low).toBeLessThan(0.85);
  expect(pair.further.atMost).toBeGreaterThan(50);
});

test("nobody is the best whom anybody leads, whatever the first one's own ratio to it says", () => {
  const result = fixtureThroughputs({
    "bun-native": [100, 120, 85, 115, 90],
    "go-gorilla": [100, 101, 99, 100, 101],
    "node-ws": [90, 91, 89, 90, 91],
  });
  const { best, pairs } = judged(result, "burst-echo", "throughput");
  const kindOf = (one: string, other: string) =>
    pairs.find(({ first, second }) => [first, second].sort().join() === [one, other].sort().join())?.kind;
  expect([kindOf("bun-native", "node-ws"), kindOf("go-gorilla", "node-ws")]).toEqual(["undecided", "leads"]);
  expect(best.toSorted()).toEqual(["bun-native", "go-gorilla"]);
});

test("each league has judgements of its own, and nobody is compared across them", () => {
  const tuned = { ...goGorilla, variant: "tuned", approach: "tuned" } as const;
  const article = { ...elixirGenserver, variant: "article", approach: "article" } as const;
  const plan = fixturePlan({ rounds: 5, phases: [{ kind: "burst", workload: "echo" }] });
  const contenders = [bunNative, tuned, nodeWs, article];
  const result = fixtureResult({ plan, contenders, rounds: fixtureRounds(contenders, plan) });
  const throughputs = judge(result).filter(({ measure }) => measure === "throughput");
  expect(throughputs.map(({ league, outcome, places }) => [league, outcome, places.length])).toEqual([
    ["idiomatic", "leads", 2],
    ["tuned", "alone", 1],
    ["article", "alone", 1],
  ]);
  expect(throughputs.flatMap(({ pairs }) => pairs.map(({ second }) => second))).toEqual(["node-ws"]);
});

test.each([
  [[0], [1], 1, false],
  [[0, 1], [0, 1], 2, true],
  [null, null, null, true],
])(
  "a server on CPUs %j, a generator on %j: each judgement says so",
  (serverCpus, workerCpus, count, shared) => {
    const run = fixtureRun();
    const judgements = judge({ ...run, plan: { ...run.plan, serverCpus, workerCpus } });
    expect(judgements.length).toBeGreaterThan(0);
    for (const one of judgements) expect(one).toMatchObject({ serverCpus: count, sharesCpus: shared });
  },
);

test("floors have figures and are ranked against nobody, each other included", () => {
  const result = fixtureRun();
  const floors = ["bun-native", "node-ws"];
  const contenders = result.contenders.map((facts) =>
    floors.includes(facts.name) ? { ...facts, approach: "floor" as const } : facts,
  );
  const judgements = judge({ ...result, contenders });
  const ofFloors = judgements.filter(({ league }) => league === "floor");
  for (const { pairs, places } of ofFloors) {
    expect({ pairs, places: places.length }).toEqual({ pairs: [], places: 1 });
    expect(places[0]?.value).toBeGreaterThan(0);
  }
  const others = judgements.filter(({ league }) => league !== "floor");
  const throughputs = ofFloors.filter(
    ({ phase, measure }) => phase === "burst-echo" && measure === "throughput",
  );
  expect(throughputs.map(({ places }) => places[0]?.contender).sort()).toEqual(floors);
  for (const name of floors) expect(JSON.stringify(others)).not.toContain(name);
});

test("a server without a library is ranked among the plain ones, unless it is tuned", () => {
  expect(leagueOf({ approach: "raw", variant: "default" })).toBe("idiomatic");
  expect(leagueOf({ approach: "raw", variant: "tuned" })).toBe("tuned");
  expect(leagueOf({ approach: "framework", variant: "tuned" })).toBe("framework");
});

test("one round ranks nobody", () => {
  const { outcome, pairs } = judged(firstRoundOnly(fixtureRun()), "burst-echo", "throughput");
  expect(outcome).toBe("single");
  expect(pairs.every(({ kind }) => kind === "early")).toBe(true);
});

test("rounds are those that the compared pairs share, not the most that anybody has", () => {
  const result = alterPhases(fixtureRun(), "bun-native", "burst", (phase, round) =>
    round < 4
      ? phase
      : {
          ...phase,
          status: "invalid",
          reason: { kind: "server-contention", otherCpuShare: 0.3 },
          throughput: null,
        },
  );
  expect(judged(result, "burst-echo", "throughput").rounds).toBe(3);
});

test("everybody who did all that was asked is no winner", () => {
  for (const [phase, measure] of [
    ["connect", "connections"],
    ["endurance-echo", "sustained"],
  ] as const) {
    const { outcome, best, limit } = judged(fixtureRun(), phase, measure);
    expect({ outcome, best, limit }).toEqual({ outcome: "censored", best: [], limit: null });
  }
});

test("nor is one that a limit of the machine stopped some descriptors later", () => {
  const limit = { kind: "server-descriptors", perProcess: 20_000, inUse: 19_990 } as const;
  const plan = fixturePlan({ rounds: 5, phases: [{ kind: "connect" }] });
  const rounds = fixtureRounds([bunNative, goGorilla], plan).map((round) => {
    const phase = fixtureConnect(plan, 1);
    const open = round.contender === "bun-native" ? 19_930 : 19_872;
    const connections = { ...phase.connections, opened: open, open, failed: 25_000 - open };
    return { ...round, phases: [{ ...phase, connections, limit }] };
  });
  const stopped = fixtureResult({ plan, contenders: [bunNative, goGorilla], rounds });
  expect(judged(stopped, "connect", "connections")).toMatchObject({ outcome: "censored", limit });
  // A server that refuses has found its own limit, and is compared.
  const refusing = alterPhases(stopped, "go-gorilla", "connect", (phase) => ({
    ...phase,
    limit: { kind: "refused", failure: { kind: "http", status: 503 } },
  }));
  expect(judged(refusing, "connect", "connections").outcome).not.toBe("censored");
});

test("who did not sustain the target is compared with those who did", () => {
  const slower = alterPhases(fixtureRun(), "node-ws", "endurance", (phase, round) => ({
    ...phase,
    rate: { offeredPerSecond: 15_000, sustainedPerSecond: 9000 + round, sustainedShare: 0.6 },
  }));
  const { outcome, best, pairs } = judged(slower, "endurance-echo", "sustained");
  // Who of the three could do more is not known, nor that they are equal.
  expect({ outcome, best }).toEqual({
    outcome: "censored",
    best: ["bun-native", "elixir-genserver", "go-gorilla"],
  });
  expect(pairs.map(({ kind, second }) => [kind, second])).toEqual([
    ["leads", "node-ws"],
    ["leads", "node-ws"],
    ["leads", "node-ws"],
  ]);
});

test("who lost more than one delivery in a thousand is shown and not ranked", () => {
  const losing = (lost: number) =>
    alterPhases(fixtureRun(), "bun-native", "burst", (phase) => ({
      ...phase,
      messages: messageCounts(375_000, { delivered: 375_000 - lost, lost }),
    }));
  const unfit = judged(losing(400), "burst-echo", "throughput");
  expect(unfit.places.at(-1)).toMatchObject({ contender: "bun-native", standing: "unfit" });
  expect(unfit.places.at(-1)?.value).toBeGreaterThan(0);
  expect(unfit.best).toEqual(["go-gorilla"]);
  expect(standings(losing(300), "burst-echo", "throughput")["bun-native"]).toBe("ranked");
});

test("a loss in one round is not made good by the others, whatever is measured of them", () => {
  const losing = alterPhases(fixtureRun(), "bun-native", "burst", (phase, round) =>
    round > 1 ? phase : { ...phase, messages: messageCounts(375_000, { delivered: 374_000, lost: 1000 }) },
  );
  for (const measure of ["throughput", "latency.p99", "cpu-per-delivery"]) {
    expect(standings(losing, "burst-echo", measure)["bun-native"]).toBe("unfit");
    expect(standings(losing, "endurance-echo", "latency.p99")["bun-native"]).toBe("ranked");
  }
});

test("a server that failed in one round is not recommended for the others", () => {
  const failing = alterPhases(fixtureRun(), "bun-native", "burst", (phase, round) =>
    round > 1
      ? phase
      : { ...phase, status: "failed", reason: { kind: "all-connections-closed" }, throughput: null },
  );
  const { places } = judged(failing, "burst-echo", "throughput");
  expect(places.at(-1)).toMatchObject({
    contender: "bun-native",
    standing: "unfit",
    reason: { kind: "all-connections-closed" },
  });
});

test("where nobody could be measured the reason is the generator's, or others'", () => {
  const plan = fixturePlan({ rounds: 2, phases: [{ kind: "burst", workload: "echo" }] });
  const rounds = fixtureRounds([bunNative, nodeWs], plan).map((round) => ({
    ...round,
    phases: [
      fixtureBurst(plan, "echo", 1, {
        status: "invalid",
        reason: { kind: "generator-contention", otherCpuShare: 0.4 },
        throughput: null,
      }),
    ],
  }));
  const result = fixtureResult({ plan, contenders: [bunNative, nodeWs], rounds });
  expect(judged(result, "burst-echo", "throughput").outcome).toBe("invalid");
});

test("while somebody may do more than the best, nobody leads", () => {
  const plan = fixturePlan({ rounds: 5, phases: [{ kind: "capacity", workload: "echo" }] });
  const result = (bound: number) =>
    fixtureResult({
      plan,
      contenders: [bunNative, goGorilla, nodeWs],
      rounds: fixtureRounds([bunNative, goGorilla, nodeWs], plan).map((round) =>
        round.contender === "bun-native"
          ? { ...round, phases: [fixtureCapacity(plan, "echo", bound, { isLowerBound: true })] }
          : round,
      ),
    });
  expect(judged(result(4), "capacity-echo", "capacity")).toMatchObject({
    outcome: "undecided",
    best: ["go-gorilla"],
  });
  expect(judged(result(0.5), "capacity-echo", "capacity").outcome).toBe("leads");
  expect(standings(result(4), "capacity-echo", "capacity")["bun-native"]).toBe("lower-bound");
});

test("whose process one client's fault ended is not ranked by those it served until then", () => {
  expect(standings(fixtureCases.chaos as Result, "chaos-rooms", "unaffected.in-time")).toEqual({
    "elixir-genserver": "ranked",
    "bun-native": "unfit",
    "go-gorilla": "unfit",
    "node-ws": "unfit",
  });
});

test("one that did all that was asked where the others failed is no tie", () => {
  const plan = fixturePlan({ rounds: 2, phases: [{ kind: "endurance", workload: "echo" }] });
  const rounds = fixtureRounds([bunNative, nodeWs], plan).map((round) => ({
    ...round,
    phases: [
      fixtureEndurance(
        plan,
        "echo",
        1,
        round.contender === "node-ws"
          ? { status: "failed", reason: { kind: "all-connections-closed" }, rate: null, throughput: null }
          : {},
      ),
    ],
  }));
  const result = fixtureResult({ plan, contenders: [bunNative, nodeWs], rounds });
  expect(judged(result, "endurance-echo", "sustained")).toMatchObject({
    outcome: "alone",
    best: ["bun-native"],
  });
});
