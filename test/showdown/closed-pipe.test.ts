import { expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { exitCodes } from "../../src/errors.ts";
import { longestMs, runFolder, smokeRun, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("a run whose reader goes away stops gently: its result says so, and nobody is told", () => {
  const folder = temporaryFolder();
  const results = join(folder, "results");
  const program = [process.execPath, join(import.meta.dir, "../../src/cli/main.ts"), ...smokeRun];
  const command = [...program, "clean", "--endurance-seconds", "60", "--results", results];
  // Progress goes to the reader of the pipe, who leaves after its first line.
  const script = `{ { "$@"; echo $? > "${join(folder, "code")}"; } 2>&1 | head -1; }`;
  const startMs = performance.now();
  const { stdout, stderr } = Bun.spawnSync(["sh", "-c", script, "sh", ...command], { stdin: "ignore" });
  expect(`${stderr}`).toBe("");
  expect(`${stdout}`.trim().split("\n")).toHaveLength(1);
  expect(Number(readFileSync(join(folder, "code"), "utf8"))).toBe(exitCodes.pipeClosed.code);
  expect(performance.now() - startMs).toBeLessThan(50_000);
  const run = runFolder(results);
  // Where nothing was measured yet there may be no run at all, but never one that goes on for ever.
  if (run !== null) {
    expect(JSON.parse(readFileSync(join(run, "result.json"), "utf8"))).toMatchObject({ status: "aborted" });
  }
  rmSync(folder, { recursive: true });
});
