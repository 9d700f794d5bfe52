import { expect, test } from "bun:test";
import { fixtureCases } from "../../../test/support/fixture-cases.ts";
import { fixtureResult } from "../../../test/support/fixture-result.ts";
import { firstRoundOnly, fixtureRun } from "../../../test/support/fixture-run.ts";
import { expectGolden } from "../../../test/support/golden.ts";
import type { Result } from "../../result/schema.ts";
import { renderTerminal } from "./terminal.ts";

const summary = { columns: 100, color: false, details: false };
const cases = Object.entries(fixtureCases);

function linesOf(result: Result, options: Partial<Parameters<typeof renderTerminal>[1]> = {}): string[] {
  return renderTerminal(result, { ...summary, ...options }).split("\n");
}

test.each(cases)("%s: the summary of a run as in its golden file", async (name, result) => {
  await expectGolden(`terminal-${name}.txt`, renderTerminal(result, summary));
});

test.each(["many-rounds", "every-status", "chaos", "capacities", "slices"])(
  "%s: all its tables as in its golden file",
  async (name) => {
    const result = fixtureCases[name] ?? fixtureResult();
    await expectGolden(`terminal-details-${name}.txt`, renderTerminal(result, { ...summary, details: true }));
  },
);

test.each(cases)("%s: the summary fits on a screen of 50 lines and 100 columns", (_, result) => {
  const lines = linesOf(result);
  expect(lines.length).toBeLessThanOrEqual(50);
  expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(100);
});

test.each([60, 80, 140])("at %d columns no line of the summary is longer", (columns) => {
  for (const [, result] of cases) {
    for (const line of linesOf(result, { columns }))
      expect(Bun.stringWidth(line)).toBeLessThanOrEqual(columns);
  }
});

test("with twelve contenders every one has its row, and every kind of phase a column", () => {
  const text = renderTerminal(fixtureCases["twelve-contenders"] ?? fixtureResult(), summary);
  for (const name of [
    "elixir-genserver:variant-9",
    "bun-native:variant-8",
    "connect",
    "burst-rooms",
    "capacity-echo",
    "chaos-rooms",
  ]) {
    expect(text).toContain(name);
  }
});

test("nobody is told to choose anything after one round", () => {
  const run = fixtureRun();
  expect(renderTerminal(run, summary)).toContain("Choose bun-native on 1 CPU for");
  expect(renderTerminal(firstRoundOnly(run), summary)).not.toContain("Choose");
  expect(renderTerminal(firstRoundOnly(run), { ...summary, details: true })).not.toContain("Choose");
});

test("the article's figures stand only beside its own plan", () => {
  const details = (result: Result) => renderTerminal(result, { ...summary, details: true });
  expect(details(fixtureResult())).toContain("onemoredev.io");
  const { plan } = fixtureResult();
  for (const changes of [{ preset: "quick" }, { connections: 1000 }]) {
    expect(details(fixtureResult({ plan: { ...plan, ...changes } }))).not.toContain("onemoredev.io");
  }
});

test("what a result file says can't drive the terminal", () => {
  const evil = "\u001b[2J\u001b]0;owned\u0007\u202e";
  const result = fixtureResult();
  const contenders = result.contenders.map((facts) => ({ ...facts, title: evil, library: evil }));
  const rounds = result.rounds.map((round) => ({
    ...round,
    status: "failed" as const,
    reason: { kind: "server-not-ready" as const, problem: evil },
    output: `${evil}\n${evil}`,
  }));
  for (const details of [false, true]) {
    const text = renderTerminal({ ...result, id: `run${evil}`, contenders, rounds }, { ...summary, details });
    expect(text).not.toMatch(/[^\P{Cc}\n]|\u202e/u);
    expect(text).toContain("owned");
  }
});

test("colours are only there when they are wanted", () => {
  const start = "\u001b[";
  expect(renderTerminal(fixtureRun(), { ...summary, color: true })).toContain(start);
  expect(renderTerminal(fixtureRun(), summary)).not.toContain(start);
});
