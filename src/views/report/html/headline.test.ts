import { expect, test } from "bun:test";
import { fixtureCases } from "../../../../test/support/fixture-cases.ts";
import {
  bunNative,
  elixirGenserver,
  fixturePlan,
  fixtureResult,
} from "../../../../test/support/fixture-result.ts";
import type { Result } from "../../../result/schema.ts";
import { judge } from "../verdict/verdict.ts";
import { describeHeadline } from "./headline.ts";

function headlineOf(result: Result): string {
  return describeHeadline(judge(result), result);
}

test("one round is said to be one, and claims nothing beyond itself", () => {
  const result = fixtureResult({ contenders: [bunNative, elixirGenserver] });
  expect(headlineOf(result)).toMatch(/^In this one round, .* was ahead in /);
});

test("several rounds name the best only where that is clear", () => {
  const result = fixtureResult({
    plan: fixturePlan({ rounds: 5 }),
    contenders: [bunNative, elixirGenserver],
  });
  const { items } = judge(result);
  const clear = items.some(
    ({ outcome, use }) =>
      use === "burst" && outcome.kind === "compared" && outcome.rivals.every(({ isClear }) => isClear),
  );
  expect(clear).toBe(true);
  expect(headlineOf(result)).toMatch(/bun-native .*burst echo/);
});

test("an A/A run has no winner", () => {
  const twin = { ...bunNative, variant: "twin" };
  const text = headlineOf(fixtureResult({ plan: fixturePlan({ rounds: 5 }), contenders: [bunNative, twin] }));
  expect(text).not.toContain("is best");
});

test("whoever failed is named", () => {
  const result = fixtureCases["every-status"];
  if (result === undefined) throw new Error("the fixture is gone: expected every-status");
  expect(headlineOf(result)).toEndWith(
    "go-gorilla and go-gorilla:tuned failed; elixir-genserver was aborted.",
  );
});

test("nobody to compare with, and nothing measured", () => {
  expect(headlineOf(fixtureResult({ contenders: [bunNative] }))).toBe(
    "Only one contender has figures that count: there is nobody to compare it with.",
  );
  expect(headlineOf(fixtureResult({ rounds: [] }))).toBe(
    "Nothing was measured to its end: there is no verdict.",
  );
});
