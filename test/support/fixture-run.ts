import { nameOfRound } from "../../src/measures/sections.ts";
import type { BurstPhase, Phase, RanPhase } from "../../src/result/phase.ts";
import type { Result } from "../../src/result/schema.ts";
import { fixtureBurst, fixturePlan, fixtureResult } from "./fixture-result.ts";

/** A run of five rounds of connect, burst-echo and endurance-echo by every contender, for the tests of comparisons. */
export function fixtureRun(changes: Partial<Result> = {}): Result {
  const { contenders } = fixtureResult();
  const plan = fixturePlan({
    rounds: 5,
    phases: [
      { kind: "connect" },
      { kind: "burst", workload: "echo" },
      { kind: "endurance", workload: "echo" },
    ],
    entrants: contenders.map(({ name, variant }) => ({ contender: name, variant })),
  });
  return structuredClone(fixtureResult({ plan, ...changes }));
}

/** The same run with one contender's phases of a kind changed, of those that ran. */
export function alterPhases<K extends Phase["kind"]>(
  result: Result,
  contender: string,
  kind: K,
  alter: (phase: Extract<RanPhase, { kind: K }>, round: number) => Phase,
): Result {
  const isOfKind = (phase: Phase): phase is Extract<RanPhase, { kind: K }> =>
    phase.kind === kind && phase.status !== "not-run";
  const rounds = result.rounds.map((round) =>
    nameOfRound(round) === contender
      ? {
          ...round,
          phases: round.phases.map((phase) => (isOfKind(phase) ? alter(phase, round.round) : phase)),
        }
      : round,
  );
  return { ...result, rounds };
}

/** The same run with one contender's throughput in bursts multiplied. */
export function scaleThroughput(result: Result, contender: string, factor: number): Result {
  return alterPhases(result, contender, "burst", (phase) => ({
    ...phase,
    throughput:
      phase.throughput === null
        ? null
        : { ...phase.throughput, deliveriesPerSecond: phase.throughput.deliveriesPerSecond * factor },
  }));
}

/** The same run, as if only its first round had been planned. */
export function firstRoundOnly(result: Result): Result {
  return {
    ...result,
    plan: { ...result.plan, rounds: 1 },
    rounds: result.rounds.filter(({ round }) => round === 1),
  };
}

/** A run of nothing but burst-echo, by contender its throughput in thousands per second in each round. */
export function fixtureThroughputs(
  throughputs: Readonly<Record<string, readonly number[]>>,
  alter: (phase: BurstPhase, contender: string) => BurstPhase = (phase) => phase,
): Result {
  const contenders = fixtureResult().contenders.filter(({ name }) => name in throughputs);
  const rounds = Math.max(...Object.values(throughputs).map(({ length }) => length));
  const plan = fixturePlan({ rounds, phases: [{ kind: "burst", workload: "echo" }] });
  const run = fixtureResult({ plan, contenders });
  return {
    ...run,
    rounds: run.rounds.map((round) => {
      const perSecond = (throughputs[round.contender]?.[round.round - 1] ?? 0) * 1000;
      const phase = fixtureBurst(plan, "echo", perSecond / 20_000);
      return { ...round, phases: [alter(phase, round.contender)] };
    }),
  };
}
