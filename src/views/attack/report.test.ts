import { expect, test } from "bun:test";
import { fixtureResult } from "../../../test/support/fixture-result.ts";
import { describeAttack } from "../../attack/attack-figures.ts";
import { StageFigures } from "../../attack/stage-figures.ts";
import { resolveAttack } from "../../plan/attack/plan.ts";
import {
  type AttackResult,
  attackPartSchema,
  attackResultSchema,
  type FleetFacts,
} from "../../result/attack.ts";
import { schemaVersion } from "../../result/schema.ts";
import { TimelineBuilder } from "../../run/phases/timeline.ts";
import { Histogram, refuseBelow, summarize } from "../../stats/histogram.ts";
import { renderBlocks as renderHtml } from "../render/html.ts";
import { renderBlocks as renderMarkdown } from "../render/markdown.ts";
import { renderBlocks } from "../render/terminal.ts";
import { buildAttackReport, buildAttackSummary } from "./report.ts";

const target = {
  url: "ws://example.test/chat",
  host: "example.test",
  port: 80,
  path: "/chat",
  address: "192.0.2.7",
  addresses: ["192.0.2.7", "192.0.2.8"],
  tls: null,
  subprotocols: [],
  headers: [],
};
const plan = resolveAttack({
  target,
  settings: {},
  messageFile: null,
  data: null,
  adapter: null,
  sourceAddresses: [],
  cpus: 2,
  descriptorLimit: null,
});

/** One that nothing came of, but for the changes. */
function fixture(changes: Partial<AttackResult> = {}): AttackResult {
  const none = describeAttack({
    plan,
    opens: [],
    loads: [],
    latency: new Histogram(),
    timeline: new TimelineBuilder(),
    stages: new StageFigures(null),
    startUs: null,
    elapsedMs: 0,
  });
  return attackResultSchema.parse({
    schema: schemaVersion,
    id: "2026-11-29T00-00-00-000-attack",
    startedAt: "2026-11-29T00:00:00.000Z",
    kind: "attack",
    finishedAt: "2026-11-29T00:00:10.000Z",
    progress: "ended",
    command: ["showdown", "attack", target.url],
    plan,
    environment: fixtureResult().environment,
    warnings: [],
    status: "ok",
    reason: null,
    ...none,
    ...changes,
  });
}

const evil = "\x1b[2J<script>\u202e";
const worst = fixture({
  status: "failed",
  reason: { kind: "all-connections-closed" },
  connections: {
    ...fixture().connections,
    failures: Array.from({ length: 12 }, (_, at) => ({
      failure: { kind: "close", code: 4000 + at, reason: `${evil}${"x ".repeat(200)}` } as const,
      count: at + 1,
    })),
  },
  refusals: [{ status: 403, location: evil, body: `${evil}${"y ".repeat(900)}` }],
  samples: [{ isText: true, text: evil, bytes: 20, awaited: evil }],
});

/** As long as names and messages can be, and as many. */
const worstScenario: AttackResult = {
  ...worst,
  status: "failed",
  reason: { kind: "no-iteration-finished" },
  plan: { ...worst.plan, scenario: "folder/scenario.ts", reply: { kind: "scenario" }, message: "" },
  scenario: {
    iterations: { started: 3e9, finished: 1e9, failed: 1e9, unended: 1e9, unstarted: 1e9 },
    iterationUs: fixture().latencyUs,
    measures: Array.from({ length: 100 }, (_, at) => ({
      name: `${at}${"n".repeat(38)}`,
      valueUs: { ...fixture().latencyUs, count: 1, p50: 123_456, p90: 1, p99: 1, p999: 1, max: 123_456 },
    })),
    checks: Array.from({ length: 100 }, (_, at) => ({
      name: `${at}${"c".repeat(38)}`,
      passed: 1e9,
      failed: 1e9,
      place: "1234:56",
    })),
    failures: Array.from({ length: 12 }, (_, at) => ({
      kind: at % 2 === 0 ? ("thrown" as const) : ("unended" as const),
      message: `${evil}${"z ".repeat(100)}`,
      place: "1234:56",
      count: 1e9,
    })),
    otherFailures: 7,
  },
};

test("whatever went wrong, it is one screen of 50 lines and 100 columns", () => {
  for (const result of [fixture(), worst, worstScenario]) {
    const lines = renderBlocks(buildAttackSummary(result), { columns: 100, color: false });
    expect(lines.length).toBeLessThanOrEqual(50);
    expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(100);
  }
  expect(renderBlocks(buildAttackSummary(worst), { columns: 100, color: false }).at(-1)).toMatch(
    /and \d+ more/,
  );
});

