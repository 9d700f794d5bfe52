import { expect, test } from "bun:test";
import {
  fixturePlan,
  fixtureResult,
  fixtureRounds,
  goGorilla,
  nodeWs,
} from "../../../test/support/fixture-result.ts";
import { alterPhases, fixtureThroughputs } from "../../../test/support/fixture-run.ts";
import { judge } from "../../judgement/judge.ts";
import type { Result } from "../../result/schema.ts";
import { listCauses, listChoices, listOpenQuestions, listVerdicts } from "./verdict.ts";

type Sentences = ReturnType<typeof listVerdicts>;

/** Of throughput only, which these results differ in. */
function say(result: Result, listed: (judgements: ReturnType<typeof judge>, result: Result) => Sentences) {
  const judgements = judge(result).filter(({ measure }) => measure === "throughput");
  return listed(judgements, result).map(({ lead, text }) => (lead === undefined ? text : `${lead} ${text}`));
}

const slow = [100, 101, 99, 100, 101];

test("leads: the ratio with its interval, what it rests on, and what it is true for", () => {
  const result = fixtureThroughputs({
    "bun-native": slow.map((rate) => 1.4 * rate),
    "node-ws": slow.toReversed(),
  });
  expect(say(result, listVerdicts)).toEqual([
    "Choose bun-native for throughput: 140,000/s; 1.40× node-ws (100,000/s, 95 % CI 1.38–1.42×); 5 rounds on 1 CPU. bun-native spent 1.71 µs of system CPU time per delivery, node-ws 2.40 µs.",
  ]);
  expect(say(result, listChoices)).toEqual(["Choose bun-native on 1 CPU for throughput."]);
});

test("what explains leads is told once for each leader and phase, the strongest first", () => {
  const result = fixtureThroughputs({
    "bun-native": slow.map((rate) => 4 * rate),
    "go-gorilla": slow.map((rate) => 2 * rate),
    "node-ws": slow,
  });
  const listed = listCauses(judge(result)).map(({ lead, text }) => `${lead} ${text}`);
  expect(listed).toEqual([
    "2.00–4.00× in burst-echo: bun-native spent 0.60 µs of system CPU time per delivery, node-ws 2.40 µs and go-gorilla 1.20 µs.",
  ]);
});

test("a lead within the margin is told and chosen by nobody", () => {
  const result = fixtureThroughputs({
    "bun-native": [102, 102.2, 101.8, 102.1, 101.9],
    "node-ws": [100, 100, 100, 100, 100],
  });
  const said =
    "Throughput: bun-native: 1.02× node-ws (95 % CI 1.02–1.02×), a lead within 5 % after 5 rounds on 1 CPU.";
  expect(say(result, listVerdicts)).toEqual([said]);
  expect(say(result, listChoices)).toEqual([]);
  expect(say(result, listOpenQuestions)).toEqual([said]);
});

test("equal: within the margin, with the 90 % interval of its test, and who is behind", () => {
  const result = fixtureThroughputs({
    "bun-native": [100, 101, 99, 100, 100],
    "go-gorilla": [101, 100, 100, 99, 101],
    "node-ws": [80, 81, 79, 80, 80],
  });
  expect(say(result, listVerdicts)).toEqual([
    "Throughput: bun-native and go-gorilla are equal within 5 % (90 % CI 0.98–1.01×) after 5 rounds on 1 CPU. Clearly behind: node-ws. bun-native spent 2.40 µs of system CPU time per delivery, node-ws 3.00 µs.",
  ]);
  expect(say(result, listChoices)).toEqual([
    "bun-native and go-gorilla are equal within 5 % on 1 CPU for throughput.",
  ]);
});

test("undecided: how far apart they may be, and what it would take", () => {
  const result = fixtureThroughputs({
    "bun-native": [100, 130, 90, 120, 80],
    "go-gorilla": [110, 100, 105, 95, 100],
  });
  expect(say(result, listOpenQuestions)).toEqual([
    "Throughput not decided between bun-native and go-gorilla: ±32.5 % after 5 rounds on 1 CPU; about 280 more needed to see 5 %.",
  ]);
  expect(say(result, listChoices)).toEqual([]);
});

test("unfit, invalid and single are told once each, and rank nobody", () => {
  const fair = fixtureThroughputs({ "bun-native": slow, "go-gorilla": slow, "node-ws": slow });
  const losing = alterPhases(fair, "node-ws", "burst", (phase) => ({
    ...phase,
    messages: {
      ...phase.messages,
      delivered: phase.messages.delivered / 2,
      lost: phase.messages.delivered / 2,
    },
  }));
  const contended = alterPhases(losing, "go-gorilla", "burst", (phase) => ({
    ...phase,
    status: "invalid",
    reason: { kind: "server-contention", otherCpuShare: 0.3 },
    throughput: null,
  }));
  expect(say(contended, listVerdicts)).toEqual([
    "Throughput: bun-native 100,000/s on 1 CPU, with nobody to compare.",
    "node-ws is not ranked in burst-echo: it lost more than 0.1 % of its deliveries.",
    expect.stringMatching(/^go-gorilla is not ranked in burst-echo: .*30.0 %/),
  ]);
  const single = fixtureThroughputs({ "bun-native": [100], "node-ws": [50] });
  expect(say(single, listVerdicts)).toEqual(["One round shows figures and ranks nobody: use --rounds 5."]);
  const two = fixtureThroughputs({ "bun-native": [100, 100], "node-ws": [50, 50] });
  const oneOfTwo = ["bun-native", "node-ws"].reduce(
    (result, name) =>
      alterPhases(result, name, "burst", (phase, round) => ({
        ...phase,
        ...(round === 1
          ? {}
          : {
              status: "invalid",
              reason: { kind: "server-contention", otherCpuShare: 0.3 },
              throughput: null,
            }),
      })),
    two,
  );
  expect(say(oneOfTwo, listVerdicts)).toContain("Only one round counts: it shows figures and ranks nobody.");
});

test("censored: what stopped them all, and nobody is equal for it", () => {
  const plan = fixturePlan({ rounds: 5, phases: [{ kind: "connect" }] });
  const limit = { kind: "server-descriptors", perProcess: 20_000, inUse: 19_990 } as const;
  const rounds = fixtureRounds([goGorilla, nodeWs], plan).map((round) => ({
    ...round,
    phases: round.phases.map((phase) =>
      phase.kind === "connect" && phase.status !== "not-run"
        ? {
            ...phase,
            connections: { ...phase.connections, opened: 19_900, open: 19_900, failed: 5100 },
            limit,
          }
        : phase,
    ),
  }));
  const result = fixtureResult({ plan, contenders: [goGorilla, nodeWs], rounds });
  const judgements = judge(result).filter(({ measure }) => measure === "connections");
  expect(listVerdicts(judgements, result)).toEqual([
    {
      lead: "Number of connections",
      text: "not decided: both stopped at the server's descriptor limit (20,000 per process), on 1 CPU.",
    },
  ]);
});
