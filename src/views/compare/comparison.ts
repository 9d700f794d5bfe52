import { formatEntrant } from "../../contenders/entrants.ts";
import type { Result } from "../../result/schema.ts";
import * as format from "../../text/format.ts";
import { nameOf, participantsOf } from "../report/section.ts";
import { type Change, judgeChanges } from "./change.ts";
import {
  type ContenderDifference,
  contenderDifferences,
  machineDifferences,
  planDifferences,
  settingDifferences,
} from "./difference.ts";
import { type Figure, listFigures, type NamedPhase, phasesOf } from "./measures.ts";

/** A phase that both plans have. */
export interface PhaseComparison extends NamedPhase {
  /** What the plans ask otherwise of it; empty when both did the same work. */
  readonly otherWork: readonly string[];
  /** For each contender of both runs every measure of the phase. */
  readonly changes: readonly Change[];
}

export interface Comparison {
  readonly before: Result;
  readonly after: Result;
  readonly phases: readonly PhaseComparison[];
  readonly otherMachine: readonly string[];
  readonly otherSettings: readonly string[];
  readonly contenders: readonly ContenderDifference[];
  /** What a reader has to know before any number, gravest first. */
  readonly warnings: readonly string[];
  /** How the numbers are to be read. */
  readonly remarks: readonly string[];
}

/** What became of every measure of every contender from run A (`before`) to run B (`after`). */
export function compareResults(before: Result, after: Result): Comparison {
  const otherMachine = machineDifferences(before.environment, after.environment);
  const figuresBefore = listFigures(before);
  const figuresAfter = listFigures(after);
  const phasesBefore = phasesOf(before.plan.phases);
  const phases = phasesOf(after.plan.phases).flatMap((phase, place): PhaseComparison[] => {
    const planned = after.plan.phases[place];
    if (planned === undefined || !phasesBefore.some(({ name }) => name === phase.name)) return [];
    const otherWork = planDifferences(before.plan, after.plan, planned);
    const pairs = figuresAfter
      .filter((figure) => figure.phase === phase.name)
      .flatMap((figure) => {
        const earlier = figuresBefore.find((other) => isSame(other, figure));
        return earlier === undefined
          ? []
          : [
              {
                before: earlier,
                after: figure,
                obstacle: findObstacle(figure, otherWork, otherMachine),
              },
            ];
      });
    const families = Map.groupBy(pairs, (pair) => pair.after.measure);
    const judged = [...families.values()].flatMap((family) => judgeChanges(family));
    const changes = [...Map.groupBy(judged, ({ contender }) => contender).values()].flat();
    return [{ ...phase, otherWork, changes }];
  });
  const comparison = {
    before,
    after,
    phases,
    otherMachine,
    otherSettings: settingDifferences(before.environment, after.environment),
    contenders: contenderDifferences(before, after),
  };
  return { ...comparison, warnings: listWarnings(comparison), remarks: listRemarks(comparison) };
}

export function listChanges({ phases }: Pick<Comparison, "phases">): Change[] {
  return phases.flatMap(({ changes }) => changes);
}

function isSame(one: Figure, other: Figure): boolean {
  return one.contender === other.contender && one.phase === other.phase && one.measure === other.measure;
}

function findObstacle(
  { measure }: Figure,
  otherWork: readonly string[],
  otherMachine: readonly string[],
): string | null {
  if (otherWork.length > 0) return `other work (${otherWork.join(", ")})`;
  return otherMachine.length > 0 && !measure.acrossMachines ? "another machine" : null;
}

type Unexplained = Omit<Comparison, "warnings" | "remarks">;

function listWarnings(comparison: Unexplained): string[] {
  const { before, after, phases, otherMachine, otherSettings, contenders } = comparison;
  const otherWork = phases.filter((phase) => phase.otherWork.length > 0);
  return [
    ...(before.id === after.id ? ["A and B are the same run."] : []),
    ...(after.startedAt < before.startedAt ? ["B was measured before A."] : []),
    ...[before, after].flatMap((result, place) => describeEnd(result, place === 0 ? "A" : "B")),
    ...(otherMachine.length > 0
      ? [
          `Other machines (${otherMachine.join("; ")}): speeds, latencies, processor time and memory are shown and not judged.`,
        ]
      : []),
    ...otherWork.map(
      ({ name, otherWork: differences }) =>
        `Other work in ${name} (${differences.join("; ")}): its figures are shown and not judged.`,
    ),
    ...onlyIn("phase", names(before, "phases"), names(after, "phases")),
    ...onlyIn("contender", names(before, "contenders"), names(after, "contenders")),
    ...(contenders.length === 0 ? ["No contender took part in both runs: there is nothing to compare."] : []),
    ...(otherSettings.length > 0 ? [`Set up otherwise: ${otherSettings.join("; ")}.`] : []),
    ...warnOfControls(comparison),
  ];
}

