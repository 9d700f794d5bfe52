import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureRun, scaleThroughput } from "../../../test/support/fixture-run.ts";
import type { Result } from "../../result/schema.ts";
import { listHistoryPhases, readHistory } from "./history.ts";
import { listTrends } from "./trend.ts";
import { drawTrend, renderPoints, renderRuns, renderTrends, trendToJson } from "./trend-text.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "history-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function runOf(day: number, changes: Partial<Result> = {}): Result {
  const date = `2026-03-0${day}T10`;
  return fixtureRun({ id: `${date}-00-00-article`, startedAt: `${date}:00:00.000Z`, ...changes });
}

/** As `run` leaves it, in a folder that may have been renamed. */
function store(result: Result, name = result.id): void {
  mkdirSync(join(folder, name));
  writeFileSync(join(folder, name, "result.json"), JSON.stringify(result));
}

function trendsOf(...runs: readonly Result[]) {
  for (const run of runs) store(run);
  const history = readHistory(
    folder,
    ({ contender, phase, measure }) =>
      contender === "go-gorilla" && phase === "burst-echo" && measure.name === "throughput",
  );
  return listTrends(history.runs);
}

test("runs are listed by the time in their files, once each, and broken files are told", () => {
  store(runOf(2), "a-renamed");
  store(runOf(2), "copy");
  store(runOf(1, { status: "aborted" }));
  mkdirSync(join(folder, "broken"));
  writeFileSync(join(folder, "broken", "result.json"), "{");
  const { runs, skipped } = readHistory(folder, () => false);
  expect(runs).toMatchObject([
    { id: "2026-03-01T10-00-00-article", status: "aborted", figures: [] },
    {
      id: "2026-03-02T10-00-00-article",
      contenders: ["bun-native", "elixir-genserver", "go-gorilla", "node-ws"],
    },
  ]);
  expect(skipped).toHaveLength(1);
  expect(skipped[0]).toMatch(/broken.*is cut off/);
  expect(renderRuns(runs, 200)[1]).toMatch(
    /2026-03-01T10-00-00-article +article +5 +stopped early +bun-native.*AMD EPYC.*, 2 CPUs/,
  );
  expect(listHistoryPhases(runs).map(({ name }) => name)).toEqual([
    "connect",
    "burst-echo",
    "endurance-echo",
  ]);
  expect(readHistory(join(folder, "nowhere"), () => true)).toEqual({ runs: [], skipped: [] });
});

test("a trend holds the runs with the last one's work and machine, and its last step is judged", () => {
  const { plan, environment } = runOf(1);
  const [trend, ...others] = trendsOf(
    runOf(1),
    runOf(2, { plan: { ...plan, messagesPerConnection: 30 } }),
    runOf(3, { environment: { ...environment, cpuCount: 8 } }),
    // Neither rounds nor seed nor the work of another phase make it another trend.
    runOf(4, { plan: { ...plan, seed: 7, enduranceSeconds: 30 } }),
    scaleThroughput(runOf(5), "go-gorilla", 1.5),
  );
  expect(others).toEqual([]);
  expect(trend?.points.map(({ run }) => run.id.slice(8, 10))).toEqual(["01", "04", "05"]);
  expect(trend).toMatchObject({ otherConditions: 2, change: { kind: "better" } });
  expect(trend?.change?.ratio).toBeCloseTo(1.5, 10);
  const trends = trend === undefined ? [] : [trend];
  expect(renderTrends(trends, 200)[1]).toMatch(
    /burst-echo throughput +▁▁█ +[\d,]+\/s +[\d,]+\/s +\+50 % +3 +2 +\+50 % \(.*\), better/,
  );
  expect(trends.flatMap((one) => renderPoints(one, 300)).join("\n")).toMatch(
    /2026-03-05T10-00-00-article +[\d,]+\/s +5 +([\d,]+\/s ?){5}/,
  );
  expect(trends.map(trendToJson)).toMatchObject([
    {
      contender: "go-gorilla",
      phase: "burst-echo",
      measure: "throughput",
      unit: "perSecond",
      otherConditions: 2,
    },
  ]);
});

test("one run has no step, and one of single rounds makes no claim", () => {
  const single = (run: Result) => ({ ...run, rounds: run.rounds.filter(({ round }) => round === 1) });
  expect(trendsOf(single(runOf(1)))).toMatchObject([{ change: null, otherConditions: 0 }]);
  expect(trendsOf(single(runOf(2)))).toMatchObject([{ change: { kind: "single-round", limits: null } }]);
});

test.each([
  [[1, 2, 3], "▁▅█"],
  // A few per cent do not fill the height.
  [[100, 101, 100], "███"],
  [[96, 100, 96], "▇█▇"],
  [[80, 100, 90], "▁█▅"],
  [[5], "█"],
  [[0, 0], "▁▁"],
])("%p is drawn as %p", (values, bars) => {
  expect(drawTrend(values)).toBe(bars);
});
