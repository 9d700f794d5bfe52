import { expect, test } from "bun:test";
import type { FaultReport } from "../../result/schema.ts";
import {
  bunNative,
  fixtureExchange,
  fixturePlan,
  fixtureQuantiles,
  fixtureResult,
  fixtureRound,
} from "../fixture-result.ts";
import { listSections } from "../section.ts";
import { buildFaultTables } from "./faults.ts";

const plan = fixturePlan({ rounds: 2, phases: [{ kind: "chaos", workload: "rooms" }] });

function report(changes: Partial<FaultReport>): FaultReport {
  return {
    fault: "crash",
    seconds: { before: 3, strike: 5, after: 3 },
    victims: 3,
    bystanders: 97,
    before: fixtureQuantiles(3000, 100),
    during: fixtureQuantiles(5000, 200),
    after: fixtureQuantiles(3000, 100),
    lostConnections: 0,
    lostByReason: {},
    planned: 8000,
    lost: 80,
    unsent: 0,
    late: 0,
    lateUs: 10_000,
    longestSilenceMs: 12,
    silenceBeforeMs: 10,
    rssBeforeBytes: 50_000_000,
    rssPeakBytes: 60_000_000,
    rssAfterBytes: 50_000_000,
    rejoin: { wanted: 3, opened: 3, unserved: 0, slowestMs: 40 },
    struck: { lost: 3, delivered: 0 },
    recoveredMs: 0,
    server: { died: false, exit: null, output: null, restarted: false, downMs: null },
    text: "nobody else noticed",
    ...changes,
  };
}

function tablesOf(...rounds: readonly FaultReport[][]) {
  const phase = fixtureExchange(plan, "endurance", "rooms", 1);
  const result = fixtureResult({
    plan,
    contenders: [bunNative],
    rounds: rounds.map((faults, at) =>
      fixtureRound(bunNative, plan, {
        round: at + 1,
        phases: [{ ...phase, kind: "chaos", chaos: { workload: "rooms", faults } }],
      }),
    ),
  });
  return listSections(result).flatMap(buildFaultTables);
}

function cellsOf(...rounds: readonly FaultReport[][]): Record<string, string> {
  const [first] = tablesOf(...rounds);
  const [row] = first?.table.rows ?? [];
  return Object.fromEntries(
    (first?.table.columns ?? []).map(({ header }, index) => [header, row?.cells[index]?.text ?? ""]),
  );
}

test("each fault has its table, in medians over the rounds", () => {
  const rounds = [
    [report({ lost: 80 }), report({ fault: "kill" })],
    [report({ lost: 160, longestSilenceMs: 14 }), report({ fault: "kill" })],
  ];
  expect(tablesOf(...rounds).map(({ fault }) => fault)).toEqual(["crash", "kill"]);
  expect(cellsOf(...rounds)).toMatchObject({
    contender: "bun-native",
    victims: "3",
    "deliveries lost": "1.5 %",
    "longest silence": "13.0 ms",
    "memory grew by": "10 MB",
    "recovered after": "never disturbed",
  });
});

test("one round without recovery is not hidden by the others", () => {
  expect(cellsOf([report({ recoveredMs: 100 })], [report({ recoveredMs: null })])["recovered after"]).toBe(
    "not before the end",
  );
});

test("a phase without faults has none", () => {
  const plain = fixtureResult({ contenders: [bunNative] });
  expect(listSections(plain).flatMap(buildFaultTables)).toEqual([]);
});
