import { expect, test } from "bun:test";
import {
  alterPhases,
  firstRoundOnly,
  fixtureRun,
  scaleThroughput,
} from "../../../test/support/fixture-run.ts";
import { isShowdownError } from "../../errors.ts";
import type { Result } from "../../result/schema.ts";
import { compareResults } from "./comparison.ts";
import { parseFailOns } from "./gate-grammar.ts";
import { checkFailOns } from "./gates.ts";

const before = fixtureRun();
const after: Result = { ...before, id: "later", startedAt: "2026-03-02T10:00:00.000Z" };

function check(changed: Result, ...expressions: string[]) {
  const comparison = compareResults(before, changed);
  return checkFailOns(comparison, parseFailOns(expressions, comparison));
}

function outcomesOf(changed: Result, ...expressions: string[]) {
  return check(changed, ...expressions).map(({ outcome }) => outcome);
}

function problemOf(expression: string): string {
  try {
    parseFailOns([expression], compareResults(before, after));
  } catch (error) {
    if (isShowdownError(error, "usage")) return error.message;
    throw error;
  }
  return "none";
}

test("it fails from the change on that was given, when that is beyond doubt", () => {
  const slower = scaleThroughput(after, "go-gorilla", 0.9);
  const rule = (percent: number) => `go-gorilla burst-echo throughput worse by ${percent}%`;
  expect(outcomesOf(slower, rule(5), rule(9.9), rule(11))).toEqual(["failed", "failed", "passed"]);
  expect(outcomesOf(after, rule(5))).toEqual(["passed"]);
  expect(outcomesOf(scaleThroughput(after, "go-gorilla", 1.5), rule(5))).toEqual(["passed"]);
});

test("a change that the rounds don't prove passes, and says so", () => {
  const noisy = alterPhases(after, "go-gorilla", "burst", (phase, round) => ({
    ...phase,
    throughput:
      phase.throughput === null
        ? null
        : {
            ...phase.throughput,
            deliveriesPerSecond: [9000, 40_000, 26_000, 12_000, 60_000][round - 1] ?? 0,
          },
  }));
  const [outcome] = check(noisy, "go-gorilla burst-echo throughput worse by 5%");
  expect(outcome?.outcome).toBe("passed");
  expect(outcome?.text).toEndWith("not beyond doubt");
});

test("a quantile that B does not reach any more fails, and in one round alone is undecided", () => {
  const losing = (rounds: number) =>
    alterPhases(after, "go-gorilla", "burst", (phase, round) =>
      round > rounds
        ? phase
        : { ...phase, latencyUs: { ...phase.latencyUs, p99: null, owed: phase.latencyUs.count * 2 } },
    );
  const rule = "go-gorilla burst-echo latency.p99 worse by 50%";
  const [all] = check(losing(5), rule);
  expect(all?.outcome).toBe("failed");
  expect(all?.text).toContain("not reached in 5 of 5 rounds");
  expect(outcomesOf(losing(4), rule)).toEqual(["failed"]);
  expect(outcomesOf(losing(1), rule)).toEqual(["undecided"]);
});

test("a latency fails when it rises", () => {
  const slower = alterPhases(after, "node-ws", "endurance", (phase) => ({
    ...phase,
    latencyUs: { ...phase.latencyUs, p99: (phase.latencyUs.p99 ?? 0) * 1.5 },
  }));
  const outcomes = check(slower, "endurance-echo latency.p99 worse by 10%");
  expect(outcomes.map(({ contender, outcome }) => [contender, outcome])).toEqual([
    ["bun-native", "passed"],
    ["elixir-genserver", "passed"],
    ["go-gorilla", "passed"],
    ["node-ws", "failed"],
  ]);
});

test("what can't be judged is undecided, never passed", () => {
  const rule = "go-gorilla burst-echo throughput worse by 5%";
  const single = firstRoundOnly(scaleThroughput(after, "go-gorilla", 0.1));
  const [outcome] = check(single, rule);
  expect(outcome).toMatchObject({ outcome: "undecided" });
  expect(outcome?.text).toContain("a single round in B: no claim");
  const elsewhere = { ...after, environment: { ...after.environment, cpuModel: "another" } };
  expect(outcomesOf(elsewhere, rule)).toEqual(["undecided"]);
  const otherPlan = { ...after, plan: { ...after.plan, connections: 5 } };
  expect(outcomesOf(otherPlan, rule)).toEqual(["undecided"]);
  const absent = {
    ...after,
    contenders: after.contenders.filter(({ name }) => name !== "go-gorilla"),
    rounds: [],
  };
  expect(outcomesOf(absent, rule)).toEqual(["undecided"]);
});

test("a contender that fails in B has failed", () => {
  const crashed = alterPhases(after, "go-gorilla", "burst", (phase) => ({
    ...phase,
    status: "failed",
    reason: { kind: "server-exited", exit: { code: null, signal: "SIGSEGV" }, connections: 12 },
  }));
  const [outcome] = check(crashed, "go-gorilla burst-echo throughput worse by 5%");
  expect(outcome).toMatchObject({ outcome: "failed" });
  expect(outcome?.text).toMatch(/has no value any more .*SIGSEGV/);
});

test("nothing lost in both runs passes", () => {
  expect(outcomesOf(after, "go-gorilla burst-echo lost worse by 5%")).toEqual(["passed"]);
});

test("a run compared with itself is refused: its own figures never get worse", () => {
  const itself = compareResults(before, before);
  expect(() => parseFailOns(["throughput worse by 5%"], itself)).toThrow("A and B are the same run");
  expect(parseFailOns([], itself)).toEqual([]);
});

test.each([
  ["go-gorilla burst-echo throughput", "expected [CONTENDER] [PHASE] MEASURE worse by N%"],
  ["go-gorilla burst-echo throughput -5%", "expected [CONTENDER] [PHASE] MEASURE worse by N%"],
  ["go-gorilla burst-echo throughput worse by 5", 'value "5": expected a number with the unit %'],
  ["go-gorilla burst-echo throughput worse by -5%", 'value "-5%": expected a number with the unit %'],
  ["worse by 5%", "no measure is named"],
  ["go-gorilla burst-echo throughput worse by 100%", "nothing can fall by 100%"],
  ["go-gorila burst-echo throughput worse by 5%", 'did you mean "go-gorilla"?'],
  ["go-gorilla burst-rooms throughput worse by 5%", 'no phase "burst-rooms"'],
  ["go-gorilla burst-echo troughput worse by 5%", 'did you mean "throughput"?'],
])("%p is refused: %p", (expression, problem) => {
  expect(problemOf(expression)).toContain(problem);
});
