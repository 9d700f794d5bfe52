import { Database } from "bun:sqlite";
import { afterEach, beforeEach, expect, test } from "bun:test";
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureRun, scaleThroughput } from "../../../test/support/fixture-run.ts";
import type { Result } from "../../result/schema.ts";
import {
  enterRun,
  historyPath,
  listFigureHistory,
  listHistory,
  listMissing,
  rebuildHistory,
} from "./history.ts";

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), "history-"));
});
afterEach(() => rmSync(folder, { recursive: true }));

function runOf(day: number, changes: Partial<Result> = {}): Result {
  const date = `2026-03-0${day}T10`;
  return fixtureRun({ id: `${date}-00-00-article`, startedAt: `${date}:00:00.000Z`, ...changes });
}

/** As `run` leaves it. */
function store(result: Result): void {
  mkdirSync(join(folder, result.id));
  writeFileSync(join(folder, result.id, "result.json"), JSON.stringify(result));
}

test("runs are entered in any order and listed by time; one entered again is replaced", () => {
  expect(enterRun(folder, runOf(2))).toBeNull();
  expect(enterRun(folder, runOf(1, { status: "aborted" }))).toBeNull();
  expect(enterRun(folder, runOf(2, { status: "aborted" }))).toBeNull();
  const shorter = runOf(2, { status: "aborted" });
  expect(enterRun(folder, { ...shorter, rounds: shorter.rounds.slice(0, 1) })).toBeNull();
  const entered = shorter.rounds[0]?.contender ?? "";
  const others = ["bun-native", "elixir-genserver", "go-gorilla", "node-ws"].filter(
    (name) => name !== entered,
  );
  const left = others.flatMap((name) =>
    listFigureHistory(folder, name).map(({ run }) => run.id.slice(0, 10)),
  );
  expect(new Set(left)).toEqual(new Set(["2026-03-01"]));
  expect(listHistory(folder)).toMatchObject([
    { id: "2026-03-01T10-00-00-article", status: "aborted", preset: "article", rounds: 5 },
    {
      id: "2026-03-02T10-00-00-article",
      status: "aborted",
      machine: "AMD EPYC 7763 64-Core Processor, 2 CPUs",
      contenders: ["bun-native", "elixir-genserver", "go-gorilla", "node-ws"],
    },
  ]);
});

test("figures come back with the values of their rounds, and conditions tell plans and machines apart", () => {
  const plan = runOf(1).plan;
  const runs = [
    runOf(1),
    scaleThroughput(runOf(2, { plan: { ...plan, seed: 7, rounds: 5 } }), "go-gorilla", 2),
    runOf(3, { plan: { ...plan, connections: 100 } }),
    runOf(4, { environment: { ...runOf(4).environment, cpuCount: 8 } }),
  ];
  for (const result of runs) enterRun(folder, result);
  const figures = listFigureHistory(folder, "go-gorilla").filter(
    ({ phase, measure }) => phase === "burst-echo" && measure === "throughput",
  );
  expect(figures.map(({ run }) => run.id.slice(0, 10))).toEqual([
    "2026-03-01",
    "2026-03-02",
    "2026-03-03",
    "2026-03-04",
  ]);
  const [first, second, third, fourth] = figures;
  expect(first?.values).toHaveLength(5);
  expect((second?.value ?? 0) / (first?.value ?? 1)).toBeCloseTo(2, 10);
  expect(second?.run.conditions).toBe(first?.run.conditions ?? "");
  const conditions = new Set([first, third, fourth].map((figure) => figure?.run.conditions));
  expect(conditions.size).toBe(3);
});

test("without a file there is no history, and looking makes none", () => {
  expect(listHistory(folder)).toEqual([]);
  expect(listHistory(join(folder, "nowhere"))).toEqual([]);
  expect(existsSync(historyPath(folder))).toBe(false);
});

test("rebuilding enters what can be read and names what can't", () => {
  store(runOf(1));
  store(runOf(2));
  mkdirSync(join(folder, "broken"));
  writeFileSync(join(folder, "broken", "result.json"), "{");
  expect(listMissing(folder, listHistory(folder))).toHaveLength(3);
  const { entered, skipped } = rebuildHistory(folder);
  expect(entered).toBe(2);
  expect(skipped).toMatchObject([{ id: "broken" }]);
  expect(skipped[0]?.reason).toContain("cut off");
  expect(listHistory(folder)).toHaveLength(2);
  expect(listMissing(folder, listHistory(folder))).toEqual(["broken"]);
});

