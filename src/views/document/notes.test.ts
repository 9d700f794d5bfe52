import { expect, test } from "bun:test";
import {
  bunNative,
  fixtureBurst,
  fixtureEndurance,
  fixturePlan,
  fixtureResult,
  fixtureRound,
  nodeWs,
} from "../../../test/support/fixture-result.ts";
import { listSections } from "../../measures/sections.ts";
import type { PhasePlan } from "../../plan/plan.ts";
import { listNotes } from "./notes.ts";

const burst: PhasePlan = { kind: "burst", workload: "broadcast" };
const paced: PhasePlan = { kind: "endurance", workload: "broadcast" };
const segments = (perSegment: number) => ({ connections: 64, segments: 1000, deliveries: 1000 * perSegment });

/** What is said of each phase of a run in which one contender put 31 messages into a segment of the burst. */
function notesOf(phases: readonly PhasePlan[], node = nodeWs): string[] {
  const plan = fixturePlan({ phases: [{ kind: "connect" }, ...phases] });
  const rounds = [bunNative, node].map((facts) => {
    const round = fixtureRound(facts, plan);
    const atOnce = segments(facts === node ? 31 : 1);
    const loads = phases.map(({ kind }) =>
      kind === "burst"
        ? fixtureBurst(plan, "broadcast", 1, { segments: atOnce })
        : fixtureEndurance(plan, "broadcast", 1, { segments: segments(1), majorCollections: 3 }),
    );
    return { ...round, phases: [...round.phases.slice(0, 1), ...loads] };
  });
  const sections = listSections(fixtureResult({ contenders: [bunNative, node], plan, rounds }));
  return sections.flatMap((section) => listNotes(section, { plan, sections }).map(({ text }) => text));
}

test("what a burst shares stands beside what is left of it when messages are paced", () => {
  const notes = notesOf([burst, paced]);
  expect(notes).toContain(
    "Messages in a TCP segment, all at once and paced: bun-native 1.0 and 1.0, node-ws 31 and 1.0.",
  );
  expect(notes.join(" ")).not.toContain("Sent all at once");
});

test("what lies between the quickest of two leagues is told by their messages in a segment", () => {
  const told = (notes: readonly string[]) =>
    notes.find((text) => text.startsWith("The quickest of each league"));
  expect(told(notesOf([burst]))).toBeUndefined();
  expect(told(notesOf([burst], { ...nodeWs, approach: "tuned" }))).toMatch(
    /bun-native \(idiomatic\) [\d,]+\/s with 1\.0, node-ws \(tuned\) [\d,]+\/s with 31\.$/,
  );
});

test("where nothing is paced the burst says what would be", () => {
  expect(notesOf([burst])).toContain(
    "Sent all at once, messages share TCP segments: those of node-ws do. --phases connect,steady-broadcast shows what is left of that when they are paced.",
  );
});

test("three major collections are enough to judge memory by, and nothing is said of them", () => {
  expect(notesOf([paced]).join(" ")).not.toContain("ollection");
});
