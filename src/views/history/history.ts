import { isShowdownError } from "../../errors.ts";
import { type Figure, listFigures } from "../../measures/figures.ts";
import { countRounds, listPhases, type NamedPhase, nameOf, participantsOf } from "../../measures/sections.ts";
import type { Plan } from "../../plan/plan.ts";
import { listRuns } from "../../result/find.ts";
import { readStored } from "../../result/read.ts";
import type { Environment, Result } from "../../result/schema.ts";

/** What a history keeps of a run: its figures are read and let go, so that thousands of runs fit into memory. */
export interface HistoryRun {
  readonly id: string;
  readonly startedAt: string;
  readonly status: Result["status"];
  readonly plan: Plan;
  readonly rounds: number;
  readonly environment: Environment;
  readonly contenders: readonly string[];
  /** Only those that were asked for. */
  readonly figures: readonly Figure[];
}

interface History {
  /** Oldest first. */
  readonly runs: readonly HistoryRun[];
  /** Why files were left out, one line each. */
  readonly skipped: readonly string[];
}

/** Reads the result files of a folder, one at a time; one that can't be read is no wall for the others. */
export function readHistory(resultsFolder: string, isWanted: (figure: Figure) => boolean): History {
  const runs: HistoryRun[] = [];
  const skipped: string[] = [];
  const ids = new Set<string>();
  for (const { path } of listRuns(resultsFolder)) {
    try {
      const stored = readStored(path);
      // An attack is no run, and no fault either.
      if ("attack" in stored) continue;
      const { result } = stored;
      const { id, startedAt, status, plan, environment } = result;
      // A copy of a run is no second run.
      if (ids.has(id)) continue;
      ids.add(id);
      const contenders = participantsOf(result).map(nameOf);
      const figures = listFigures(result).filter((figure) => figure.value !== null && isWanted(figure));
      const rounds = countRounds(result);
      runs.push({ id, startedAt, status, plan, rounds, environment, contenders, figures });
    } catch (error) {
      if (!isShowdownError(error)) throw error;
      skipped.push(error.message);
    }
  }
  return { runs, skipped };
}

/** Every phase that any of the runs had, in the order of the newest plan. */
export function listHistoryPhases(runs: readonly HistoryRun[]): NamedPhase[] {
  const newestFirst = runs.toReversed().flatMap(({ plan }) => listPhases(plan.phases));
  return [...new Map(newestFirst.map((phase) => [phase.name, phase])).values()];
}
