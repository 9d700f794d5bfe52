import { countRounds, listPhases, nameOf, participantsOf } from "../../measures/sections.ts";
import type { Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { isClear } from "./change.ts";
import { describeChange } from "./change-text.ts";
import { type Comparison, listChanges } from "./comparison.ts";

/** What a reader has to know before any number, gravest first. */
export function listWarnings(comparison: Comparison): string[] {
  const { before, after, phases, otherMachine, otherSettings, contenders } = comparison;
  return [
    ...(before.id === after.id ? ["A and B are the same run."] : []),
    ...(after.startedAt < before.startedAt ? ["B was measured before A."] : []),
    ...describeEnd(before, "A"),
    ...describeEnd(after, "B"),
    ...differing("machines", otherMachine, "Speeds, latencies, CPU time and memory are shown, not judged."),
    ...phases.flatMap(({ name, otherWork }) =>
      differing(`work in ${name}`, otherWork, "Its figures are shown, not judged."),
    ),
    ...describeOnly("phase", before, after, ({ plan }) => listPhases(plan.phases).map(({ name }) => name)),
    ...describeOnly("contender", before, after, (result) => participantsOf(result).map(nameOf)),
    ...(contenders.length === 0 ? ["No contender took part in both runs. There is nothing to compare."] : []),
    ...(otherSettings.length > 0 ? [`Different settings: ${otherSettings.join("; ")}.`] : []),
    ...describeControls(comparison),
  ];
}

function differing(what: string, differences: readonly string[], so: string): string[] {
  return differences.length === 0 ? [] : [`Different ${what} (${differences.join("; ")}). ${so}`];
}

function describeEnd({ status, plan }: Result, name: string): string[] {
  const ends = {
    finished: [],
    aborted: [`${name} was stopped early. Only what it measured by then is compared.`],
    running: [`${name} is still running or was cut off. Only what it measured so far is compared.`],
  };
  return [...(plan.validityRule ? [] : [`${name} kept the figures of invalid phases.`]), ...ends[status]];
}

function describeOnly(
  noun: string,
  before: Result,
  after: Result,
  list: (result: Result) => readonly string[],
): string[] {
  const describe = (run: string, names: readonly string[], others: readonly string[]) => {
    const only = names.filter((name) => !others.includes(name));
    return only.length === 0
      ? []
      : [`Only in ${run}: ${noun}${only.length === 1 ? "" : "s"} ${format.joinNames(only)}.`];
  };
  const [a, b] = [list(before), list(after)];
  return [...describe("A", a, b), ...describe("B", b, a)];
}

/** Whoever is the same in both runs shows what the machine did between them. */
function describeControls({ contenders, phases }: Comparison): string[] {
  return contenders.flatMap(({ contender, differences }) => {
    const moved = listChanges({ phases }).filter(
      (change) =>
        change.after.contender === contender && isClear(change) && change.after.measure.shown.length > 0,
    );
    if (differences.length > 0 || moved.length === 0) return [];
    const list = moved
      .slice(0, 3)
      .map((change) => `${change.after.phase} ${change.after.measure.name} ${describeChange(change)}`);
    const more = moved.length > list.length ? ` and ${moved.length - list.length} more` : "";
    return [
      `${contender} has the same sources, toolchains and settings in both runs, but moved: ${list.join(", ")}${more}. Something else may have changed between the runs.`,
    ];
  });
}

/** How the numbers are to be read. */
export function listRemarks({ phases, before, after }: Comparison): string[] {
  const changes = listChanges({ phases });
  const tested = changes.filter(({ limits }) => limits !== null);
  const families = new Set(tested.map((change) => `${change.after.phase} ${change.after.measure.name}`)).size;
  const rounds = `A: ${format.plural(countRounds(before), "round")}, B: ${format.plural(countRounds(after), "round")}`;
  return [
    ...(changes.some(({ kind }) => kind === "single-round")
      ? [`One round shows no spread, so nothing is claimed (${rounds}). Use --rounds 5.`]
      : []),
    ...(tested.length > 0
      ? [
          "Intervals have 95 % confidence for all contenders of a measure together (Welch's t on logarithms, Holm's correction).",
          "The runs were not interleaved: intervals don't know what the machine did between them. For changes of a few per cent, run both as contenders of one showdown.",
          `${format.plural(families, "measure")} compared. About 1 in 20 unchanged measures shows a change by chance.`,
        ]
      : []),
  ];
}
