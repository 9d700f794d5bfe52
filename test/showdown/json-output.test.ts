import { expect, setDefaultTimeout, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { longestMs, runFolder, showdown, smokeRun, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

test("--json puts the result on stdout and nothing else, and the run's folder holds it and a report", async () => {
  const results = temporaryFolder();
  try {
    const ended = await showdown(
      ...smokeRun,
      "--results",
      results,
      "--phases",
      "connect,burst-echo",
      "clean",
    );
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout.trim().split("\n")).toHaveLength(1);
    const folder = runFolder(results) ?? "none";
    expect(readdirSync(folder)).toContain("report.md");
    expect(JSON.parse(ended.stdout)).toEqual(JSON.parse(readFileSync(join(folder, "result.json"), "utf8")));
  } finally {
    rmSync(results, { recursive: true });
  }
});

test("without --json the table is on stdout, and progress is not", async () => {
  const results = temporaryFolder();
  try {
    const args = smokeRun.filter((option) => option !== "--json");
    const ended = await showdown(...args, "--results", results, "--phases", "connect,burst-echo", "clean");
    expect(ended.exitCode).toBe(0);
    expect(ended.stdout).toContain("clean");
    expect(ended.stdout).not.toContain("{");
    expect(ended.stderr).toContain(`Written to ${results}`);
  } finally {
    rmSync(results, { recursive: true });
  }
});
