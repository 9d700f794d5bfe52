import { type Figure, listFigures } from "../../measures/figures.ts";
import { listPhases, type NamedPhase } from "../../measures/sections.ts";
import type { Result } from "../../result/schema.ts";
import { type Change, judgeChanges } from "./change.ts";
import {
  type ContenderDifference,
  contenderDifferences,
  machineDifferences,
  planDifferences,
  settingDifferences,
} from "./difference.ts";

/** A phase that both plans have. */
export interface PhaseComparison extends NamedPhase {
  /** What the plans ask otherwise of it; empty when both did the same work. */
  readonly otherWork: readonly string[];
  /** For each contender of both runs every measure of the phase. */
  readonly changes: readonly Change[];
}

/** What was found between two runs, before any word about it. */
export interface Comparison {
  readonly before: Result;
  readonly after: Result;
  readonly phases: readonly PhaseComparison[];
  readonly otherMachine: readonly string[];
  readonly otherSettings: readonly string[];
  readonly contenders: readonly ContenderDifference[];
}

/** What became of every measure of every contender from run A (`before`) to run B (`after`). */
export function compareResults(before: Result, after: Result): Comparison {
  return {
    before,
    after,
    phases: comparePhases(before, after),
    otherMachine: machineDifferences(before.environment, after.environment),
    otherSettings: settingDifferences(before.environment, after.environment),
    contenders: contenderDifferences(before, after),
  };
}

export function listChanges({ phases }: Pick<Comparison, "phases">): Change[] {
  return phases.flatMap(({ changes }) => changes);
}

function comparePhases(before: Result, after: Result): PhaseComparison[] {
  const isOtherMachine = machineDifferences(before.environment, after.environment).length > 0;
  const earlier = new Map(listFigures(before).map((figure) => [keyOf(figure), figure]));
  const figures = listFigures(after);
  const namesBefore = listPhases(before.plan.phases).map(({ name }) => name);
  return listPhases(after.plan.phases).flatMap((phase, place): PhaseComparison[] => {
    const planned = after.plan.phases[place];
    if (planned === undefined || !namesBefore.includes(phase.name)) return [];
    const otherWork = planDifferences(before.plan, after.plan, planned);
    const pairs = figures.flatMap((figure) => {
      const other = earlier.get(keyOf(figure));
      if (figure.phase !== phase.name || other === undefined) return [];
      const obstacle =
        otherWork.length > 0
          ? `different work (${otherWork.join(", ")})`
          : isOtherMachine && !figure.measure.acrossMachines
            ? "different machine"
            : null;
      return [{ before: other, after: figure, obstacle }];
    });
    const families = Map.groupBy(pairs, (pair) => pair.after.measure);
    const judged = [...families.values()].flatMap((family) => judgeChanges(family));
    const changes = [...Map.groupBy(judged, (change) => change.after.contender).values()].flat();
    return [{ ...phase, otherWork, changes }];
  });
}

function keyOf({ contender, phase, measure }: Figure): string {
  return `${contender} ${phase} ${measure.name}`;
}
