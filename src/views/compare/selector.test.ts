import { expect, test } from "bun:test";
import { parseSelector, type Scope } from "./selector.ts";

const scope: Scope = {
  contenders: ["go-gorilla", "go-gorilla:tuned", "node-ws"],
  phases: [
    { name: "connect", kind: "connect" },
    { name: "burst-echo", kind: "burst" },
    { name: "burst-broadcast", kind: "burst" },
    { name: "endurance-echo", kind: "endurance" },
  ],
};

function select(text: string) {
  const parsed = parseSelector(text, scope);
  if (typeof parsed === "string") throw new Error(parsed);
  const { contender, phases, measure } = parsed;
  return [contender, phases, measure.name];
}

function problemOf(text: string): string {
  const parsed = parseSelector(text, scope);
  return typeof parsed === "string" ? parsed : "none";
}

test.each([
  ["go-gorilla burst-echo throughput", ["go-gorilla", ["burst-echo"], "throughput"]],
  [
    "go-gorilla:tuned burst throughput",
    ["go-gorilla:tuned", ["burst-echo", "burst-broadcast"], "throughput"],
  ],
  ["throughput", [null, ["burst-echo", "burst-broadcast", "endurance-echo"], "throughput"]],
  ["endurance-echo latency.p99", [null, ["endurance-echo"], "latency.p99"]],
  ["endurance echo latency p99.9", [null, ["endurance-echo"], "latency.p99.9"]],
  ["connect connections", [null, ["connect"], "connections"]],
  ["node-ws connections rate", ["node-ws", ["connect"], "connections.rate"]],
  ["  node-ws   memory per connection ", ["node-ws", ["connect"], "memory-per-connection"]],
  ["Peak Memory", [null, ["connect", "burst-echo", "burst-broadcast", "endurance-echo"], "peak-memory"]],
])("%p selects %p", (text, expected) => {
  expect<unknown>(select(text)).toEqual(expected);
});

test.each([
  ["go-gorila burst-echo throughput", 'no contender "go-gorila", did you mean "go-gorilla"?'],
  ["go-gorilla burst-eco throughput", 'no phase "burst-eco", did you mean "burst-echo"?'],
  ["burst-ecco throughput", 'no contender or phase "burst-ecco", did you mean "burst-echo"?'],
  ["go-gorilla burst-echo thruput", 'unknown measure "thruput", did you mean "throughput"?'],
  ["go-gorilla burst-rooms throughput", 'no phase "burst-rooms"'],
  ["go-gorilla burst-echo", "no measure is named"],
  ["", "no measure is named"],
  [
    "burst-echo connections",
    "there is no connections in burst-echo; it is measured in phases of kind connect",
  ],
  ["burst-echo sustained", "there is no sustained in burst-echo"],
  ["node-ws go-gorilla throughput", 'no phase "go-gorilla"'],
])("%p is refused: %p", (text, problem) => {
  expect(problemOf(text)).toContain(problem);
});

test("a measure that the plan's phases lack is refused without a phase too", () => {
  const parsed = parseSelector("latency.p99", { ...scope, phases: scope.phases.slice(0, 1) });
  expect(parsed).toBe(
    "there is no latency.p99 in a plan of connect; it is measured in phases of kind burst and steady and endurance",
  );
});
