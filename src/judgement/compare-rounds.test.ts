import { expect, test } from "bun:test";
import { fixtureThroughputs } from "../../test/support/fixture-run.ts";
import { measureOf } from "../measures/catalogue.ts";
import { listSections } from "../measures/sections.ts";
import type { BurstPhase } from "../result/phase.ts";
import { pairUp } from "./compare-rounds.ts";

const throughputs = { "bun-native": [40, 41, 40], "node-ws": [20, 20, 20] };

/** Twenty slices: bun-native 1.5 times as fast in each, and a pause of its in one of ten where it pauses. */
function slice(phase: BurstPhase, contender: string, pauses: boolean): BurstPhase {
  const isFirst = contender === "bun-native";
  const slices = Array.from({ length: 20 }, (_, block) => ({
    block,
    place: 0,
    spanMs: 100,
    p50Us: 100,
    p99Us: 200,
    delivered: 2000,
    expected: 2000,
    deliveriesPerSecond: isFirst ? (pauses && block % 10 === 0 ? 3000 : 30_000) : 20_000,
    cpuUsPerDelivery: isFirst ? 10 : 20,
  }));
  return { ...phase, slices };
}

function ratios(measure: string, alter: (phase: BurstPhase, contender: string) => BurstPhase): number[] {
  const [section] = listSections(fixtureThroughputs(throughputs, alter));
  const [pair] = pairUp(section?.participants ?? [], measureOf(measure));
  return (pair?.logRatios ?? []).map((log) => (log === null ? Number.NaN : Math.exp(log)));
}

test("without slices a round's ratio is that of its whole phase, in the direction of better", () => {
  const whole = (phase: BurstPhase) => phase;
  expect(ratios("throughput", whole)).toEqual([2, 2.05, 2].map((ratio) => expect.closeTo(ratio, 6)));
  expect(ratios("latency.p99", whole).map((ratio) => ratio > 1.9)).toEqual([true, true, true]);
});

test("with slices it is theirs, for throughput and CPU per delivery", () => {
  const sliced = (phase: BurstPhase, contender: string) => slice(phase, contender, false);
  expect(ratios("throughput", sliced)).toEqual([1.5, 1.5, 1.5].map((ratio) => expect.closeTo(ratio, 6)));
  expect(ratios("cpu-per-delivery", sliced)).toEqual([2, 2, 2].map((ratio) => expect.closeTo(ratio, 6)));
  expect(ratios("latency.p99", sliced)[0]).toBeGreaterThan(1.9);
});

test("where one pauses in some slices of every round, their sums count", () => {
  const pausing = (phase: BurstPhase, contender: string) => slice(phase, contender, true);
  const total = (18 * 30_000 + 2 * 3000) / (20 * 20_000);
  expect(ratios("throughput", pausing)).toEqual(
    [total, total, total].map((ratio) => expect.closeTo(ratio, 6)),
  );
});

test("a run of which only some rounds have slices is told by its phases", () => {
  let phases = 0;
  const partly = (phase: BurstPhase, contender: string) =>
    phases++ < 2 ? slice(phase, contender, false) : phase;
  expect(ratios("throughput", partly)).toEqual([2, 2.05, 2].map((ratio) => expect.closeTo(ratio, 6)));
});
