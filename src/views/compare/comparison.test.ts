import { expect, test } from "bun:test";
import { fixtureResult } from "../../../test/support/fixture-result.ts";
import {
  alterPhases,
  firstRoundOnly,
  fixtureRun,
  scaleThroughput,
} from "../../../test/support/fixture-run.ts";
import type { Result } from "../../result/schema.ts";
import { renderBlocks as renderMarkdown } from "../render/markdown.ts";
import { renderBlocks as renderText } from "../render/terminal.ts";
import { isClear } from "./change.ts";
import { explainChange } from "./change-text.ts";
import { compareResults, listChanges } from "./comparison.ts";
import { listRemarks, listWarnings } from "./comparison-text.ts";
import { buildComparison, toJson } from "./document.ts";

const before = fixtureRun({ id: "2026-03-01T10-00-00-article", startedAt: "2026-03-01T10:00:00.000Z" });
const later = { id: "2026-03-02T10-00-00-article", startedAt: "2026-03-02T10:00:00.000Z" };
const after: Result = { ...before, ...later };

function changeOf(comparison: ReturnType<typeof compareResults>, name: string) {
  return listChanges(comparison).find(
    ({ after: { contender, phase, measure } }) => `${contender} ${phase} ${measure.name}` === name,
  );
}

test("a run against an equal one shows no clear change anywhere, and no warning", () => {
  const comparison = compareResults(before, after);
  expect(listWarnings(comparison)).toEqual([]);
  const kinds = new Set(listChanges(comparison).map(({ kind }) => kind));
  expect([...kinds].sort()).toEqual(["missing", "no-clear-change", "no-ratio"]);
});

test("the one figure that changed is found, and nothing else", () => {
  const comparison = compareResults(before, scaleThroughput(after, "go-gorilla", 0.8));
  const clear = listChanges(comparison).filter(isClear);
  expect(clear).toHaveLength(1);
  expect(clear[0]).toMatchObject({ after: { contender: "go-gorilla", phase: "burst-echo" }, kind: "worse" });
  expect(clear[0]?.ratio).toBeCloseTo(0.8, 10);
  const text = renderText(buildComparison(comparison, []), { columns: 140, color: false }).join("\n");
  expect(text).toContain("1 clear change: go-gorilla burst-echo throughput −20 % (worse).");
  expect(text).toMatch(/go-gorilla throughput +[\d,]+\/s +[\d,]+\/s +−20 % +worse +−\d+ to −\d+ %/);
});

test("one that is the same in both and changed all the same casts doubt on the machine", () => {
  const changed = scaleThroughput(after, "go-gorilla", 0.8);
  expect(listWarnings(compareResults(before, changed)).join()).toContain(
    "go-gorilla has the same sources, toolchains and settings in both runs, but moved: burst-echo throughput −20 %.",
  );
  const edited: Result = {
    ...changed,
    contenders: changed.contenders.map((facts) =>
      facts.name === "go-gorilla"
        ? { ...facts, sourceDigest: "0".repeat(64), toolchains: { go: "go version go1.27.0 linux/amd64" } }
        : facts,
    ),
  };
  const comparison = compareResults(before, edited);
  expect(listWarnings(comparison)).toEqual([]);
  expect(comparison.contenders.find(({ contender }) => contender === "go-gorilla")?.differences).toEqual([
    "different sources",
    "go go version go1.26.0 linux/amd64 → go version go1.27.0 linux/amd64",
  ]);
});

test("a single round is shown without any claim", () => {
  const comparison = compareResults(
    firstRoundOnly(before),
    firstRoundOnly(scaleThroughput(after, "node-ws", 0.1)),
  );
  expect(changeOf(comparison, "node-ws burst-echo throughput")).toMatchObject({
    kind: "single-round",
    limits: null,
  });
  expect(listRemarks(comparison)[0]).toStartWith("One round shows no spread");
  expect(renderText(buildComparison(comparison, []), { columns: 100, color: false }).join("\n")).toContain(
    "Nothing could be judged.",
  );
});

