import { afterEach, beforeEach, expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { ResultsFolderError, WritingError } from "../errors.ts";
import { describeEnvironment } from "../machine/environment.ts";
import { resolvePlan } from "../plan/resolve.ts";
import { createResultFile } from "./file.ts";
import { type Result, resultSchema, schemaVersion } from "./schema.ts";

let results: string;
beforeEach(() => {
  results = mkdtempSync(join(tmpdir(), "results-"));
});
afterEach(() => rmSync(results, { recursive: true }));

const initial: Result = {
  schema: schemaVersion,
  id: "run-1",
  startedAt: new Date(0).toISOString(),
  finishedAt: null,
  status: "running",
  command: ["showdown", "run"],
  plan: resolvePlan({
    preset: "smoke",
    changes: {},
    seed: 1,
    entrants: [],
    port: 0,
    validityRule: true,
    workers: 1,
    pacing: "timer",
    serverCpus: null,
    workerCpus: null,
    descriptorLimit: null,
    readyMs: 1,
    connectMs: 1,
  }),
  environment: await describeEnvironment(),
  ceilings: null,
  contenders: [],
  rounds: [],
  warnings: [],
  calibration: null,
};
/** Some megabytes, so that writing it takes its time. */
const large: Result = { ...initial, warnings: [{ kind: "large", text: "x".repeat(4_000_000) }] };

test("the first result is there as soon as the run's folder is", async () => {
  const file = await createResultFile(join(results, "deep", "down"), initial);
  expect(file.folder).toBe(join(results, "deep", "down", "run-1"));
  expect(resultSchema.parse(JSON.parse(readFileSync(file.path, "utf8")))).toEqual(initial);
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
  expect(failure).rejects.toBeInstanceOf(WritingError);
  expect(failure).rejects.toMatchObject({ exitCode: 8, message: expect.stringContaining(file.path) });
  await failure.catch(() => {});
  expect(JSON.parse(readFileSync(file.path, "utf8"))).toEqual(initial);
});

test("other files of the run are written beside", async () => {
  const file = await createResultFile(results, initial);
  const path = await file.writeBeside("report.md", "# Report\n");
  expect(path).toBe(join(file.folder, "report.md"));
  expect(readFileSync(path, "utf8")).toBe("# Report\n");
});

test("a results folder that can't be is refused with its name", async () => {
  const path = join(results, "file");
  writeFileSync(path, "");
  const refused = createResultFile(join(path, "results"), initial);
  expect(refused).rejects.toBeInstanceOf(ResultsFolderError);
  expect(refused).rejects.toMatchObject({
    exitCode: 7,
    message: expect.stringContaining(join(path, "results")),
  });
  await refused.catch(() => {});
});
