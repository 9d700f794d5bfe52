import { afterAll, beforeAll, expect, test } from "bun:test";
import { cpSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { readRun } from "../../src/result/find.ts";
import type { Result } from "../../src/result/schema.ts";
import { longestMs, showdownCommand, smokeRun, temporaryFolder } from "../showdown/showdown.ts";
import { alterPhases, fixtureRun, scaleThroughput } from "../support/fixture-run.ts";
import { type Ended, runToEnd } from "../support/run-to-end.ts";

const folder = temporaryFolder();
const results = join(folder, "results");
const before = "2026-03-01T10-00-00-article";
const after = "2026-03-02T10-00-00-article";
const jobSummary = join(folder, "summary.md");
/** A run of a real server. */
let real: Result;

beforeAll(async () => {
  store({ ...fixtureRun(), id: before });
  store({
    ...scaleThroughput(fixtureRun(), "go-gorilla", 0.8),
    id: after,
    startedAt: "2026-03-02T10:00:00.000Z",
  });
  const run = await showdown(...smokeRun, "--rounds", "2", "--results", results, "clean");
  expect(run.exitCode).toBe(0);
  real = readRun("latest", { resultsFolder: results, cwd: folder }).result;
}, longestMs);
afterAll(() => rmSync(folder, { recursive: true }));

/** Runs the program as a user would. A summary goes into our own file, also where a job has one. */
async function showdown(...args: readonly string[]): Promise<Ended> {
  return await runToEnd(showdownCommand(...args), {
    env: { ...process.env, GITHUB_STEP_SUMMARY: jobSummary },
  });
}

function store(result: Result): void {
  mkdirSync(join(results, result.id), { recursive: true });
  writeFileSync(join(results, result.id, "result.json"), JSON.stringify(result));
}

test("compare finds what changed and fails on what it was told to", async () => {
  const rule = ["--fail-on", "go-gorilla burst-echo throughput worse by 5%"];
  const ended = await showdown("compare", before, after, "--results", results, ...rule);
  expect(ended.exitCode).toBe(12);
  expect(ended.stdout).toContain("1 clear change: go-gorilla burst-echo throughput −20 % (worse).");
  expect(ended.stderr).toContain('failed: "go-gorilla burst-echo throughput worse by 5%"');
  const swapped = await showdown("compare", after, before, "--results", results, ...rule);
  expect(swapped.exitCode).toBe(0);
});

test("compare prints nothing but JSON, or nothing but Markdown", async () => {
  const json = await showdown("compare", before, after, "--results", results, "--json");
  expect(json.exitCode).toBe(0);
  expect(JSON.parse(json.stdout)).toMatchObject({ a: { id: before }, b: { id: after }, failOn: [] });
  const markdown = await showdown("compare", before, after, "--results", results, "--markdown");
  expect(markdown.stdout).toStartWith("## Comparison of two showdowns\n");
});

test("in GitHub Actions the job summary gets the comparison", async () => {
  await showdown("compare", before, after, "--results", results);
  expect(readFileSync(jobSummary, "utf8")).toContain("**1 clear change");
});

test("a run compared with itself: nothing changed, whatever its noise", async () => {
  const file = join(results, real.id, "result.json");
  const ended = await showdown("compare", "latest", file, "--results", results, "--json");
  expect(ended.exitCode).toBe(0);
  const { warnings, phases } = JSON.parse(ended.stdout);
  expect(warnings[0]).toBe("A and B are the same run.");
  const kinds = phases.flatMap(({ changes }: { changes: { kind: string; ratio: number | null }[] }) =>
    changes.map(({ kind, ratio }) => (ratio === null ? "none" : `${kind} ${ratio}`)),
  );
  // A figure that only one round has, such as a slope that the other can't resolve, shows no spread.
  expect(kinds).toContain("no-clear-change 1");
  expect(["none", "no-clear-change 1", "single-round 1"]).toEqual(
    expect.arrayContaining([...new Set(kinds)]),
  );
});

test("what can't be judged ends with another code than what failed", async () => {
  store({
    ...alterPhases(fixtureRun(), "nobody", "burst", (phase) => phase),
    id: "2026-03-03-single",
    rounds: fixtureRun().rounds.filter(({ round }) => round === 1),
  });
  const rule = ["--fail-on", "go-gorilla burst-echo throughput worse by 5%"];
  const ended = await showdown("compare", before, "2026-03-03", "--results", results, ...rule);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain("a single round in B: no claim");
  rmSync(join(results, "2026-03-03-single"), { recursive: true });
});

test.each([
  [["compare", before], "expected two runs to compare, got 1"],
  [["compare", before, "nothing"], 'no run "nothing"'],
  [["compare", "2026-03-0", before], "fits 2 runs: 2026-03-01T10-00-00-article, 2026-03-02T10-00-00-article"],
  [["compare", before, after, "--fail-on", "go burst thruput worse by 5%"], 'did you mean "throughput"?'],
  [["history", "go-gorilla"], 'unexpected "go-gorilla"'],
  [["history", "--measure", "throughput"], "--measure needs a contender"],
  [["report", "nothing"], 'no run "nothing"'],
  [["report", before, after], "expected one run, got 2"],
  [["report", before, "--reference", "rust"], "--reference rust: expected one of bun-native,"],
])("%p is refused", async (args, message) => {
  const ended = await showdown(...args, "--results", results);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain(message);
  expect(ended.stdout).toBe("");
});

test("a damaged result is named by compare and report", async () => {
  const path = join(folder, "cut.json");
  writeFileSync(path, readFileSync(join(results, before, "result.json"), "utf8").slice(0, 5000));
  for (const args of [
    ["compare", path, before],
    ["report", path],
  ]) {
    const ended = await showdown(...args, "--results", results);
    expect(ended.exitCode).toBe(2);
    expect(ended.stderr).toContain("is cut off");
  }
});

test("a run compared with itself is refused where something is to fail on it", async () => {
  const rule = ["--fail-on", "throughput worse by 5%"];
  const ended = await showdown("compare", after, after, "--results", results, ...rule);
  expect(ended.exitCode).toBe(2);
  expect(ended.stderr).toContain("A and B are the same run");
  expect(ended.stdout).toBe("");
});

test("latest is the newest that measured something, whatever folders are called and whatever is broken", async () => {
  const own = join(folder, "renamed");
  cpSync(join(results, before), join(own, "zzz-oldest"), { recursive: true });
  cpSync(join(results, after), join(own, "aaa-newest"), { recursive: true });
  const begun = { ...fixtureRun(), id: "begun", startedAt: "2026-04-01T10:00:00.000Z", rounds: [] };
  mkdirSync(join(own, "begun"));
  writeFileSync(
    join(own, "begun", "result.json"),
    JSON.stringify({ ...begun, status: "running", finishedAt: null }),
  );
  mkdirSync(join(own, "old"));
  writeFileSync(join(own, "old", "result.json"), JSON.stringify({ ...begun, schema: 1 }));
  const ended = await showdown("compare", before, "latest", "--results", own, "--json");
  expect(ended.exitCode).toBe(0);
  expect(JSON.parse(ended.stdout)).toMatchObject({ a: { id: before }, b: { id: after } });
  expect(ended.stderr).toMatch(
    /^warning: passed over: .*old.result\.json was written by ws-showdown 0\.1\.0 \(schema 1\)/,
  );
});

test("history reads the result files, lists and draws them; a damaged file is no wall", async () => {
  mkdirSync(join(results, "broken"));
  writeFileSync(join(results, "broken", "result.json"), "{");
  const listed = await showdown("history", "--json", "--results", results);
  expect(listed.exitCode).toBe(0);
  expect(JSON.parse(listed.stdout).map(({ id }: { id: string }) => id)).toEqual([before, after, real.id]);
  expect(listed.stderr).toMatch(/^warning: left out: .*broken.* is cut off/);
  rmSync(join(results, "broken"), { recursive: true });

  const trend = await showdown("history", "--contender", "go-gorilla", "--results", results);
  expect(trend.stdout).toMatch(/burst-echo throughput +█▁ .* −20 % +2/);
  const one = await showdown(
    "history",
    "--contender",
    "clean",
    "--measure",
    "burst-echo throughput",
    "--results",
    results,
  );
  expect(one.stdout).toContain(real.id);
  const unknown = await showdown("history", "--contender", "gorilla", "--results", results);
  expect(unknown.exitCode).toBe(3);
  expect(unknown.stderr).toContain('did you mean "go-gorilla"?');
});

test("report holds a stored run against thresholds", async () => {
  const met = ["--threshold", "burst throughput > 1"];
  const missed = ["--threshold", "go-gorilla endurance latency.p99 < 1µs"];
  const out = ["--out", join(folder, "held.md"), "--results", results];
  expect((await showdown("report", before, ...met, ...out)).exitCode).toBe(0);
  const ended = await showdown("report", before, ...met, ...missed, ...out);
  expect(ended.exitCode).toBe(12);
  expect(ended.stderr).toContain("the limit is < 1 µs");
});

test("report writes everything anew, for a real run and for one that was cut off", async () => {
  const copy = join(folder, "copy");
  cpSync(join(results, real.id), copy, { recursive: true });
  rmSync(join(copy, "report.md"));
  const csv = join(folder, "figures", "csv");
  const ended = await showdown("report", copy, "--csv", csv);
  expect(ended.exitCode).toBe(0);
  expect(ended.stderr.trim().split("\n")).toEqual([
    `Written: ${join(copy, "report.md")}`,
    `Written: ${join(copy, "report.html")}`,
    `Written: ${join(csv, "contenders.csv")}`,
    `Written: ${join(csv, "phases.csv")}`,
    `Written: ${join(csv, "timeline.csv")}`,
  ]);
  expect(readFileSync(join(copy, "report.md"), "utf8")).toContain(real.id);
  expect(readFileSync(join(copy, "report.html"), "utf8")).toContain(real.id);
  const phases = real.rounds.reduce((sum, round) => sum + round.phases.length, 0);
  expect(readFileSync(join(csv, "phases.csv"), "utf8").trimEnd().split("\r\n")).toHaveLength(1 + phases);

  const cut = { ...real, status: "running", finishedAt: null, rounds: real.rounds.slice(0, 1) };
  writeFileSync(join(copy, "result.json"), JSON.stringify(cut));
  const again = await showdown("report", copy);
  expect(again.exitCode).toBe(0);
  expect(again.stderr).toContain("is still running or was cut off");
});

test("a place that can't be written is said, and nothing is half there", async () => {
  const file = join(folder, "file");
  writeFileSync(file, "");
  const ended = await showdown("report", before, "--csv", join(file, "csv"), "--results", results);
  expect(ended.exitCode).toBe(8);
  expect(ended.stderr).toContain("cannot be written");
  expect(existsSync(join(file, "csv"))).toBe(false);
});
