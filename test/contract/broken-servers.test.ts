import { afterAll, beforeAll, describe, expect, test } from "bun:test";
import type { CheckReport } from "../../src/contract/check-report.ts";
import { allChecks } from "../../src/contract/checks/all.ts";
import { type CheckOptions, runChecks } from "../../src/contract/run-checks.ts";
import { type Break, breaks } from "../fixtures/conformance/breaks.ts";
import { expectedFailures, type Pattern } from "./expected-failures.ts";
import { fixture, startServer, type TestServer } from "./server-process.ts";

/** Suites at the same time: they mostly wait. */
const LANES = 12;
/** Broken servers that stay silent cost this much per wait, so it is as short as a busy machine allows. */
const WAIT_MS = 2_000;

const running = new Set<TestServer>();

async function suite(args: readonly string[], options: CheckOptions = {}): Promise<CheckReport> {
  const server = startServer(fixture("raw-server.ts", ...args));
  running.add(server);
  const report = await runChecks(server.target, { waitMs: WAIT_MS, process: server, ...options });
  await server.kill();
  running.delete(server);
  return report;
}

const failed = (report: CheckReport): string[] =>
  report.results.filter((result) => result.state === "fail").map((result) => result.id);

const matching = (patterns: readonly Pattern[]): string[] =>
  allChecks
    .map((check) => check.id)
    .filter((id) =>
      patterns.some((pattern) => (typeof pattern === "string" ? pattern === id : pattern.test(id))),
    );

/** The silence is cut short, and only looked at where it matters. */
const optionsFor = (rule: Break): CheckOptions =>
  rule === "idle-timeout"
    ? { slow: true, silenceMs: 1_500, only: (check) => check.id.startsWith("silence.") }
    : {};

describe("the raw server", () => {
  const rules = Object.keys(breaks) as Break[];
  const reports = new Map<Break, CheckReport>();

  beforeAll(async () => {
    const queue = [...rules];
    const lane = async () => {
      for (let rule = queue.shift(); rule !== undefined; rule = queue.shift())
        reports.set(rule, await suite(["--break", rule], optionsFor(rule)));
    };
    await Promise.all(Array.from({ length: LANES }, lane));
  }, 300_000);

  afterAll(async () => {
    for (const server of running) await server.kill();
  });

  for (const rule of rules) {
    test(`that ${breaks[rule]} (${rule}) fails exactly there`, () => {
      const report = reports.get(rule);
      expect(report === undefined ? "no report" : failed(report)).toEqual(matching(expectedFailures[rule]));
    });
  }

  test("fails every check in one way or another", () => {
    expect(matching(rules.flatMap((rule) => expectedFailures[rule]))).toEqual(
      allChecks.map((check) => check.id),
    );
  });

  test("that breaks nothing passes all, strict and silence included", async () => {
    const report = await suite([], { slow: true, silenceMs: 500 });
    expect(failed(report)).toEqual([]);
    expect(report).toMatchObject({ passed: allChecks.length, skipped: 0, competes: true });
  });

  test("may put several messages in one frame when it declares that", async () => {
    const report = await suite(["--break", "coalesces"], { framing: "newline" });
    expect(failed(report)).toEqual([]);
  });
});
