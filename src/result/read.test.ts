import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureRun } from "../../test/support/fixture-run.ts";
import { ShowdownError } from "../errors.ts";
import { readResultFile } from "./read.ts";
import type { Result } from "./schema.ts";

let folder: string;
const run = fixtureRun();

beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), "read-"));
});
afterAll(() => rmSync(folder, { recursive: true }));

function store(id: string, text: string): string {
  mkdirSync(join(folder, id), { recursive: true });
  const path = join(folder, id, "result.json");
  writeFileSync(path, text);
  return path;
}

/** What the user is told, message and hint. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    expect(error).toMatchObject({ reason: "usage" });
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

test("a file of version 0.1.0 is refused with the way to read it, any other schema with what it is", () => {
  expect(edited((result) => (result.schema = 1))).toMatch(
    /was written by ws-showdown 0\.1\.0 \(schema 1\).*reads schema 2\n.*commit c963a20/,
  );
  expect(edited((result) => (result.schema = 3))).toMatch(/is of schema 3.*\n.*update this one/);
  expect(edited((result) => (result.schema = "2"))).toMatch(/is of schema "2".*\n.*never wrote/);
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
    const [first, second] = round?.phases ?? [];
    Object.assign(first ?? {}, { status: "good" });
    Object.assign(second ?? {}, { durationMs: "12" });
    Object.assign(result.plan as object, { rounds: -1 });
    delete result.environment;
  });
  expect(text).toContain(
    `rounds[0].phases[0].status: "good"; expected 'not-run' | 'ok' | 'invalid' | 'failed' | 'aborted'`,
  );
  expect(text).toContain('rounds[0].phases[1].durationMs: "12"; expected number');
  expect(text).toContain("plan.rounds: -1; expected number to be >=1");
  expect(text).toContain("environment: missing; expected object");
  expect(text).toContain("was it edited by hand");
});

test("a plan edited by hand, which the rest of the file does not give away", () => {
  const text = edited((result) => Object.assign(result.plan as object, { connections: 0, pacing: "fast" }));
  expect(text).toContain("plan.connections: 0; expected number to be >=1");
  expect(text).toContain('plan.pacing: "fast"; expected one of "spin"|"timer"');
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
    const burst = first?.phases[1];
    if (burst?.kind === "burst" && burst.status !== "not-run") {
      Object.assign(burst.messages, { delivered: 999_999, unsent: 3 });
      Object.assign(burst, { reason: { kind: "all-connections-closed" } });
    }
    Object.assign(second ?? {}, { contender: "nobody", status: "failed" });
    third?.phases.push(...third.phases);
  });
  expect(text).toContain("rounds[0].phases[1].messages: 375000 expected is not 999999 delivered and 0 lost");
  expect(text).toContain("rounds[0].phases[1].messages: 375000 planned is not 375000 sent and 3 unsent");
  expect(text).toContain('rounds[0].phases[1].reason: given, and the status is "ok"');
  expect(text).toContain('rounds[1].reason: null, and the status is "failed"');
  expect(text).toContain('rounds[1]: contender "nobody" is not among the contenders');
  expect(text).toContain("rounds[2].phases: 6 phases; the plan has 3");
});

test("a run that was cut off is read as running", () => {
  const path = store("cut-off", JSON.stringify({ ...run, status: "running", finishedAt: null }));
  expect(readResultFile(path).result.status).toBe("running");
});

test("a phase of another kind than the plan has at its place", () => {
  const text = edited((result) => (result.rounds as Result["rounds"])[0]?.phases.reverse());
  expect(text).toContain("rounds[0].phases[0]: endurance; the plan has connect there");
});
