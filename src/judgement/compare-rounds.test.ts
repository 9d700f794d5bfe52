import { expect, test } from "bun:test";
import { fixtureThroughputs } from "../../test/support/fixture-run.ts";
import { measureOf } from "../measures/catalogue.ts";
import { listSections } from "../measures/sections.ts";
import type { BurstPhase } from "../result/phase.ts";
import { pairUp } from "./compare-rounds.ts";
import { judge } from "./judge.ts";

const throughputs = { "bun-native": [40, 41, 40], "node-ws": [20, 20, 20] };

/** Twenty slices of the same work: bun-native's take 80 ms and node-ws's 120, and one in ten 800 where it stalls. */
function slice(phase: BurstPhase, contender: string, stalls: boolean): BurstPhase {
  const isFirst = contender === "bun-native";
  const slices = Array.from({ length: 20 }, (_, block) => {
    const spanMs = isFirst ? (stalls && block % 10 === 0 ? 800 : 80) : 120;
    return {
      block,
      place: 0,
      spanMs,
      p50Us: 100,
      p99Us: 200,
      delivered: 2400,
      expected: 2400,
      deliveriesPerSecond: 2_400_000 / spanMs,
      cpuUsPerDelivery: isFirst ? (stalls && block % 10 === 0 ? 100 : 10) : 20,
    };
  });
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

test("slices in which one stalls count with all of their time, as in the phase's own figure", () => {
  const stalling = (phase: BurstPhase, contender: string) => slice(phase, contender, true);
  const total = (20 * 120) / (18 * 80 + 2 * 800);
  expect(ratios("throughput", stalling)).toEqual(
    [total, total, total].map((ratio) => expect.closeTo(ratio, 6)),
  );
  const cost = (20 * 20) / (18 * 10 + 2 * 100);
  expect(ratios("cpu-per-delivery", stalling)).toEqual(
    [cost, cost, cost].map((ratio) => expect.closeTo(ratio, 6)),
  );
});

test("a block that one of the two has not counts for neither", () => {
  const without = (phase: BurstPhase, contender: string): BurstPhase => {
    const whole = slice(phase, contender, true);
    const slices = whole.slices?.filter(({ block }) => contender !== "node-ws" || block % 10 !== 0);
    return { ...whole, ...(slices && { slices }) };
  };
  expect(ratios("throughput", without)).toEqual([1.5, 1.5, 1.5].map((ratio) => expect.closeTo(ratio, 6)));
});

test("each round is told by what it has, whatever later rounds have", () => {
  const rounds = new Map<string, number>();
  const partly = (phase: BurstPhase, contender: string) => {
    const round = (rounds.get(contender) ?? 0) + 1;
    rounds.set(contender, round);
    return round < 3 ? slice(phase, contender, false) : phase;
  };
  expect(ratios("throughput", partly)).toEqual([1.5, 1.5, 2].map((ratio) => expect.closeTo(ratio, 6)));
});

test("of one pace at unequal effort nothing equal is said, at equal effort it is", () => {
  const idle = (shares: Readonly<Record<string, number>>) => {
    const alter = (phase: BurstPhase, contender: string) => ({
      ...phase,
      server: { ...phase.server, idleCpuShare: shares[contender] ?? 0 },
    });
    const paced = { "bun-native": [100, 101, 100, 99, 100], "node-ws": [100, 100, 101, 100, 99] };
    return judge(fixtureThroughputs(paced, alter)).find(({ measure }) => measure === "throughput")?.outcome;
  };
  expect(idle({ "bun-native": 0.02, "node-ws": 0.02 })).toBe("equivalent");
  expect(idle({ "bun-native": 0.1, "node-ws": 0.1 })).toBe("equivalent");
  expect(idle({ "bun-native": 0.08, "node-ws": 0.01 })).toBe("undecided");
});
