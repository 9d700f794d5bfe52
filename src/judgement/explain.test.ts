import { expect, test } from "bun:test";
import { alterPhases, firstRoundOnly, fixtureRun } from "../../test/support/fixture-run.ts";
import type { Result } from "../result/schema.ts";
import { judge } from "./judge.ts";

interface Work {
  readonly perSecond: number;
  readonly perSegment: number;
  readonly userUs: number;
  readonly systemUs: number;
}

const plain: Work = { perSecond: 20_000, perSegment: 1, userUs: 10, systemUs: 10 };

/** Bursts in which bun-native works like this, and everyone else in the plain way. */
function bursts(best: Partial<Work>): Result {
  return ["bun-native", "elixir-genserver", "go-gorilla", "node-ws"].reduce((result, contender) => {
    const work = { ...plain, ...(contender === "bun-native" ? best : {}) };
    return alterPhases(result, contender, "burst", (phase, round) => {
      const { delivered } = phase.messages;
      const [cpuUserMs, cpuSystemMs] = [work.userUs, work.systemUs].map((us) => (us * delivered) / 1000);
      const throughput = {
        deliveriesPerSecond: work.perSecond + round,
        sendsPerSecond: 1,
        spanMs: 1,
        sendSpanMs: 1,
      };
      const cpuUsPerDelivery = work.userUs + work.systemUs + round / 1000;
      return {
        ...phase,
        throughput,
        server: {
          ...phase.server,
          cpuUserMs: cpuUserMs ?? null,
          cpuSystemMs: cpuSystemMs ?? null,
          cpuUsPerDelivery,
          contextSwitches: { voluntary: 10, involuntary: 0 },
        },
        segments: { connections: 64, segments: 1000, deliveries: Math.round(1000 * work.perSegment) },
      };
    });
  }, fixtureRun());
}

function explain(result: Result, measure = "throughput") {
  const judgement = judge(result).find((one) => one.phase === "burst-echo" && one.measure === measure);
  if (judgement === undefined) throw new Error(`no judgement of ${measure}`);
  return judgement.causes;
}

test("who puts many messages into a segment is quicker for that", () => {
  const causes = explain(bursts({ perSecond: 400_000, perSegment: 31, systemUs: 0.5 }));
  expect(causes.map(({ other }) => other.contender)).toEqual(["elixir-genserver", "go-gorilla", "node-ws"]);
  expect(causes[0]).toMatchObject({
    kind: "messages-per-segment",
    best: { contender: "bun-native", value: 31 },
    other: { value: 1 },
  });
  expect(causes[0]?.factor).toBeCloseTo(20, 1);
});

test("a cause smaller than half of the factor is none, and the next one is told", () => {
  const [cause] = explain(bursts({ perSecond: 400_000, perSegment: 2, systemUs: 1 }));
  expect(cause).toMatchObject({ kind: "cpu-per-delivery.system", best: { value: 1 }, other: { value: 10 } });
});

test("of CPU time it is the part in which most of the difference lies", () => {
  const [cause] = explain(bursts({ perSecond: 60_000, userUs: 2, systemUs: 5 }), "cpu-per-delivery");
  expect(cause).toMatchObject({ kind: "cpu-per-delivery.user", best: { value: 2 }, other: { value: 10 } });
});

test("of CPU time the collector's part is named where it is the larger one", () => {
  const result = bursts({ perSecond: 60_000, userUs: 2, systemUs: 5 });
  const told = ["bun-native", "elixir-genserver", "go-gorilla"].reduce(
    (all, contender) =>
      alterPhases(all, contender, "burst", (phase) => {
        const collectorCpuShare = contender === "bun-native" ? 0.1 : 0.6;
        return { ...phase, server: { ...phase.server, collectorCpuShare } };
      }),
    result,
  );
  const kinds = explain(told, "cpu-per-delivery").map(({ kind, other }) => [other.contender, kind]);
  expect(kinds).toEqual([
    ["elixir-genserver", "cpu-per-delivery.collector"],
    ["go-gorilla", "cpu-per-delivery.collector"],
    ["node-ws", "cpu-per-delivery.user"],
  ]);
});

test("small factors, single rounds and what can't be told of are left unexplained", () => {
  expect(explain(bursts({ perSecond: 22_000, perSegment: 31 }))).toEqual([]);
  expect(explain(bursts({ perSecond: 400_000 }))).toEqual([]);
  expect(explain(firstRoundOnly(bursts({ perSecond: 400_000, perSegment: 31 })))).toEqual([]);
  const unknown = alterPhases(
    bursts({ perSecond: 400_000, perSegment: 31 }),
    "bun-native",
    "burst",
    (phase) => ({
      ...phase,
      segments: null,
    }),
  );
  expect(explain(unknown)).toEqual([]);
});

test("more in a segment than the better one's explains nothing", () => {
  expect(explain(bursts({ perSecond: 400_000, perSegment: 0.2 }))).toEqual([]);
});
