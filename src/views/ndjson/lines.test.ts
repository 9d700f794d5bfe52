import { expect, test } from "bun:test";
import { bunNative, fixturePlan, fixtureRound, goGorilla } from "../../../test/support/fixture-result.ts";
import type { PhaseView, RunEvent } from "../../run/events.ts";
import { AttackLines } from "./attack-lines.ts";
import { runLineSchema } from "./line.ts";
import { RunLines } from "./run-lines.ts";

const entrants = [bunNative, goGorilla].map(({ name, variant }) => ({ contender: name, variant }));
const plan = fixturePlan({ entrants });
const [one, other] = entrants.map((entrant, at) => ({ ...entrant, position: at + 1 }));
if (one === undefined || other === undefined) throw new Error("expected two entrants");
const view: PhaseView = {
  kind: "burst",
  workload: "echo",
  elapsedMs: 12.3,
  done: 1,
  total: 2,
  ratePerSecond: 3,
  p50Us: null,
  p99Us: null,
  errors: 0,
};

test("progress is told once a second and contender, and anew in each phase", () => {
  const lines = new RunLines(plan);
  const told: (readonly [number, string, string])[] = [];
  const note = (ms: number, event: RunEvent) => {
    const line = lines.describe(event, new Date(ms));
    if (line === null) return;
    const parsed = runLineSchema.parse(line);
    if (parsed.kind === "progress") told.push([ms, parsed.contender, parsed.phase]);
  };
  const begin = (ms: number, who: typeof one, index: number) => {
    const rest = { workload: null, count: 4, expectedSeconds: null };
    note(ms, { kind: "phase-started", ...who, phaseKind: "burst", index, ...rest });
  };
  for (const who of [one, other]) {
    note(0, { kind: "round-started", ...who, round: 1, rounds: 1, positions: 2 });
    begin(0, who, 1);
  }
  for (const ms of [250, 500, 1300]) {
    for (const who of [one, other]) note(ms, { kind: "phase-progress", ...who, view });
  }
  begin(1400, one, 2);
  note(1500, { kind: "phase-progress", ...one, view });
  const [, burst = "", next = ""] = phaseNames();
  expect(told).toEqual([
    [250, one.contender, burst],
    [250, other.contender, burst],
    [1300, one.contender, burst],
    [1300, other.contender, burst],
    [1500, one.contender, next],
  ]);
});

function phaseNames(): readonly string[] {
  const line = new RunLines(plan).begin("x", new Date(0));
  return line.kind === "run" ? line.phases : [];
}

test("every phase of a run, whatever became of it, is a line that the schema knows", () => {
  const lines = new RunLines(plan);
  const at = new Date(0);
  runLineSchema.parse(lines.begin("x", at));
  lines.describe({ kind: "round-started", ...one, round: 1, rounds: 1, positions: 2 }, at);
  for (const phase of fixtureRound(bunNative, plan).phases) {
    const line = runLineSchema.parse(lines.describe({ kind: "phase-ended", ...one, phase }, at));
    if (line.kind !== "phase-ended") throw new Error(`a line of kind ${line.kind}`);
    expect(Object.values(line.measures).some((value) => value !== null)).toBe(true);
  }
});

test("connections are told once a second, and when all are there", () => {
  const lines = new AttackLines();
  const told = ([0, 250, 1100] as const).map((ms) =>
    lines.describe({ kind: "connecting", requested: 4, opened: 1, failed: 0 }, new Date(ms)),
  );
  expect(told.map((line) => line !== null)).toEqual([true, false, true]);
  const ended = lines.describe({ kind: "connected", requested: 4, opened: 4, failed: 0 }, new Date(1200));
  expect(ended).toEqual({
    kind: "connections",
    at: "1970-01-01T00:00:01.200Z",
    requested: 4,
    opened: 4,
    failed: 0,
  });
});
