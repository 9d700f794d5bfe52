import type { Phase, Result } from "../../src/result/schema.ts";
import { Histogram, percentileCurve } from "../../src/stats/histogram.ts";
import {
  bunNative,
  elixirGenserver,
  fixtureExchange,
  fixturePlan,
  fixtureResult,
  fixtureRound,
  fixtureRounds,
} from "../support/fixture-result.ts";

/** Three rounds with everything that is drawn: curves, timelines, receivers. */
export function measuredResult({ contenders: count = 2, enduranceSeconds = 20 } = {}): Result {
  const plan = fixturePlan({ rounds: 3, enduranceSeconds });
  const contenders = Array.from({ length: count }, (_, at) =>
    at < 2 ? [bunNative, elixirGenserver][at] : { ...bunNative, variant: `variant-${at}` },
  ).filter((facts) => facts !== undefined);
  return fixtureResult({
    plan,
    contenders,
    rounds: fixtureRounds(contenders, plan).map((round, place) => ({
      ...round,
      phases: round.phases.map((phase) => withCurve(phase, place)),
    })),
  });
}

function withCurve(phase: Phase, place: number): Phase {
  if (phase.latencyUs === null) return phase;
  const histogram = new Histogram();
  const p50 = phase.latencyUs.p50 ?? 1;
  // A long tail, another one in every round.
  for (let at = 0; at < 20_000; at += 1) histogram.record(p50 * (0.6 + (1 + place / 10) / (1 + at / 400)));
  return { ...phase, latencyUs: { ...phase.latencyUs, curve: percentileCurve(histogram) } };
}

/** Both searched for their capacity; one was ended by the generator. */
export function capacityResult(): Result {
  const plan = fixturePlan({ phases: [{ kind: "capacity", workload: "echo" }] });
  const contenders = [bunNative, elixirGenserver];
  const rounds = contenders.map((facts, at) => {
    const phase = fixtureExchange(plan, "endurance", "echo", 1);
    const fastest = at === 0 ? 160_000 : 40_000;
    const steps = [10_000, 20_000, 40_000, 80_000, 160_000].map((ratePerSecond) => {
      const held = ratePerSecond <= fastest;
      const p99Us = held ? 300 + ratePerSecond / 40 : 60_000;
      return {
        ratePerSecond,
        heldPerSecond: ratePerSecond,
        p99Us,
        held,
        reason: held ? null : "p99 60.0 ms",
      };
    });
    const capacity = {
      ratePerSecond: fastest,
      isLowerBound: at === 0,
      p99LimitMs: plan.p99LimitMs,
      perCore: fastest,
      perCpuSecond: fastest,
      steps: steps.filter(({ ratePerSecond }) => ratePerSecond <= 2 * fastest),
    };
    return fixtureRound(facts, plan, {
      position: at + 1,
      phases: [{ ...phase, kind: "capacity", capacity }],
    });
  });
  return fixtureResult({ plan, contenders, rounds });
}
