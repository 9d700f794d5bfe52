import { expect, test } from "bun:test";
import { fixtureFault } from "../../../test/support/fixture-chaos.ts";
import {
  bunNative,
  fixtureExchange,
  fixturePlan,
  fixtureResult,
  fixtureRound,
} from "../../../test/support/fixture-result.ts";
import type { FaultReport } from "../../result/schema.ts";
import { buildFaultTables } from "./fault-table.ts";
import { listSections } from "./section.ts";

const plan = fixturePlan({
  rounds: 2,
  connections: 1000,
  enduranceRatePerSecond: 1000,
  phases: [{ kind: "chaos", workload: "rooms" }],
});

function report(changes: Partial<FaultReport>): FaultReport {
  return fixtureFault(plan, changes.fault ?? "crash", changes);
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
  return listSections(result).flatMap((section) => buildFaultTables(section));
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
    [report({ lost: 148 }), report({ fault: "kill" })],
    [report({ lost: 297, longestSilenceMs: 914 }), report({ fault: "kill" })],
  ];
  expect(tablesOf(...rounds).map(({ fault }) => fault)).toEqual(["crash", "kill"]);
  expect(cellsOf(...rounds)).toMatchObject({
    contender: "bun-native",
    struck: "10",
    "others lost": "0",
    "never came": "1.5 %",
    silence: "914 ms",
    memory: "+1.0 MB",
    server: "lived",
    recovered: "undisturbed",
  });
});

test("one round without recovery is not hidden by the others", () => {
  expect(cellsOf([report({ recoveredMs: 100 })], [report({ recoveredMs: null })]).recovered).toBe(
    "not in time",
  );
});

test("a phase without faults has none", () => {
  const plain = fixtureResult({ contenders: [bunNative] });
  expect(listSections(plain).flatMap((section) => buildFaultTables(section))).toEqual([]);
});