test("a damaged file costs no run, says how to repair it, and is repaired that way", () => {
  store(runOf(1));
  for (const damage of [
    "not a database, but long enough to be read as one".repeat(40),
    "SQLite format 3\0broken",
  ]) {
    writeFileSync(historyPath(folder), damage);
    const warning = enterRun(folder, runOf(2));
    expect(warning).toContain("the run is not in the history");
    expect(warning).toContain("showdown history --rebuild");
    expect(() => listHistory(folder)).toThrow("history.sqlite is damaged");
    rebuildHistory(folder);
    expect(listHistory(folder)).toHaveLength(1);
  }
});

test("a file damaged in its middle is noticed too", () => {
  for (const day of [1, 2, 3, 4]) enterRun(folder, runOf(day));
  const database = new Database(historyPath(folder));
  const pageBytes = database.query<{ page_size: number }, []>("PRAGMA page_size").get()?.page_size ?? 4096;
  database.close();
  const bytes = new Uint8Array(readFileSync(historyPath(folder)));
  bytes.fill(0xff, pageBytes);
  writeFileSync(historyPath(folder), bytes);
  expect(enterRun(folder, runOf(5))).toContain("showdown history --rebuild");
});

test("the journal of a damaged file is not played into the new one", () => {
  store(runOf(1));
  writeFileSync(historyPath(folder), "broken");
  writeFileSync(`${historyPath(folder)}-journal`, "left behind");
  rebuildHistory(folder);
  expect(existsSync(`${historyPath(folder)}-journal`)).toBe(false);
  expect(listHistory(folder)).toHaveLength(1);
});

test("a locked file is waited for a little, then passed by with a warning", () => {
  enterRun(folder, runOf(1));
  const other = new Database(historyPath(folder));
  other.run("BEGIN EXCLUSIVE");
  const startedAt = performance.now();
  const warning = enterRun(folder, runOf(2));
  expect(performance.now() - startedAt).toBeWithin(1500, 4000);
  expect(warning).toContain("was locked by another program for 2 s");
  expect(warning).toContain("showdown history --rebuild");
  expect(() => listHistory(folder)).toThrow("was locked");
  other.run("COMMIT");
  other.close();
  expect(enterRun(folder, runOf(2))).toBeNull();
  expect(listHistory(folder)).toHaveLength(2);
});

test("a file of a newer version is left alone", () => {
  enterRun(folder, runOf(1));
  const database = new Database(historyPath(folder));
  database.run("PRAGMA user_version = 99");
  database.close();
  expect(enterRun(folder, runOf(2))).toContain("is of version 99; expected 1; a newer showdown wrote it");
});

test("a database of something else is not written into", () => {
  const database = new Database(historyPath(folder), { create: true });
  database.run("CREATE TABLE runs (name TEXT)");
  database.close();
  expect(enterRun(folder, runOf(1))).toContain("has other tables");
});

test("a folder that can't be written costs no run", () => {
  const path = join(folder, "file");
  writeFileSync(path, "");
  expect(enterRun(path, runOf(1))).toContain("the run is not in the history");
});

test("two runs that end at the same time are both entered", async () => {
  const script = `
    import { enterRun } from ${JSON.stringify(join(import.meta.dir, "history.ts"))};
    import { fixtureRun } from ${JSON.stringify(join(import.meta.dir, "..", "..", "..", "test", "support", "fixture-run.ts"))};
    const warning = enterRun(${JSON.stringify(folder)}, fixtureRun({ id: process.argv[2] ?? process.argv[1] ?? "" }));
    if (warning !== null) throw new Error(warning);
  `;
  const path = join(folder, "enter.ts");
  writeFileSync(path, script);
  const ids = ["a", "b", "c", "d"];
  const children = ids.map((id) => Bun.spawn([process.execPath, path, id], { stderr: "pipe" }));
  expect(await Promise.all(children.map((child) => child.exited))).toEqual([0, 0, 0, 0]);
  expect(listHistory(folder).map(({ id }) => id)).toEqual(ids);
});
