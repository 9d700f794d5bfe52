import { expect, test } from "bun:test";
import { fixtureAttack } from "../../../test/support/fixture-attack.ts";
import { type AttackPart, type AttackResult, attackPartSchema } from "../../result/attack.ts";
import { Histogram, refuseBelow, summarize } from "../../stats/histogram.ts";
import { renderBlocks as renderHtml } from "../render/html.ts";
import { renderBlocks as renderMarkdown } from "../render/markdown.ts";
import { renderBlocks } from "../render/terminal.ts";
import { buildAttackReport, buildAttackSummary } from "./report.ts";

const evil = "\x1b[2J<script>\u202e";
const worst = fixtureAttack({
  status: "failed",
  reason: { kind: "all-connections-closed" },
  connections: {
    ...fixtureAttack().connections,
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
    iterationUs: fixtureAttack().latencyUs,
    measures: Array.from({ length: 100 }, (_, at) => ({
      name: `${at}${"n".repeat(38)}`,
      valueUs: {
        ...fixtureAttack().latencyUs,
        count: 1,
        p50: 123_456,
        p90: 1,
        p99: 1,
        p999: 1,
        max: 123_456,
      },
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
  for (const result of [fixtureAttack(), worst, worstScenario]) {
    const lines = renderBlocks(buildAttackSummary(result), { columns: 100, color: false });
    expect(lines.length).toBeLessThanOrEqual(50);
    expect(Math.max(...lines.map((line) => Bun.stringWidth(line)))).toBeLessThanOrEqual(100);
  }
  expect(renderBlocks(buildAttackSummary(worst), { columns: 100, color: false }).at(-1)).toMatch(
    /and \d+ more/,
  );
});

function partOf(changes: Partial<AttackPart>): AttackPart {
  const { id, environment: machine, status, reason, ...figures } = fixtureAttack();
  const usual = { id, name: null, share: null, machine, clock: null, status, reason, figures };
  return attackPartSchema.parse({ ...usual, ...changes });
}

test("of a hundred machines the screen shows those that something is wrong with, the report all", () => {
  const late = { kind: "generator-late", sendLagP99Us: 9000, allowedUs: 2000 } as const;
  const parts = Array.from({ length: 100 }, (_, index) =>
    partOf(index === 77 ? { id: evil, status: "invalid", reason: late } : { id: `2026-${index}-attack` }),
  );
  const reason: AttackResult["reason"] = { kind: "parts-missing", missing: [4, 9], of: 102 };
  const merged: AttackResult = { ...worst, parts, status: "invalid", reason };
  const lines = renderBlocks(buildAttackSummary(merged), { columns: 100, color: false });
  expect(lines.length).toBeLessThanOrEqual(50);
  const screen = lines.join("\n");
  expect(screen).toContain("by each of 100 machines");
  expect(screen).toContain("2 shares of 102 missing: 5, 10");
  expect(screen).toContain("The worst 8; 92 more in report.html");
  expect(screen).toContain("\\u{202e}: the generator sent late");
  const whole = renderMarkdown(buildAttackReport(merged));
  for (const { id } of parts.slice(0, 77)) expect(whole).toContain(`| ${id} |`);
});

test("from agent to agent no figure is told below the clocks' error, in no medium", () => {
  const histogram = new Histogram();
  for (let us = 1; us <= 2000; us += 1) histogram.record(us);
  const tell = (clockErrorUs: number | null) => {
    const latencyUs = refuseBelow(summarize(histogram), clockErrorUs ?? Number.POSITIVE_INFINITY);
    const fleet = { epoch: "e", bus: "nats://bus", start: { leadMs: 1, skewUs: 0, errorUs: 1 } };
    const result: AttackResult = {
      ...fixtureAttack(),
      ...{ oneWay: { latencyUs, clockErrorUs }, fleet, parts: [partOf({})] },
    };
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

test("of a fleet that lost agents one screen says whose figures they are, and why", () => {
  const parts = Array.from({ length: 100 }, (_, agent): AttackPart => {
    const name = `a-host-with-a-long-name-${agent}/123456`;
    const part = partOf({ id: `${agent}`, name, share: { index: agent, of: 100 } });
    const reason = { kind: "agent-lost", agent, name, silentMs: 3600, cameBack: true } as const;
    return agent % 5 === 3 ? { ...part, status: "lost", reason, figures: null } : part;
  });
  const result: AttackResult = {
    ...worst,
    ...{ parts, status: "partial", reason: parts[3]?.reason ?? null },
    fleet: { epoch: "0", bus: "nats://127.0.0.1:4222", start: { leadMs: 1000, skewUs: 600, errorUs: 900 } },
  };
  const lines = renderBlocks(buildAttackSummary(result), { columns: 100, color: false });
  expect(lines.length).toBeLessThanOrEqual(50);
  const screen = lines.join(" ").replaceAll(/\s+/g, " ");
  expect(screen).toContain("shared by 100 agents");
  expect(screen).toContain(
    "Partial: nothing was heard of agent 3 (a-host-with-a-long-name-3/123456) for 3.6 s",
  );
  expect(screen).toContain("The figures are those of 80 of 100 agents.");
  expect(screen).toContain("100 agents began within 600 µs of each other");
  const whole = renderMarkdown(buildAttackReport(result));
  expect(whole.match(/^\| agent \d+ .*\| \*\*lost\*\* \|$/gm)?.length).toBe(20);
});

test("of hundreds of agents the screen shows the slowest", () => {
  const { latencyUs, ...figures } = fixtureAttack();
  const parts = Array.from({ length: 500 }, (_, agent): AttackPart => {
    const slow = { ...figures, latencyUs: { ...latencyUs, p99: 1000 + agent } };
    return partOf({ id: `${agent}`, name: `vm/${agent}`, share: { index: agent, of: 500 }, figures: slow });
  });
  const screen = renderBlocks(buildAttackSummary({ ...fixtureAttack(), parts }), {
    columns: 100,
    color: false,
  });
  const shown = screen.flatMap((line) => /agent \d+ \(vm\/(\d+)\)/.exec(line)?.[1] ?? []);
  expect(shown.map(Number)).toEqual([492, 493, 494, 495, 496, 497, 498, 499]);
});

test("the target is named with the address that is used", () => {
  const text = renderBlocks(buildAttackSummary(fixtureAttack()), { columns: 200, color: false }).join("\n");
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
  const text = renderMarkdown(buildAttackReport(fixtureAttack({ status: "invalid", reason })));
  expect(text).toContain("the generator was the bottleneck: it used 99.6 % of its CPU; give --workers.");
});

test("an attack that was cut off says so", () => {
  const text = renderMarkdown(buildAttackReport(fixtureAttack({ progress: "running", finishedAt: null })));
  expect(text).toContain("**Unfinished:**");
});
