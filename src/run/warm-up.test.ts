import { expect, test } from "bun:test";
import { fixturePlan } from "../../test/support/fixture-result.ts";
import { warmUpPlan } from "./warm-up.ts";

test("the paced part of a warm-up is as short for a plan of a day as for any other", () => {
  const plan = fixturePlan({
    connections: 50_000,
    enduranceSeconds: 86_400,
    enduranceRatePerSecond: 1e6,
    warmupSeconds: 2,
  });
  const { connections, enduranceSeconds, enduranceRatePerSecond } = warmUpPlan(plan);
  expect(connections).toBe(100);
  expect(enduranceSeconds * enduranceRatePerSecond).toBeLessThanOrEqual(200);
});

test("a plan that is smaller than that is warmed up as it is", () => {
  const plan = fixturePlan({ connections: 10, enduranceRatePerSecond: 500, warmupSeconds: 0.05 });
  expect(warmUpPlan(plan)).toMatchObject({
    connections: 10,
    enduranceRatePerSecond: 500,
    enduranceSeconds: 0.05,
  });
});
