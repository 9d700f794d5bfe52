import { expect, test } from "bun:test";
import { readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { showdown, smokeRun, temporaryFolder } from "./showdown.ts";

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
    const [run = ""] = readdirSync(results);
    expect(readdirSync(join(results, run)).sort()).toEqual(["report.md", "result.json"]);
    expect(JSON.parse(ended.stdout)).toEqual(
      JSON.parse(readFileSync(join(results, run, "result.json"), "utf8")),
    );
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
