import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { formatMeasure } from "../../measures/measure.ts";
import { listSections } from "../../measures/sections.ts";
import type { Judgement, Place } from "../../result/judgement.ts";
import type { Result } from "../../result/schema.ts";
import { unknown } from "../../text/format.ts";
import type { Column } from "../../text/table.ts";
import type { Cell, Table } from "./block.ts";
import { isMarked } from "./verdict.ts";

/** A measure that decides, ready to be a column of the summary. */
interface Entry {
  readonly judgement: Judgement;
  /** What a reader misses least goes first where there is no room. */
  readonly rank: number;
}

/**
 * One row per contender and one column per measure that decides.
 *
 * @param fits whether so large a table may be shown: of the columns those that matter most are kept
 */
export function buildSummaryTable(
  result: Result,
  judgements: readonly Judgement[],
  fits: (table: Table) => boolean,
): Table {
  const entries = judgements
    .filter(({ places }) => places.some(({ standing }) => standing !== "absent"))
    .map((judgement): Entry => ({ judgement, rank: rankOf(judgement) }));
  const kept: Entry[] = [];
  for (const entry of entries.toSorted((a, b) => a.rank - b.rank)) {
    const more = entries.filter((one) => one === entry || kept.includes(one));
    if (kept.length === 0 || fits(tableOf(result, more))) kept.push(entry);
  }
  return tableOf(
    result,
    entries.filter((entry) => kept.includes(entry)),
  );
}

/** Where all did all that was asked, the column says the same in every row. */
function rankOf({ measure, outcome, phaseIndex }: Judgement): number {
  const { kinds } = measureOf(measure);
  const place = Math.max(0, ...kinds.map((kind) => decidingMeasures[kind].indexOf(measure)));
  return place + phaseIndex / 100 + (outcome === "censored" ? 10 : 0);
}

function tableOf(result: Result, entries: readonly Entry[]): Table {
  const participants = listSections(result)[0]?.participants ?? [];
  const columns = entries.map(
    ({ judgement: { measure, phase, phaseIndex } }): Column => ({
      header: measureOf(measure).header,
      align: "right",
      group: phaseIndex,
      title: phase,
    }),
  );
  return {
    columns: [{ header: "contender", align: "left" }, ...columns],
    rows: participants.map(({ name }) => ({
      cells: [
        { text: name, style: "strong" },
        ...entries.map(({ judgement }): Cell => {
          const place = judgement.places.find(({ contender }) => contender === name);
          return place === undefined ? { text: unknown } : cellOf(place, judgement);
        }),
      ],
    })),
  };
}

function cellOf(place: Place, judgement: Judgement): Cell {
  const { standing, value, contender } = place;
  if (value === null) {
    return standing === "absent" ? { text: unknown } : { text: standing, style: "warning" };
  }
  const text = formatMeasure(measureOf(judgement.measure), value);
  if (standing === "lower-bound") return { text: `≥ ${text}` };
  if (standing === "unfit") return { text: `(${text})`, style: "warning" };
  return { text, isBest: isMarked(judgement, contender) };
}
