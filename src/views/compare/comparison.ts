import { type Figure, listFigures } from "../../measures/figures.ts";
import { listPhases } from "../../measures/sections.ts";
import type { Result } from "../../result/schema.ts";
import { type Change, judgeChanges } from "./change.ts";
import { listRemarks, listWarnings } from "./comparison-text.ts";
import {
  contenderDifferences,
  type Differences,
  machineDifferences,
  type PhaseComparison,
  planDifferences,
  settingDifferences,
} from "./difference.ts";

export interface Comparison extends Differences {
  /** What a reader has to know before any number, gravest first. */
  readonly warnings: readonly string[];
  /** How the numbers are to be read. */
  readonly remarks: readonly string[];
}

/** What became of every measure of every contender from run A (`before`) to run B (`after`). */
export function compareResults(before: Result, after: Result): Comparison {
  const differences: Differences = {
    before,
    after,
    phases: comparePhases(before, after),
    otherMachine: machineDifferences(before.environment, after.environment),
    otherSettings: settingDifferences(before.environment, after.environment),
    contenders: contenderDifferences(before, after),
  };
  return { ...differences, warnings: listWarnings(differences), remarks: listRemarks(differences) };
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
