import { expect, test } from "bun:test";
import { fixturePlan } from "../../test/support/fixture-result.ts";
import { warmUpPlan } from "./warm-up.ts";

test("a warm-up is as short for a plan of millions of messages as for any other", () => {
  const plan = fixturePlan({
    connections: 50_000,
    messagesPerConnection: 20_000,
    enduranceSeconds: 86_400,
    enduranceRatePerSecond: 1e6,
    warmupSeconds: 2,
  });
  const { connections, messagesPerConnection, enduranceSeconds, enduranceRatePerSecond } = warmUpPlan(plan);
  expect(connections * messagesPerConnection).toBeLessThanOrEqual(10_000);
  expect(enduranceSeconds * enduranceRatePerSecond).toBeLessThanOrEqual(4000);
});

test("a plan that is smaller than that is warmed up as it is", () => {
  const plan = fixturePlan({ connections: 10, messagesPerConnection: 5 });
  expect(warmUpPlan(plan)).toMatchObject({ connections: 10, messagesPerConnection: 5 });
});
