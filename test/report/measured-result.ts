import type { CapacityStep, Phase } from "../../src/result/phase.ts";
import type { Result } from "../../src/result/schema.ts";
import { Histogram, percentileCurve } from "../../src/stats/histogram.ts";
import {
  bunNative,
  elixirGenserver,
  fixtureCapacity,
  fixturePlan,
  fixtureResult,
  fixtureRound,
  fixtureRounds,
  goGorilla,
  nodeWs,
} from "../support/fixture-result.ts";

/** Three rounds with everything that is drawn: curves and timelines. */
export function measuredResult({ contenders: count = 4, enduranceSeconds = 60 } = {}): Result {
  const plan = fixturePlan({ rounds: 3, enduranceSeconds });
  const known = [bunNative, elixirGenserver, goGorilla, nodeWs];
  const contenders = Array.from({ length: count }, (_, at) => ({
    ...(known[at % known.length] ?? bunNative),
    ...(at < known.length ? {} : { variant: `variant-${at}` }),
  }));
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
  if (phase.status === "not-run" || (phase.kind !== "burst" && phase.kind !== "endurance")) return phase;
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
    const fastest = at === 0 ? 160_000 : 40_000;
    const steps = [10_000, 20_000, 40_000, 80_000, 160_000]
      .filter((ratePerSecond) => ratePerSecond <= 2 * fastest)
      .map((ratePerSecond): CapacityStep => {
        const isSustained = ratePerSecond <= fastest;
        return {
          ratePerSecond,
          arrivedPerSecond: ratePerSecond,
          p99Us: isSustained ? 300 + ratePerSecond / 40 : 160_000,
          outcome: isSustained ? "sustained" : "failed",
          reason: isSustained ? null : { kind: "latency", quantile: "p99", latencyUs: 160_000 },
        };
      });
    const phase = fixtureCapacity(plan, "echo", 1, {
      ratePerSecond: fastest,
      isLowerBound: at === 0,
      perCpu: fastest,
      perCpuSecond: fastest,
      steps,
    });
    return fixtureRound(facts, plan, { position: at + 1, phases: [phase] });
  });
  return fixtureResult({ plan, contenders, rounds });
}