test("of a hundred machines the screen shows those that something is wrong with, the report all", () => {
  const part = (index: number): AttackResult["parts"][number] => {
    const isBad = index === 77;
    const { connections, messages, sendLagUs, latencyUs, ...rest } = fixture();
    return attackPartSchema.parse({
      ...rest,
      ...{ connections, messages, sendLagUs, latencyUs },
      status: isBad ? "invalid" : "ok",
      reason: isBad ? { kind: "generator-late", sendLagP99Us: 9000, allowedUs: 2000 } : null,
      id: isBad ? evil : `2026-${index}-attack`,
      share: null,
      machine: rest.environment,
    });
  };
  const parts = Array.from({ length: 100 }, (_, index) => part(index));
  const reason: AttackResult["reason"] = { kind: "parts-missing", missing: [4, 9], of: 102 };
  const merged: AttackResult = { ...worst, parts, status: "invalid", reason };
  const lines = renderBlocks(buildAttackSummary(merged), { columns: 100, color: false });
  expect(lines.length).toBeLessThanOrEqual(50);
  const screen = lines.join("\n");
  expect(screen).toContain("by each of 100 machines");
  expect(screen).toContain("2 shares of 102 missing: 5, 10");
  expect(screen).toContain("and 92 more in report.html");
  expect(screen).toContain("\\u{202e}: the generator sent late");
  const whole = renderMarkdown(buildAttackReport(merged));
  for (const { id } of parts.slice(0, 77)) expect(whole).toContain(`| ${id} |`);
});

test("of hundreds of agents the screen shows those that are lost, and the slowest; the report all", () => {
  const none = summarize(new Histogram());
  const agents = Array.from({ length: 500 }, (_, agent): FleetFacts["agents"][number] => ({
    ...{ agent, id: `id${agent}`, name: `vm/${agent}`, cpuCount: 2, workers: 1, connections: 1 },
    ...{ clock: null, status: "ok", reason: null },
    figures: {
      ...{ opened: 1, failed: 0, died: 0, planned: 9, sent: 9, expected: 9, answered: 9 },
      ...{ latencyUs: { ...none, p99: 1000 + agent }, sendLagUs: none, generator: null },
    },
  }));
  const [first] = agents;
  const reason = { kind: "agent-lost" as const, agent: 0, name: "vm/0", silentMs: 3600, cameBack: false };
  if (first !== undefined) Object.assign(first, { status: "lost", reason, figures: null });
  const fleet = { epoch: "a1", bus: "local", start: null, agents };
  const result = fixture({ fleet });
  const screen = renderBlocks(buildAttackSummary(result), { columns: 100, color: false });
  expect(screen.length).toBeLessThanOrEqual(50);
  const shown = screen.flatMap((line) => /\d+ vm\/(\d+)/.exec(line)?.[1] ?? []);
  // Why one is lost stands below the others.
  expect(shown.map(Number)).toEqual([493, 494, 495, 496, 497, 498, 499, 0]);
  expect(screen.join("\n")).toContain("The worst 8; 492 more in report.html and report.md.");
  const report = renderMarkdown(buildAttackReport(result));
  expect(agents.every(({ name }) => report.includes(name))).toBe(true);
});

test("from agent to agent no figure is told below the clocks' error, in no medium", () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 2000; us += 1) histogram.record(us);
  const tell = (clockErrorUs: number | null) => {
    const latencyUs = refuseBelow(summarize(histogram), clockErrorUs ?? Number.POSITIVE_INFINITY);
    const fleet = { epoch: "e", bus: "nats://bus", agents: [], start: { leadMs: 1, skewUs: 0, errorUs: 1 } };
    const result = fixture({ oneWay: { latencyUs, clockErrorUs }, fleet });
    return {
      terminal: renderBlocks(buildAttackSummary(result), { columns: 100, color: false }).join("\n"),
      markdown: renderMarkdown(buildAttackReport(result)),
      html: renderHtml(buildAttackReport(result)),
    };
  };
  const known = tell(1100);
  expect(known.terminal).toMatch(/from agent to agent +< 1\.10 ms +1\.80 ms +1\.98 ms/);
  expect(known.terminal).toMatch(/known to 1\.10 ms, and not told below/);
  expect(known.markdown).toMatch(/from agent to agent \| +\S*< 1\.10 ms \| +1\.80 ms/);
  expect(known.html).toContain("&lt; 1.10 ms");
  const unknown = tell(null);
  expect(unknown.terminal).toContain("how far apart their clocks are is not known");
});

test("the target is named with the address that is used", () => {
  const text = renderBlocks(buildAttackSummary(fixture()), { columns: 200, color: false }).join("\n");
  expect(text).toContain(
    "ws://example.test/chat at 192.0.2.7 (of 2 addresses): 50 connections, 1,000 messages",
  );
});

test("what a server said reaches no terminal and no page as it came", () => {
  const texts = [
    renderBlocks(buildAttackSummary(worst), { columns: 100, color: false }).join("\n"),
    ...[worst, worstScenario].flatMap((one) => [
      renderMarkdown(buildAttackReport(one)),
      renderHtml(buildAttackReport(one)),
    ]),
  ];
  for (const text of texts) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: they are what must not be there
    expect(text.replaceAll("\n", "")).not.toMatch(/[\x00-\x1f\x7f-\x9f\u202e]/);
  }
  for (const text of texts.slice(1)) expect(text).not.toMatch(/(?<!\\)<script>/);
});

test("of the server's CPU nothing is said: nobody knows it", () => {
  const reason = { kind: "generator-bottleneck", generatorCpuShare: 0.996, serverCpuShare: null } as const;
  const text = renderMarkdown(buildAttackReport(fixture({ status: "invalid", reason })));
  expect(text).toContain("the generator was the bottleneck: it used 99.6 % of its CPU; give --workers.");
});

test("an attack that was cut off says so", () => {
  const text = renderMarkdown(buildAttackReport(fixture({ progress: "running", finishedAt: null })));
  expect(text).toContain("**Unfinished:**");
});
