import { type Figure, listFigures } from "../../measures/figures.ts";
import type { Judgement, Place } from "../../result/judgement.ts";
import type { ScanCell, ScanFigure } from "../../result/scan.ts";
import type { Result } from "../../result/schema.ts";
import { type Change, judgeChanges } from "../compare/change.ts";

/** A contender's place in a judgement of one run. */
interface Judged {
  readonly judgement: Judgement;
  readonly place: Place;
  readonly figure: Figure;
}

/**
 * Every figure that decides, over the runs of a scan, with its ratio to the first finished run.
 *
 * @param results one for each value; null without a finished run
 */
export function listScanFigures(results: readonly (Result | null)[]): ScanFigure[] {
  const runs = results.map((result) => (result === null ? null : listJudged(result)));
  const base = runs.find((run) => run !== null);
  const names = new Map(runs.flatMap((run) => [...(run ?? [])]));
  const pairs = runs.flatMap((run) =>
    run === null || run === base
      ? []
      : [...run].flatMap(([key, after]) => {
          const before = base?.get(key);
          const areRanked = before?.place.standing === "ranked" && after.place.standing === "ranked";
          return areRanked ? [{ before: before.figure, after: after.figure, obstacle: null }] : [];
        }),
  );
  const families = Map.groupBy(pairs, ({ after }) => `${after.phase} ${after.measure.name}`);
  const changes = new Map(
    [...families.values()].flatMap((family) => judgeChanges(family)).map((change) => [change.after, change]),
  );
  const judged = [...names].map(([key, { judgement, place }]) => ({
    phase: judgement.phase,
    measure: judgement.measure,
    league: judgement.league,
    contender: place.contender,
    cells: runs.map((run) => {
      const judged = run?.get(key);
      return judged === undefined ? null : cellOf(judged, changes.get(judged.figure));
    }),
  }));
  return [...judged, ...toldOnly.flatMap((measure) => listTold(measure, results, judged))];
}

/** What nobody is judged by: the generator's and the kernel's costs, and the echoes of connections that are held. */
const toldOnly = [
  "memory-per-connection.kernel",
  "generator.memory-per-connection",
  "held",
  "held.cpu-per-delivery",
  "held.p50",
  "held.p99",
];

function listTold(
  measure: string,
  results: readonly (Result | null)[],
  judged: readonly ScanFigure[],
): ScanFigure[] {
  const runs = results.map((result) => (result === null ? null : listFigures(result)));
  const known = runs
    .flatMap((run) => run ?? [])
    .filter((one) => one.measure.name === measure && one.value !== null);
  const named = new Map(known.map((one) => [`${one.phase} ${one.contender}`, one]));
  return [...named.values()].flatMap(({ phase, contender }) => {
    const beside = judged.find((one) => one.phase === phase && one.contender === contender);
    if (beside === undefined) return [];
    const cells = runs.map((run): ScanCell | null => {
      const figure = run?.find(
        (one) => one.measure.name === measure && one.phase === phase && one.contender === contender,
      );
      if (figure === undefined || figure.value === null) return null;
      const { value, values } = figure;
      return { value, interval: null, rounds: values.length, standing: "ranked", ratio: null };
    });
    return [{ phase, measure, league: beside.league, contender, cells }];
  });
}

function listJudged(result: Result): Map<string, Judged> {
  const figures = new Map(
    listFigures(result).map((figure) => [
      `${figure.phase} ${figure.measure.name} ${figure.contender}`,
      figure,
    ]),
  );
  return new Map(
    result.judgements.flatMap((judgement) =>
      judgement.places.flatMap((place): [string, Judged][] => {
        const key = `${judgement.phase} ${judgement.measure} ${place.contender}`;
        const figure = figures.get(key);
        return figure === undefined ? [] : [[key, { judgement, place, figure }]];
      }),
    ),
  );
}

function cellOf({ place }: Judged, change: Change | undefined): ScanCell {
  const { value, interval, rounds, standing } = place;
  const [low, high] = change?.limits ?? [null, null];
  const ratio = change?.ratio == null ? null : { ratio: change.ratio, low, high };
  return { value, interval, rounds, standing, ratio };
}
