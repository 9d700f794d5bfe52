import type { Figure } from "../../measures/figures.ts";
import { listPhases } from "../../measures/sections.ts";
import { type Change, judgeChanges } from "../compare/change.ts";
import { machineDifferences, planDifferences } from "../compare/difference.ts";
import type { HistoryRun } from "./history.ts";

/** One run of a trend. */
interface TrendPoint {
  readonly run: HistoryRun;
  readonly figure: Figure;
}

/** One measure of one contender in one phase, over all runs that did the same work on the same machine. */
export interface Trend {
  /** At least one, oldest first. */
  readonly points: readonly [TrendPoint, ...TrendPoint[]];
  /** Of the last run against the one before; null for a single run. */
  readonly change: Change | null;
  /** Runs left out for other work, or another machine, than the last one's. */
  readonly otherConditions: number;
}

/** One trend for every figure that any of the runs has, in the order in which the newest has them. */
export function listTrends(runs: readonly HistoryRun[]): Trend[] {
  const newestFirst = runs.toReversed().flatMap((run) => run.figures.map((figure) => ({ run, figure })));
  const groups = Map.groupBy(newestFirst, ({ figure }) => `${figure.phase} ${figure.measure.name}`);
  return [...groups.values()].flatMap((group): Trend[] => {
    const [last] = group;
    if (last === undefined) return [];
    const alike = group.filter((point) => isAlike(point, last));
    const [first, ...others] = alike.toReversed();
    if (first === undefined) return [];
    const change = alike[1] === undefined ? null : judgeStep(alike[1], last);
    return [{ points: [first, ...others], change, otherConditions: group.length - alike.length }];
  });
}

function isAlike({ run, figure }: TrendPoint, last: TrendPoint): boolean {
  const phase = planned(last);
  return (
    run === last.run ||
    (phase !== undefined &&
      planned({ run, figure })?.kind === phase.kind &&
      planDifferences(run.plan, last.run.plan, phase).length === 0 &&
      machineDifferences(run.environment, last.run.environment).length === 0)
  );
}

function planned({ run, figure }: TrendPoint) {
  const index = listPhases(run.plan.phases).findIndex(({ name }) => name === figure.phase);
  return run.plan.phases[index];
}

function judgeStep(before: TrendPoint, after: TrendPoint): Change | null {
  const [change] = judgeChanges([{ before: before.figure, after: after.figure, obstacle: null }]);
  return change ?? null;
}
