import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { appendJobSummary } from "./job-summary.ts";

test("a section is appended to what other steps wrote", () => {
  const folder = mkdtempSync(join(tmpdir(), "summary-"));
  try {
    const path = join(folder, "summary.md");
    writeFileSync(path, "before\n");
    expect(appendJobSummary({ GITHUB_STEP_SUMMARY: path }, "## Ours\n")).toBeNull();
    expect(readFileSync(path, "utf8")).toBe("before\n## Ours\n\n");
    expect(appendJobSummary({ GITHUB_STEP_SUMMARY: join(folder, "no", "where.md") }, "x")).toContain(
      "could not be written",
    );
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test("outside of GitHub Actions there is nothing to do", () => {
  expect(appendJobSummary({}, "x")).toBeNull();
  expect(appendJobSummary({ GITHUB_STEP_SUMMARY: "" }, "x")).toBeNull();
});
