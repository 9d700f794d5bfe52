import {
  bunNative,
  elixirGenserver,
  fixturePlan,
  fixtureResult,
  fixtureRounds,
} from "../../src/report/fixture-result.ts";
import type { Phase, Result } from "../../src/result/schema.ts";
import { Histogram, percentileCurve } from "../../src/stats/histogram.ts";

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
