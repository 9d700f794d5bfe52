import { expect, test } from "bun:test";
import { bunNative, fixturePlan, fixtureRound } from "../../../test/support/fixture-result.ts";
import { Histogram } from "../../stats/histogram.ts";
import { MetricBoard, type MetricName } from "./metric-board.ts";
import { noteRun } from "./run-metrics.ts";

const of = { contender: "bun-native", variant: "default" };
const plan = fixturePlan({ entrants: [of] });
const round = fixtureRound(bunNative, plan);

test("a run of two rounds: counters go on, whatever is counted anew in each phase", () => {
  const board = new MetricBoard();
  const note = noteRun(board, "the-run");
  const latency = new Histogram();
  latency.record(500);
  for (const position of [1, 2]) {
    const who = { ...of, position };
    note({ kind: "round-started", ...who, round: position, rounds: 2, positions: 2 });
    for (const [index, phase] of round.phases.entries()) {
      const { kind, workload } = phase;
      note({
        kind: "phase-started",
        ...who,
        phaseKind: kind,
        workload,
        index,
        count: 4,
        expectedSeconds: null,
      });
      if (kind === "burst") {
        const load = { second: 0, sent: 3, delivered: 1, latency: latency.toSparse() };
        for (let worker = 0; worker < 2; worker += 1) note({ kind: "phase-second", ...who, load });
        const view = {
          kind,
          workload,
          elapsedMs: 1,
          done: 2,
          total: 6,
          ratePerSecond: 2,
          p50Us: null,
          p99Us: null,
        };
        for (const errors of [1, 4]) note({ kind: "phase-progress", ...who, view: { ...view, errors } });
      }
      note({ kind: "phase-ended", ...who, phase });
    }
    note({ kind: "round-ended", round: { ...round, position } });
  }
  const value = (name: MetricName, phase?: string) =>
    board.seriesOf(name).find(({ labels }) => labels.phase === phase && labels.workload !== "broadcast");
  expect(value("showdown_messages_sent", "burst")?.labels).toEqual({
    run: "the-run",
    ...of,
    phase: "burst",
    workload: "echo",
  });
  expect(value("showdown_messages_sent", "burst")?.value).toBe(12);
  expect(value("showdown_deliveries", "burst")?.value).toBe(4);
  expect(value("showdown_message_latency_seconds", "burst")?.latency.count).toBe(4);
  expect(value("showdown_errors", "burst")?.value).toBe(8);
  expect(value("showdown_phases", "connect")?.value).toBe(2);
  expect(value("showdown_connections")?.value).toBe(0);
});

test("what is known as a sum never goes back", () => {
  const board = new MetricBoard();
  const labels = { run: "a", contender: "b" };
  for (const failed of [2, 5, 4]) board.set("showdown_connection_failures", labels, failed);
  for (const open of [2, 5, 4]) board.set("showdown_connections", labels, open);
  expect(board.seriesOf("showdown_connection_failures")[0]?.value).toBe(5);
  expect(board.seriesOf("showdown_connections")[0]?.value).toBe(4);
});
