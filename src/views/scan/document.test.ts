import { expect, test } from "bun:test";
import { alterPhases, fixtureRun, scaleThroughput } from "../../../test/support/fixture-run.ts";
import { expectGolden } from "../../../test/support/golden.ts";
import { judge } from "../../judgement/judge.ts";
import { type Scan, scanSchema } from "../../result/scan.ts";
import type { Result } from "../../result/schema.ts";
import { renderBlocks as renderHtml } from "../render/html.ts";
import { renderBlocks as renderMarkdown } from "../render/markdown.ts";
import { buildScan } from "./document.ts";
import { listScanFigures } from "./figures.ts";

const judged = (result: Result): Result => ({ ...result, judgements: judge(result) });
const one = judged(fixtureRun());
const fast = scaleThroughput(fixtureRun(), "bun-native", 2);
const lossy = alterPhases(fast, "go-gorilla", "burst", (phase) => {
  const { expected } = phase.messages;
  const half = expected / 2;
  return { ...phase, messages: { ...phase.messages, delivered: half, lost: expected - half } };
});
/** One is twice as fast, one lost half of its deliveries, and one could not be measured. */
const two = judged(
  alterPhases(lossy, "node-ws", "burst", (phase) => ({
    ...phase,
    status: "invalid",
    reason: { kind: "generator-contention", otherCpuShare: 0.5 },
    throughput: null,
  })),
);

const cpus = { serverCpus: [0], workerCpus: [1], sharesCpus: false, workers: 1, pacing: "spin" } as const;
const shared = {
  ...cpus,
  serverCpus: [0, 1],
  workerCpus: [0, 1],
  sharesCpus: true,
  pacing: "timer",
} as const;
const scan: Scan = scanSchema.parse({
  schema: 2,
  id: "2026-03-01T10-00-00-000-scan",
  startedAt: "2026-03-01T10:00:00.000Z",
  finishedAt: "2026-03-01T10:09:00.000Z",
  status: "finished",
  command: ["showdown", "run", "--scan", "server-cpus=1,2,4"],
  parameter: "server-cpus",
  values: [
    { value: "1", run: { id: "first", ...cpus }, notRun: null },
    { value: "2", run: { id: "second", ...shared }, notRun: null },
    { value: "4", run: null, notRun: { kind: "too-few-cpus", needed: 4, available: 2 } },
  ],
  figures: listScanFigures([one, two, null]),
});

function cellsOf(contender: string, measure = "throughput", figures = scan.figures) {
  const figure = figures.find(
    (each) => each.phase === "burst-echo" && each.measure === measure && each.contender === contender,
  );
  return figure?.cells ?? [];
}

test("a figure's ratio to the first value has limits from two rounds on", () => {
  const [first, second, third] = cellsOf("bun-native");
  expect(first).toMatchObject({ standing: "ranked", ratio: null });
  expect(second?.ratio?.ratio).toBeCloseTo(2);
  expect(second?.ratio?.low).toBeLessThan(2);
  expect(second?.ratio?.high).toBeGreaterThan(2);
  expect(third).toBeNull();
});

test("there is no ratio to what is not ranked", () => {
  expect(cellsOf("go-gorilla")[1]).toMatchObject({ standing: "unfit", ratio: null });
  expect(cellsOf("node-ws")[1]).toMatchObject({ standing: "invalid", value: null, ratio: null });
});

test("without a run of the first value the next one is what others are compared with", () => {
  const figures = listScanFigures([null, one, two]);
  const [none, first, second] = cellsOf("bun-native", "throughput", figures);
  expect([none, first?.ratio]).toEqual([null, null]);
  expect(second?.ratio?.ratio).toBeCloseTo(2);
  expect(listScanFigures([null, null])).toEqual([]);
});

test("the report as in its golden file", async () => {
  await expectGolden("scan.md", `${renderMarkdown(buildScan(scan))}\n`);
});

test("each figure has a plot without scripts, with a place for each value", () => {
  const page = renderHtml(buildScan(scan));
  expect(page).not.toContain("<script");
  const figures = page.match(/<figure class="lines">.*?<\/figure>/gs) ?? [];
  expect(figures.length).toBeGreaterThan(2);
  for (const figure of figures) {
    for (const label of ["1", "2 (shared)", "4"]) expect(figure).toContain(`>${label}</text>`);
  }
});

test("a stopped scan says what it did not come to", () => {
  const [first, second, ...others] = scan.values;
  if (first === undefined || second === undefined) throw new Error("expected two values");
  const stopped = { ...second, notRun: { kind: "stopped-by-user" } as const };
  const text = renderMarkdown(buildScan({ ...scan, status: "aborted", values: [first, stopped, ...others] }));
  expect(text).toContain("1 of them finished, and the scan was stopped early.");
  expect(text).toContain("**server-cpus 2: not finished:** stopped by the user; run second");
});
