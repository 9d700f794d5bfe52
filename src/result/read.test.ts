import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureRun } from "../../test/support/fixture-run.ts";
import { ShowdownError, UsageError } from "../errors.ts";
import { listRuns, readResultFile, readRun } from "./read.ts";
import type { Result } from "./schema.ts";

let folder: string;
const run = fixtureRun();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "read-"));
  for (const id of [
    "2026-03-01T10-00-00-article",
    "2026-03-01T11-00-00-smoke",
    "2026-03-02T10-00-00-quick",
  ]) {
    store(id, JSON.stringify({ ...run, id }));
  }
  mkdirSync(join(folder, "no-run"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function store(id: string, text: string): string {
  mkdirSync(join(folder, id), { recursive: true });
  const path = join(folder, id, "result.json");
  writeFileSync(path, text);
  return path;
}

function find(reference: string, cwd = "/"): string {
  return readRun(reference, { resultsFolder: folder, cwd }).result.id;
}

/** What the user is told, message and hint. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toBeInstanceOf(UsageError);
    return error instanceof ShowdownError ? `${error.message}\n${error.hint}` : "";
  }
  return "read without complaint";
}

/** A result with one place changed by hand. */
function edited(edit: (result: Record<string, unknown>) => void): string {
  const copy = JSON.parse(JSON.stringify(run));
  edit(copy);
  const path = join(folder, "edited.json");
  writeFileSync(path, JSON.stringify(copy));
  return refusal(() => readResultFile(path));
}

test("a run is found as latest, by id, by a prefix of its own, by folder and by file", () => {
  expect(find("latest")).toBe("2026-03-02T10-00-00-quick");
  expect(find("2026-03-01T11-00-00-smoke")).toBe("2026-03-01T11-00-00-smoke");
  expect(find("2026-03-02")).toBe("2026-03-02T10-00-00-quick");
  expect(find(join(folder, "2026-03-01T11-00-00-smoke"))).toBe("2026-03-01T11-00-00-smoke");
  expect(find("2026-03-01T10-00-00-article/result.json", folder)).toBe("2026-03-01T10-00-00-article");
  expect(listRuns(folder)).toHaveLength(3);
  expect(listRuns(join(folder, "nowhere"))).toEqual([]);
});

test("an id that is the beginning of another's is the run of that id", () => {
  store("2026-03-02T10", JSON.stringify({ ...run, id: "2026-03-02T10" }));
  expect(find("2026-03-02T10")).toBe("2026-03-02T10");
  rmSync(join(folder, "2026-03-02T10"), { recursive: true });
});

test("a prefix of several runs names them", () => {
  const text = refusal(() => find("2026-03-01"));
  expect(text).toContain(
    "is the beginning of 2 runs: 2026-03-01T10-00-00-article, 2026-03-01T11-00-00-smoke",
  );
});

test("a run that is not there: the nearest id, or where to look", () => {
  expect(refusal(() => find("2026-03-01T11-00-00-smoek"))).toContain(
    'did you mean "2026-03-01T11-00-00-smoke"?',
  );
  expect(refusal(() => find("no-run", folder))).toContain("holds no result.json");
  const empty = { resultsFolder: join(folder, "no-run"), cwd: "/" };
  expect(refusal(() => readRun("latest", empty))).toContain("there is no run in");
  expect(refusal(() => readRun("abc", empty))).toContain("that folder has no runs");
});

test("another schema version", () => {
  expect(edited((result) => (result.schema = 2))).toMatch(
    /schema version 2; expected 1.*\n.*update this one/,
  );
  expect(edited((result) => (result.schema = 0))).toMatch(
    /schema version 0; expected 1.*\n.*another showdown/,
  );
  expect(edited((result) => delete result.schema)).toContain('it has no "schema"');
});

test("a file that is cut off, at any place", () => {
  const text = JSON.stringify(run, null, 1);
  for (const share of [0, 0.1, 0.5, 0.9, 0.999]) {
    const path = store("cut", text.slice(0, Math.floor(text.length * share)));
    expect(refusal(() => readResultFile(path))).toMatch(/cut off|not JSON/);
  }
  expect(refusal(() => readResultFile(store("cut", text.slice(0, 1000))))).toContain(
    "is cut off: its 1,000 bytes end",
  );
  rmSync(join(folder, "cut"), { recursive: true });
});

test("what is not JSON, or not ours, or no file at all", () => {
  const path = store("broken", '{"schema": 1, rounds: []}');
  expect(refusal(() => readResultFile(path))).toContain("is not JSON");
  for (const text of ["[]", "null", "3", '{"name": "x"}']) {
    expect(refusal(() => readResultFile(store("broken", text)))).toMatch(
      /is not the result of a run|cut off/,
    );
  }
  rmSync(join(folder, "broken"), { recursive: true });
  expect(refusal(() => readResultFile(join(folder, "nothing.json")))).toContain("cannot be read");
});

test("values edited by hand: every problem with its place", () => {
  const text = edited((result) => {
    const [round] = result.rounds as Result["rounds"];
    const [phase] = round?.phases ?? [];
    Object.assign(phase ?? {}, { status: "good", durationMs: "12" });
    Object.assign(result.plan as object, { rounds: -1 });
    delete result.environment;
  });
  expect(text).toContain(
    'rounds[0].phases[0].status: expected one of "ok"|"aborted"|"failed"|"void"; got "good"',
  );
  expect(text).toContain('rounds[0].phases[0].durationMs: expected number; got "12"');
  expect(text).toContain("plan.rounds: Too small: expected number to be >0; got -1");
  expect(text).toContain("environment: expected object; it is missing");
  expect(text).toContain("was it edited by hand");
});

test("a plan edited by hand, which the rest of the file does not give away", () => {
  const text = edited((result) => Object.assign(result.plan as object, { connections: 0, pacing: "fast" }));
  expect(text).toContain("plan.connections: Too small: expected number to be >0; got 0");
  expect(text).toContain('plan.pacing: expected one of "spin"|"timer"; got "fast"');
});

test("more problems than anyone reads are counted", () => {
  const text = edited((result) => {
    for (const round of result.rounds as Result["rounds"]) Object.assign(round, { status: "?" });
  });
  expect(text.match(/status/g)).toHaveLength(12);
  expect(text).toContain("and 8 more");
});

test("values that contradict each other", () => {
  const text = edited((result) => {
    const [first, second, third] = result.rounds as Result["rounds"];
    Object.assign(first?.phases[1]?.messages ?? {}, { delivered: 999_999 });
    Object.assign(second ?? {}, { contender: "nobody" });
    third?.phases.push(...third.phases);
  });
  expect(text).toContain("rounds[0].phases[1].messages: 375000 expected is not 999999 delivered and 0 lost");
  expect(text).toContain('rounds[1]: contender "nobody" is not among the contenders');
  expect(text).toContain("rounds[2].phases: 6 phases; the plan has 3");
});

test("a run that was cut off is read as running", () => {
  const path = store("cut-off", JSON.stringify({ ...run, status: "running", finishedAt: null }));
  expect(readResultFile(path).result.status).toBe("running");
});
