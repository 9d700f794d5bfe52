import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fixtureResult } from "../../test/support/fixture-result.ts";
import { checkResultsFolder, createResultFile, writeRunFile } from "./file.ts";
import { type Result, resultSchema } from "./schema.ts";

let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), "results-"));
});
afterEach(() => rmSync(results, { recursive: true }));

const initial: Result = { ...fixtureResult(), id: "run-1", status: "running", finishedAt: null };
/** Some megabytes, so that writing it takes its time. */
const large: Result = {
  ...initial,
  warnings: [{ kind: "ended-by-error", message: "x".repeat(4_000_000) }],
};

test("the first result is there as soon as the run's folder is", async () => {
  const file = await createResultFile(join(results, "deep", "down"), initial);
  expect(file.folder).toBe(join(results, "deep", "down", "run-1"));
  expect(resultSchema.parse(JSON.parse(readFileSync(file.path, "utf8")))).toEqual(
    JSON.parse(JSON.stringify(initial)),
  );
});

test("a write replaces the file, and leaves nothing else behind", async () => {
  const file = await createResultFile(results, initial);
  const before = statSync(file.path).ino;
  await file.write({ ...initial, status: "finished" });
  expect(JSON.parse(readFileSync(file.path, "utf8"))).toMatchObject({ status: "finished" });
  // Another file under the same name: whoever was reading the old one goes on reading the old one.
  expect(statSync(file.path).ino).not.toBe(before);
  expect(readdirSync(file.folder)).toEqual(["result.json"]);
});

test("a reader never sees half a file", async () => {
  const file = await createResultFile(results, initial);
  let writing = true;
  const written = (async () => {
    for (let turn = 0; turn < 10; turn += 1) await file.write(turn % 2 === 0 ? large : initial);
    writing = false;
  })();
  let reads = 0;
  while (writing) {
    const text = readFileSync(file.path, "utf8");
    expect(text.endsWith("}\n")).toBe(true);
    expect([large.warnings.length, 0]).toContain(JSON.parse(text).warnings.length);
    reads += 1;
    await Bun.sleep(0);
  }
  await written;
  expect(reads).toBeGreaterThan(5);
});

test("when writing fails, the old file is whole, and the error says what to do", async () => {
  const file = await createResultFile(results, initial);
  // The one file that has to be written first can't be, even by root.
  mkdirSync(`${file.path}.unfinished`);
  const failure = file.write({ ...initial, status: "finished" });
  expect(failure).rejects.toMatchObject({ reason: "writing" });
  expect(failure).rejects.toMatchObject({ exitCode: 8, message: expect.stringContaining(file.path) });
  await failure.catch(() => {});
  expect(JSON.parse(readFileSync(file.path, "utf8"))).toEqual(JSON.parse(JSON.stringify(initial)));
});

test("other files of the run are written as a whole too", async () => {
  const path = join(results, "report.md");
  await writeRunFile(path, "# Report\n");
  expect(readFileSync(path, "utf8")).toBe("# Report\n");
  expect(readdirSync(results)).toEqual(["report.md"]);
});

test("a figure that no reader would take is not written, and what was written stays", async () => {
  const file = await createResultFile(results, initial);
  const [round, ...others] = initial.rounds;
  const [connect, burst, ...phases] = round?.phases ?? [];
  if (round === undefined || connect === undefined || burst?.kind !== "burst" || burst.status === "not-run") {
    throw new Error("the fixture has no burst");
  }
  const withMessages = (changes: Partial<typeof burst.messages>): Result => {
    const spoiled = { ...burst, messages: { ...burst.messages, ...changes } };
    return { ...initial, rounds: [{ ...round, phases: [connect, spoiled, ...phases] }, ...others] };
  };
  // A counter of the server's that went back, and an account that does not add up.
  for (const changes of [{ declaredDropped: -50 }, { delivered: 1 }]) {
    await expect(file.write(withMessages(changes))).rejects.toThrow();
  }
  expect(JSON.parse(readFileSync(file.path, "utf8"))).toEqual(JSON.parse(JSON.stringify(initial)));
});

test("a look at whether the folder can be written leaves nothing behind", async () => {
  await checkResultsFolder(join(results, "deep", "down"));
  expect(readdirSync(results)).toEqual([]);
  mkdirSync(join(results, "there"));
  await checkResultsFolder(join(results, "there"));
  expect(readdirSync(join(results, "there"))).toEqual([]);
});

test("several that check the same new folder at once all may write there", async () => {
  const folder = join(results, "shared", "by all");
  const checks = await Promise.allSettled(Array.from({ length: 8 }, () => checkResultsFolder(folder)));
  expect(checks.map(({ status }) => status)).toEqual(Array(8).fill("fulfilled"));
});

test("a results folder that can't be is refused with its name", async () => {
  const path = join(results, "file");
  writeFileSync(path, "");
  for (const attempt of [checkResultsFolder, (folder: string) => createResultFile(folder, initial)]) {
    const refused = attempt(join(path, "results"));
    await expect(refused).rejects.toMatchObject({
      reason: "resultsFolder",
      message: expect.stringContaining(join(path, "results")),
    });
  }
});