function describeEnd(result: Result, name: string): string[] {
  const kept = result.plan.validityRule
    ? []
    : [
        `${name} kept figures of phases in which something else than the server may have been measured (--no-void).`,
      ];
  if (result.status === "finished") return kept;
  return result.status === "aborted"
    ? [...kept, `${name} was stopped before its end: only what it measured by then is compared.`]
    : [...kept, `${name} has not ended, or was cut off: only what it measured by then is compared.`];
}

function names(result: Result, what: "phases" | "contenders"): string[] {
  return what === "phases"
    ? phasesOf(result.plan.phases).map(({ name }) => name)
    : participantsOf(result).map(nameOf);
}

function onlyIn(noun: string, before: readonly string[], after: readonly string[]): string[] {
  const describe = (list: readonly string[], run: string) =>
    list.length === 0
      ? []
      : [`Only in ${run}: ${noun}${list.length === 1 ? "" : "s"} ${format.joinNames(list)}.`];
  return [
    ...describe(
      before.filter((name) => !after.includes(name)),
      "A",
    ),
    ...describe(
      after.filter((name) => !before.includes(name)),
      "B",
    ),
  ];
}

/** Whoever is the same in both runs shows what the machine did between them. */
function warnOfControls({ contenders, phases }: Unexplained): string[] {
  return contenders.flatMap(({ contender, differences }) => {
    const moved = phases
      .flatMap(({ changes }) => changes)
      .filter(
        (change) =>
          change.contender === contender &&
          (change.kind === "better" || change.kind === "worse") &&
          change.measure.shown.length > 0,
      );
    if (differences.length > 0 || moved.length === 0) return [];
    const list = moved.slice(0, 3).map(describeMovement);
    const more = moved.length > 3 ? ` and ${moved.length - 3} more` : "";
    return [
      `${contender} has the same sources, toolchains and settings in both runs and changed all the same: ${list.join(", ")}${more}. Something else than the contender changed between the runs, or these belong to the chance changes of which the remarks below speak.`,
    ];
  });
}

function describeMovement({ phase, measure, ratio }: Change): string {
  return `${phase} ${measure.name} ${formatChange(ratio)}`;
}

/** `+5.2 %`, `−31 %`, `×3.4` from threefold on. */
export function formatChange(ratio: number | null): string {
  if (ratio === null) return format.unknown;
  if (ratio >= 3) return format.formatRatio(ratio);
  const percent = (ratio - 1) * 100;
  const digits = Math.abs(percent) < 9.95 ? 1 : 0;
  const text = Math.abs(percent).toFixed(digits);
  if (Number(text) === 0) return "±0 %";
  return `${percent < 0 ? "−" : "+"}${text} %`;
}

function listRemarks({ phases, before, after }: Unexplained): string[] {
  const changes = phases.flatMap((phase) => phase.changes);
  const tested = changes.filter(({ limits }) => limits !== null);
  const families = new Set(tested.map(({ phase, measure }) => `${phase} ${measure.name}`)).size;
  const isSingle = changes.some(({ kind }) => kind === "single-round");
  return [
    ...(isSingle
      ? [
          `A single round says nothing of its spread: no claim is made (A: ${format.plural(before.plan.rounds, "round")}, B: ${format.plural(after.plan.rounds, "round")}). Run with --rounds 5.`,
        ]
      : []),
    ...(tested.length > 0
      ? [
          "Limits hold with 95 % confidence for all contenders of a measure together (Welch's t on logarithms, Holm's correction). The two runs were not interleaved: limits know how rounds differ within each run, and nothing of what the machine did between the runs. For a change of a few per cent, run both as contenders of one showdown.",
          `${format.plural(families, "measure")} compared: of measures that did not change about one in twenty shows a change by chance.`,
        ]
      : []),
  ];
}

/** Whoever planned to take part in either run, so that a misspelt name can be told from an absent one. */
export function plannedContenders({ before, after }: Pick<Comparison, "before" | "after">): string[] {
  return [...new Set([...before.plan.entrants, ...after.plan.entrants].map(formatEntrant))];
}
