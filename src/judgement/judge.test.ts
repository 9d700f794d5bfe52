import { expect, test } from "bun:test";
import { fixtureCases } from "../../test/support/fixture-cases.ts";
import {
  bunNative,
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
import { alterPhases, firstRoundOnly, fixtureRun } from "../../test/support/fixture-run.ts";
import { judgementSchema } from "../result/judgement.ts";
import type { Result } from "../result/schema.ts";
import { judge } from "./judge.ts";

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
  const { outcome, best, rounds, places } = judged(fixtureRun(), "burst-echo", "throughput");
  expect({ outcome, best, rounds }).toEqual({ outcome: "leads", best: ["bun-native"], rounds: 5 });
  expect(places.map(({ contender }) => contender)).toEqual([
    "bun-native",
    "go-gorilla",
    "node-ws",
    "elixir-genserver",
  ]);
  expect(places[0]?.ratio).toBeNull();
  expect(places[1]?.ratio?.value).toBeCloseTo(1.33, 2);
  expect(places[1]?.ratio?.low).toBeGreaterThan(1);
});

test("where the second may be as good, nobody leads, and both are among the best", () => {
  const { outcome, best } = judged(fixtureRun(), "connect", "memory-per-connection");
  expect({ outcome, best }).toEqual({ outcome: "undecided", best: ["elixir-genserver", "node-ws"] });
});

test("one round ranks nobody", () => {
  const { outcome, places } = judged(firstRoundOnly(fixtureRun()), "burst-echo", "throughput");
  expect(outcome).toBe("single");
  expect(places.every(({ ratio }) => ratio === null)).toBe(true);
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
  expect(judged(slower, "endurance-echo", "sustained")).toMatchObject({
    outcome: "undecided",
    best: ["bun-native", "elixir-genserver", "go-gorilla"],
  });
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
    outcome: "undecided",
    best: ["bun-native"],
  });
});
