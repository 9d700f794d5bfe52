import { afterEach, beforeEach, expect, test } from "bun:test";
import { cpSync, mkdirSync, mkdtempSync, renameSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureRun } from "../../test/support/fixture-run.ts";
import { isShowdownError } from "../errors.ts";
import { listRuns, readRun } from "./find.ts";
import type { Result } from "./schema.ts";

const run = fixtureRun();
const ids = [
  "2026-03-01T10-00-00-article",
  "2026-03-01T11-00-00-smoke",
  "2026-03-02T10-00-00-quick",
] as const;
const [oldest, middle, newest] = ids;
let folder: string;

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "find-"));
  for (const id of ids) store(id);
  mkdirSync(join(folder, "no-run"));
});
afterEach(() => rmSync(folder, { recursive: true }));

/** As a run leaves it: begun when its id says. */
function store(id: string, changes: Partial<Result> = {}): void {
  const startedAt = `${id.slice(0, 13)}:00:00.000Z`;
  write(id, JSON.stringify({ ...run, id, startedAt, ...changes }, null, 1));
}

function write(name: string, text: string): void {
  mkdirSync(join(folder, name), { recursive: true });
  writeFileSync(join(folder, name, "result.json"), text);
}

function find(reference: string, cwd = "/"): string {
  return readRun(reference, { resultsFolder: folder, cwd }).result.id;
}

function latest(): { readonly id: string; readonly skipped: readonly string[] } {
  const skipped: string[] = [];
  const onSkipped = (problem: string) => void skipped.push(problem);
  return { id: readRun("latest", { resultsFolder: folder, cwd: "/", onSkipped }).result.id, skipped };
}

/** What the user is told, message and hint. */
function refusal(act: () => unknown): string {
  try {
    act();
  } catch (error) {
    if (isShowdownError(error, "usage")) return `${error.message}\n${error.hint}`;
    throw error;
  }
  return "read without complaint";
}

test("a run is found as latest, by id, by a prefix of its own, by folder and by file", () => {
  expect(find("latest")).toBe(newest);
  expect(find(middle)).toBe(middle);
  expect(find("2026-03-02")).toBe(newest);
  expect(find(join(folder, middle))).toBe(middle);
  expect(find(`${oldest}/result.json`, folder)).toBe(oldest);
  expect(listRuns(folder).map(({ id }) => id)).toEqual([...ids]);
  expect(listRuns(join(folder, "nowhere"))).toEqual([]);
});

test("an id that is the beginning of another's is the run of that id", () => {
  store("2026-03-02T10");
  expect(find("2026-03-02T10")).toBe("2026-03-02T10");
});

test("latest goes by the time in the file, whatever folders are called", () => {
  renameSync(join(folder, newest), join(folder, "before-the-change"));
  renameSync(join(folder, oldest), join(folder, "zz-old"));
  cpSync(join(folder, oldest.replace(oldest, "zz-old")), join(folder, "zzz-copy"), { recursive: true });
  expect(latest()).toEqual({ id: newest, skipped: [] });
  expect(find("before-the-change")).toBe(newest);
  expect(find(newest)).toBe(newest);
  expect(refusal(() => find(oldest))).toContain(`"${oldest}" fits 2 runs: zz-old, zzz-copy; expected one`);
});

test("latest has measured something: neither a run before its first phase nor one that came to none", () => {
  store("2026-03-05T10-00-00-quick", { status: "running", finishedAt: null, rounds: [] });
  const notRun = run.rounds.slice(0, 1).map((round) => ({
    ...round,
    status: "failed" as const,
    reason: { kind: "stopped-by-user" } as const,
    phases: [
      { kind: "connect", workload: null, status: "not-run", reason: { kind: "stopped-by-user" } } as const,
    ],
  }));
  store("2026-03-06T10-00-00-quick", { status: "aborted", rounds: notRun });
  expect(latest()).toEqual({ id: newest, skipped: [] });
  store("2026-03-07T10-00-00-quick", { status: "running", finishedAt: null, rounds: run.rounds.slice(0, 1) });
  expect(latest().id).toBe("2026-03-07T10-00-00-quick");
});

test("broken files among the runs are passed over by latest, and told", () => {
  write("2026-04-01", "");
  write("2026-04-02", '{"schema": 2, "id": "x", "startedAt": "2026-04-02T10:00:00.000Z", "rou');
  write("2026-04-03", JSON.stringify({ schema: 1, id: "y", startedAt: "2026-04-03T10:00:00.000Z" }));
  write("2026-04-04", JSON.stringify({ rounds: [], startedAt: "yesterday" }));
  const { id, skipped } = latest();
  expect(id).toBe(newest);
  expect(skipped).toHaveLength(4);
  expect(skipped.join("\n")).toMatch(/2026-04-02.*is cut off/);
  expect(skipped.join("\n")).toContain("ws-showdown 0.1.0");
  // An older broken file hides nothing.
  write("2026-02-01", '{"schema": 2, "id": "x", "startedAt": "2026-02-02T10:00:00.000Z", "rou');
  expect(latest().skipped).toHaveLength(4);
});

test("a file whose fields another program put into another order is found by its time too", () => {
  const { schema, ...rest } = { ...run, id: "sorted", startedAt: "2026-05-01T10:00:00.000Z" };
  write("sorted", JSON.stringify({ ...rest, schema }));
  expect(latest().id).toBe("sorted");
});

test("a prefix of several runs names them", () => {
  expect(refusal(() => find("2026-03-01"))).toContain(`fits 2 runs: ${oldest}, ${middle}; expected one`);
});

test("a run that is not there: the nearest id, or where to look", () => {
  expect(refusal(() => find("2026-03-01T11-00-00-smoek"))).toContain(`did you mean "${middle}"?`);
  expect(refusal(() => find("no-run", folder))).toContain("holds no result.json");
  const empty = { resultsFolder: join(folder, "no-run"), cwd: "/" };
  expect(refusal(() => readRun("latest", empty))).toContain("there is no run in");
  expect(refusal(() => readRun("abc", empty))).toContain("that folder has no runs");
});
