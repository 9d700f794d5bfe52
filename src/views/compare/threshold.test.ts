import { expect, test } from "bun:test";
import { fixtureExchange } from "../../../test/support/fixture-result.ts";
import { alterPhases, fixtureRun } from "../../../test/support/fixture-run.ts";
import { UsageError } from "../../errors.ts";
import type { Phase, Result } from "../../result/schema.ts";
import { checkThresholds, parseThresholds } from "./threshold.ts";

const run = fixtureRun();

function check(result: Result, ...expressions: string[]) {
  return checkThresholds(result, parseThresholds(expressions, result.plan));
}

function problemsOf(...expressions: string[]): string {
  try {
    parseThresholds(expressions, run.plan);
  } catch (error) {
    if (error instanceof UsageError) return error.message;
    throw error;
  }
  return "none";
}

/** Endurance of `go-gorilla` with this p99 by round. */
function withP99(...byRound: number[]): Result {
  return alterPhases(run, "go-gorilla", "endurance", (phase, round): Phase => {
    const { latencyUs } = phase;
    const p99 = byRound[round - 1] ?? 0;
    return { ...phase, latencyUs: latencyUs === null ? null : { ...latencyUs, p99 } };
  });
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
    ok: true,
    text: "latency.p99 of go-gorilla in endurance-echo is 49.5 ms, as expected: < 50.0 ms",
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
  const oks = texts.map((text) => check(result, `go-gorilla endurance-echo latency.p99 ${text}`)[0]?.ok);
  expect(oks).toEqual([false, true, true, true, true, true, true]);
});

test("without a contender everyone is checked, and one of them can fail it", () => {
  const outcomes = check(withP99(9e6, 9e6, 9e6, 9e6, 9e6), "endurance latency.p99 < 1s");
  expect(outcomes.map(({ contender, ok }) => [contender, ok])).toEqual([
    ["bun-native", true],
    ["elixir-genserver", true],
    ["go-gorilla", false],
    ["node-ws", true],
  ]);
});

test("of faults the worst round counts", () => {
  const result = alterPhases(run, "node-ws", "burst", (phase, round) =>
    round === 2 && phase.messages !== null
      ? { ...phase, messages: { ...phase.messages, delivered: phase.messages.expected - 7, lost: 7 } }
      : phase,
  );
  const [outcome] = check(result, "node-ws burst-echo lost = 0");
  expect(outcome).toMatchObject({ value: 7, ok: false });
  expect(check(result, "node-ws burst-echo lost <= 7", "go-gorilla lost = 0").map(({ ok }) => ok)).toEqual([
    true,
    true,
    true,
  ]);
});

test("units of bytes, rates and shares", () => {
  const expressions = [
    "go-gorilla burst-echo peak-memory < 1 GB",
    "go-gorilla burst-echo peak-memory < 1 MiB",
    "go-gorilla burst-echo throughput > 20,000/s",
    "go-gorilla burst-echo throughput > 20000",
    "go-gorilla held.share >= 99.9%",
    "go-gorilla connect connections = 25000",
  ];
  const outcomes = expressions.map((expression) => check(run, expression)[0]?.ok);
  expect(outcomes).toEqual([true, false, true, true, true, true]);
});

test("what was not measured does not meet a threshold, and says why", () => {
  const failed = alterPhases(run, "go-gorilla", "endurance", (phase) => ({
    ...phase,
    status: "failed",
    reason: "the server crashed",
  }));
  expect(check(failed, "go-gorilla latency.p99 < 1s")).toMatchObject([
    { phase: "burst-echo" },
    {
      phase: "endurance-echo",
      value: null,
      ok: false,
      text: "latency.p99 of go-gorilla in endurance-echo is unknown (failed: the server crashed), expected: < 1.00 s",
    },
  ]);
  const absent = {
    ...run,
    contenders: run.contenders.map((facts) =>
      facts.name === "go-gorilla" ? { ...facts, notRun: "toolchain missing: go" } : facts,
    ),
  };
  expect(check(absent, "go-gorilla burst throughput > 1")).toMatchObject([
    {
      ok: false,
      value: null,
      text: "throughput of go-gorilla is unknown (it did not run), expected: > 1/s",
    },
  ]);
});

test("a quantile that the samples don't support is unknown, not met", () => {
  const few = alterPhases(run, "go-gorilla", "burst", () =>
    fixtureExchange({ ...run.plan, connections: 10 }, "burst", "echo", 1),
  );
  expect(check(few, "go-gorilla burst latency.p99.9 < 10s")).toMatchObject([{ value: null, ok: false }]);
});

test.each([
  ["endurance-echo latency.p99 < 50", 'value "50": expected a number with one of the units µs, ms, s'],
  ["endurance-echo latency.p99 < 50 MB", 'value "50 MB": expected a number with one of the units µs, ms, s'],
  ["latency.p99 < fast", 'value "fast"'],
  ["latency.p99 < -5ms", 'value "-5ms"'],
  ["latency.p99 < ", 'value ""'],
  ["latency.p99 50ms", "expected one of <, <=, >, >=, ="],
  ["1ms < latency.p99 < 50ms", "expected one of <, <=, >, >=, ="],
  ["latency.p99 == 50ms", "expected one of <, <=, >, >=, ="],
  ["< 50ms", "no measure is named"],
  ["held.share > 150%", 'value "150%": expected at most 100 %'],
  ["held.share > 0.9", 'value "0.9": expected a number with the unit %'],
  ["lost < 5%", 'value "5%": expected a number without a unit'],
  ["peak-memory < 5mb", 'value "5mb"'],
  ["bun-nativ latency.p99 < 1s", 'did you mean "bun-native"?'],
  ["burst-rooms latency.p99 < 1s", 'no contender or phase "burst-rooms"'],
  ["latency.p98 < 1s", 'did you mean "latency.p99"?'],
])("%p is refused: %p", (expression, problem) => {
  expect(problemsOf(expression)).toContain(problem);
});

test("all problems are told at once", () => {
  expect(problemsOf("latency.p98 < 1s", "throughput > 1", "lost < x")).toMatch(/latency\.p98.*\n.*lost < x/s);
});
