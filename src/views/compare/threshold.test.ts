import { expect, test } from "bun:test";
import { fixtureBurst } from "../../../test/support/fixture-result.ts";
import { alterPhases, fixtureRun } from "../../../test/support/fixture-run.ts";
import { isShowdownError } from "../../errors.ts";
import type { Result } from "../../result/schema.ts";
import { parseThresholds } from "./gate-grammar.ts";
import { checkThresholds } from "./gates.ts";

const run = fixtureRun();

function check(result: Result, ...expressions: string[]) {
  return checkThresholds(result, parseThresholds(expressions, result.plan));
}

function problemsOf(...expressions: string[]): string {
  try {
    parseThresholds(expressions, run.plan);
  } catch (error) {
    if (isShowdownError(error, "usage")) return error.message;
    throw error;
  }
  return "none";
}

/** Endurance of `go-gorilla` with this p99 by round. */
function withP99(...byRound: number[]): Result {
  return alterPhases(run, "go-gorilla", "endurance", (phase, round) => ({
    ...phase,
    latencyUs: { ...phase.latencyUs, p99: byRound[round - 1] ?? 0 },
  }));
}

test("the median of the rounds is held against the limit, in the limit's unit", () => {
  const result = withP99(49_000, 70_000, 51_000, 48_000, 49_500);
  const [outcome] = check(result, "go-gorilla endurance-echo latency.p99 < 50ms");
  expect(outcome).toEqual({
    expression: "go-gorilla endurance-echo latency.p99 < 50ms",
    contender: "go-gorilla",
    phase: "endurance-echo",
    measure: "latency.p99",
    unit: "latency",
    value: 49_500,
    outcome: "passed",
    text: "latency.p99 of go-gorilla in endurance-echo is 49.5 ms; the limit is < 50.0 ms",
  });
  const texts = [
    "< 49.5 ms",
    "<= 49500 µs",
    "< 0.0496s",
    "> 49,499us",
    "> 49499 μs",
    ">= 49_500 µs",
    "= 49.5ms",
  ];
  const oks = texts.map((text) => check(result, `go-gorilla endurance-echo latency.p99 ${text}`)[0]?.outcome);
  expect(oks).toEqual(["failed", ...Array(6).fill("passed")]);
});

test("without a contender everyone is checked, and one of them can fail it", () => {
  const outcomes = check(withP99(9e6, 9e6, 9e6, 9e6, 9e6), "endurance latency.p99 < 1s");
  expect(outcomes.map(({ contender, outcome }) => [contender, outcome])).toEqual([
    ["bun-native", "passed"],
    ["elixir-genserver", "passed"],
    ["go-gorilla", "failed"],
    ["node-ws", "passed"],
  ]);
});

test("of faults the worst round counts", () => {
  const result = alterPhases(run, "node-ws", "burst", (phase, round) =>
    round === 2
      ? { ...phase, messages: { ...phase.messages, delivered: phase.messages.expected - 7, lost: 7 } }
      : phase,
  );
  const [outcome] = check(result, "node-ws burst-echo lost = 0");
  expect(outcome).toMatchObject({ value: 7, outcome: "failed" });
  expect(
    check(result, "node-ws burst-echo lost <= 7", "go-gorilla lost = 0").map(({ outcome }) => outcome),
  ).toEqual(["passed", "passed", "passed"]);
});

test("units of bytes, rates and shares", () => {
  const expressions = [
    "go-gorilla burst-echo peak-memory < 1 GB",
    "go-gorilla burst-echo peak-memory < 1 MiB",
    "go-gorilla burst-echo throughput > 20,000/s",
    "go-gorilla burst-echo throughput > 20000",
    "go-gorilla sustained.share >= 99.9%",
    "go-gorilla connect connections = 25000",
  ];
  const outcomes = expressions.map((expression) => check(run, expression)[0]?.outcome);
  expect(outcomes).toEqual(["passed", "failed", "passed", "passed", "passed", "passed"]);
});

test("what was not measured does not meet a threshold, and says why", () => {
  const failed = alterPhases(run, "go-gorilla", "endurance", (phase) => ({
    ...phase,
    status: "failed",
    reason: { kind: "server-exited", exit: { code: null, signal: "SIGSEGV" }, connections: 12 },
  }));
  expect(check(failed, "go-gorilla latency.p99 < 1s")).toMatchObject([
    { phase: "burst-echo" },
    {
      phase: "endurance-echo",
      value: null,
      outcome: "failed",
      text: expect.stringMatching(
        /^latency\.p99 of go-gorilla in endurance-echo is unknown \(failed: .*SIGSEGV.*\); the limit is < 1\.00 s$/,
      ),
    },
  ]);
  const absent = {
    ...run,
    contenders: run.contenders.map((facts) =>
      facts.name === "go-gorilla"
        ? { ...facts, notRun: { kind: "build-failed", problem: "no such file" } as const }
        : facts,
    ),
  };
  expect(check(absent, "go-gorilla burst throughput > 1")).toMatchObject([
    {
      outcome: "failed",
      value: null,
      text: "throughput of go-gorilla in burst-echo is unknown (it did not run); the limit is > 1/s",
    },
  ]);
});

test("a quantile that the samples don't support is unknown, not met", () => {
  const few = alterPhases(run, "go-gorilla", "burst", () =>
    fixtureBurst({ ...run.plan, connections: 10 }, "echo", 1),
  );
  expect(check(few, "go-gorilla burst latency.p99.9 < 10s")).toMatchObject([
    { value: null, outcome: "failed" },
  ]);
});

test.each([
  ["endurance-echo latency.p99 < 50", 'value "50": expected a number with one of the units µs, ms, s'],
  ["endurance-echo latency.p99 < 50 MB", 'value "50 MB": expected a number with one of the units µs, ms, s'],
  ["latency.p99 < fast", 'value "fast"'],
  ["latency.p99 < -5ms", 'value "-5ms"'],
  ["latency.p99 < ", 'value ""'],
  ["latency.p99 50ms", "expected [CONTENDER] [PHASE] MEASURE < VALUE"],
  ["1ms < latency.p99 < 50ms", "expected [CONTENDER] [PHASE] MEASURE < VALUE"],
  ["latency.p99 == 50ms", "expected [CONTENDER] [PHASE] MEASURE < VALUE"],
  ["< 50ms", "no measure is named"],
  ["sustained.share > 150%", 'value "150%": expected at most 100 %'],
  ["sustained.share > 0.9", 'value "0.9": expected a number with the unit %'],
  ["lost < 5%", 'value "5%": expected a number without a unit'],
  ["peak-memory < 5mb", 'value "5mb"'],
  ["bun-nativ latency.p99 < 1s", 'did you mean "bun-native"?'],
  ["burst-rooms latency.p99 < 1s", 'no contender or phase "burst-rooms"'],
  ["latency.p98 < 1s", 'did you mean "latency.p90"?'],
])("%p is refused: %p", (expression, problem) => {
  expect(problemsOf(expression)).toContain(problem);
});

test("all problems are told at once", () => {
  expect(problemsOf("latency.p98 < 1s", "throughput > 1", "lost < x")).toMatch(/latency\.p98.*\n.*lost < x/s);
});