test("on another machine only what does not hang on its speed is judged", () => {
  const environment = { ...after.environment, cpuModel: "Apple M2 Pro", cpuCount: 10 };
  const fewer = alterPhases(after, "node-ws", "connect", (phase) => ({
    ...phase,
    connections: { ...phase.connections, opened: 20_000, open: 20_000, failed: 5000 },
  }));
  const comparison = compareResults(before, { ...scaleThroughput(fewer, "node-ws", 3), environment });
  expect(listWarnings(comparison)[0]).toBe(
    "Different machines (CPU AMD EPYC 7763 64-Core Processor → Apple M2 Pro; CPUs 2 → 10). Speeds, latencies, CPU time and memory are shown, not judged.",
  );
  expect(changeOf(comparison, "node-ws burst-echo throughput")).toMatchObject({
    kind: "not-comparable",
    limits: null,
    obstacle: "different machine",
  });
  expect(changeOf(comparison, "node-ws connect connections")).toMatchObject({ kind: "worse" });
});

test("under another plan only the phases of equal work are judged", () => {
  const comparison = compareResults(before, {
    ...scaleThroughput(after, "node-ws", 0.5),
    plan: { ...after.plan, messagesPerConnection: 30, seed: 9 },
  });
  expect(listWarnings(comparison)).toContain(
    "Different work in burst-echo (messages per connection 15 → 30). Its figures are shown, not judged.",
  );
  expect(changeOf(comparison, "node-ws burst-echo throughput")?.kind).toBe("not-comparable");
  expect(changeOf(comparison, "node-ws endurance-echo sustained")?.kind).toBe("no-clear-change");
});

test("runs with nothing in common say so", () => {
  const [first, ...others] = fixtureResult().contenders;
  const one = fixtureRun({ contenders: first === undefined ? [] : [first] });
  const rest = fixtureRun({ ...later, contenders: others });
  const comparison = compareResults(one, rest);
  expect(listWarnings(comparison)).toEqual([
    "Only in A: contender bun-native.",
    "Only in B: contenders elixir-genserver, go-gorilla and node-ws.",
    "No contender took part in both runs. There is nothing to compare.",
  ]);
  const otherPhases = { ...after, plan: { ...after.plan, phases: [{ kind: "connect" as const }] } };
  expect(listWarnings(compareResults(before, otherPhases))).toContain(
    "Only in A: phases burst-echo and endurance-echo.",
  );
});

test("cut off, aborted, swapped and identical runs and other settings are pointed out", () => {
  const cut = { ...before, status: "running" as const, finishedAt: null };
  const aborted = { ...after, status: "aborted" as const };
  expect(listWarnings(compareResults(cut, aborted))).toEqual([
    "A is still running or was cut off. Only what it measured so far is compared.",
    "B was stopped early. Only what it measured by then is compared.",
  ]);
  expect(listWarnings(compareResults(after, before))).toEqual(["B was measured before A."]);
  expect(listWarnings(compareResults(before, before))).toEqual(["A and B are the same run."]);
  expect(
    listWarnings(compareResults(before, { ...after, plan: { ...after.plan, validityRule: false } })),
  ).toEqual(["B kept the figures of invalid phases."]);
  const environment = { ...after.environment, kernel: "Linux 6.12", cpuGovernor: "powersave" };
  expect(listWarnings(compareResults(before, { ...after, environment }))).toEqual([
    "Different settings: CPU governor performance → powersave; kernel Linux 6.1.0-18-amd64 → Linux 6.12.",
  ]);
});

test("a contender that failed in B is a figure gone missing", () => {
  const failed = alterPhases(after, "go-gorilla", "endurance", (phase) => ({
    ...phase,
    status: "failed",
    reason: { kind: "server-exited", exit: { code: 1, signal: null }, connections: null },
  }));
  const comparison = compareResults(before, failed);
  const change = changeOf(comparison, "go-gorilla endurance-echo sustained");
  expect(change?.kind).toBe("missing");
  expect(change === undefined ? null : explainChange(change)).toMatch(/^B: failed: .*exited/);
  expect(renderMarkdown(buildComparison(comparison, []))).toContain("figures of A are missing in B.");
});

test("Markdown has a table per phase, and JSON every measure", () => {
  const comparison = compareResults(before, scaleThroughput(after, "go-gorilla", 0.8));
  const markdown = renderMarkdown(buildComparison(comparison, []));
  expect(markdown.match(/^\| contender, measure/gm)).toHaveLength(3);
  expect(markdown).toContain("| contender, measure | A | B | change | result | 95 % CI |");
  const json = JSON.parse(JSON.stringify(toJson(comparison, [])));
  const [, burst] = json.phases;
  const change = burst.changes.find(
    (one: { contender: string; measure: string }) =>
      one.contender === "go-gorilla" && one.measure === "throughput",
  );
  expect(change).toMatchObject({ kind: "worse", unit: "perSecond", better: "higher", rounds: [5, 5] });
});
