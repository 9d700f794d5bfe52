import { afterEach, expect, setDefaultTimeout, test } from "bun:test";
import { readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { longestMs, runFixtures, temporaryFolder } from "./showdown.ts";

setDefaultTimeout(longestMs);

const folder = temporaryFolder();
const before = process.env.GITHUB_STEP_SUMMARY;

afterEach(() => {
  if (before === undefined) delete process.env.GITHUB_STEP_SUMMARY;
  else process.env.GITHUB_STEP_SUMMARY = before;
  rmSync(folder, { recursive: true, force: true });
});

test("in GitHub Actions the report is added to the job's summary", async () => {
  const summary = join(folder, "summary.md");
  writeFileSync(summary, "what was there\n");
  process.env.GITHUB_STEP_SUMMARY = summary;
  const { exitCode, result } = await runFixtures(["clean"], "--phases", "connect,burst-echo");
  expect(exitCode).toBe(0);
  const text = readFileSync(summary, "utf8");
  expect(text).toStartWith(`what was there\n# ${result.id}\n`);
  expect(text).toContain("## Verdict");
  expect(text).toContain("## Burst echo");
});
