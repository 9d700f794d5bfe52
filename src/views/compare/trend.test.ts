import { expect, test } from "bun:test";
import type { HistoryFigure } from "../history/history.ts";
import { drawTrend, listTrends, renderPoints, renderTrends } from "./trend.ts";

const phases = [
  { name: "connect", kind: "connect" },
  { name: "burst-echo", kind: "burst" },
] as const;

function figure(day: number, values: readonly number[], conditions = "one"): HistoryFigure {
  const id = `2026-03-0${day}`;
  const run = {
    id,
    startedAt: id,
    status: "finished",
    preset: "quick",
    rounds: values.length,
    machine: "a machine",
    conditions,
    contenders: ["go-gorilla"],
  } as const;
  const sorted = [...values].sort((a, b) => a - b);
  const value = sorted[sorted.length >> 1] ?? 0;
  return { run, contender: "go-gorilla", phase: "burst-echo", measure: "throughput", value, values, step: 0 };
}

const figures = [
  figure(1, [990, 1000, 1010]),
  figure(2, [5000, 5100, 5200], "two"),
  figure(3, [1090, 1100, 1110]),
  figure(4, [1490, 1500, 1510]),
];

test("a line holds the runs of the last one's conditions, and its last step is judged", () => {
  const [trend, ...others] = listTrends(figures, phases, () => true);
  expect(others).toEqual([]);
  expect(trend?.points.map(({ value }) => value)).toEqual([1000, 1100, 1500]);
  expect(trend).toMatchObject({ phase: "burst-echo", otherConditions: 1, change: { kind: "better" } });
  expect(trend?.change?.ratio).toBeCloseTo(1500 / 1100, 10);
  const text = renderTrends(trend === undefined ? [] : [trend], 160).join("\n");
  expect(text).toMatch(/burst-echo throughput +▁▂█ +1,000\/s +1,500\/s +\+50 % +3 +1 +\+36 % \(.*\), better/);
  const points = renderPoints(trend as never, 160).join("\n");
  expect(points).toMatch(/2026-03-03 +1,100\/s +3 +1,090\/s 1,100\/s 1,110\/s/);
});

test("one run has no step, and one of single rounds makes no claim", () => {
  const [one] = listTrends(figures.slice(0, 1), phases, () => true);
  expect(one?.change).toBeNull();
  const [single] = listTrends([figure(1, [1000]), figure(2, [2000])], phases, () => true);
  expect(single?.change).toMatchObject({ kind: "single-round", limits: null });
});

test("measures that are not wanted, or of no known phase, are left out", () => {
  expect(listTrends(figures, phases, ({ kind }) => kind === "connect")).toEqual([]);
  expect(listTrends(figures, phases.slice(0, 1), () => true)).toEqual([]);
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
