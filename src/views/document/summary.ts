import { groupByLeague } from "../../judgement/league.ts";
import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { formatMeasure } from "../../measures/measure.ts";
import { listSections, type Section } from "../../measures/sections.ts";
import type { Judgement, Place } from "../../result/judgement.ts";
import type { Result } from "../../result/schema.ts";
import { unknown } from "../../text/format.ts";
import type { Column } from "../../text/table.ts";
import type { Cell, Table } from "./block.ts";
import { isUnresolved, notResolved } from "./connection-memory.ts";
import { isNotOurs, notMeasured } from "./phase-table.ts";
import { hasLeagues, isMarked } from "./verdict.ts";

/** A measure that decides in one phase, ready to be a column of the summary. */
interface Entry {
  readonly measure: string;
  readonly phase: string;
  readonly phaseIndex: number;
  /** One for each league. */
  readonly judgements: readonly Judgement[];
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
  const told = judgements.filter(({ places }) => places.some(({ standing }) => standing !== "absent"));
  const entries = [
    ...Map.groupBy(told, ({ phaseIndex, measure }) => `${phaseIndex} ${measure}`).values(),
  ].map(toEntry);
  const table = (those: readonly Entry[]) => tableOf(result, those, hasLeagues(judgements));
  const kept: Entry[] = [];
  for (const entry of entries.toSorted((a, b) => a.rank - b.rank)) {
    const more = entries.filter((one) => one === entry || kept.includes(one));
    if (kept.length === 0 || fits(table(more))) kept.push(entry);
  }
  return table(entries.filter((entry) => kept.includes(entry)));
}

/** Where all did all that was asked, the column says the same in every row. */
function toEntry(judgements: readonly Judgement[]): Entry {
  const [{ measure, phase, phaseIndex } = { measure: "", phase: "", phaseIndex: 0 }] = judgements;
  const place = Math.max(
    0,
    ...measureOf(measure).kinds.map((kind) => decidingMeasures[kind].indexOf(measure)),
  );
  const isCensored = judgements.every(({ outcome }) => outcome === "censored");
  return { measure, phase, phaseIndex, judgements, rank: place + phaseIndex / 100 + (isCensored ? 10 : 0) };
}

/** Leagues one below the other: nobody is ranked across them. */
function tableOf(result: Result, entries: readonly Entry[], showLeagues: boolean): Table {
  const sections = listSections(result);
  const participants = groupByLeague(sections[0]?.participants ?? []);
  const columns = entries.map(
    ({ measure, phase, phaseIndex }): Column => ({
      header: measureOf(measure).header,
      align: "right",
      group: phaseIndex,
      title: phase,
    }),
  );
  return {
    columns: [
      { header: "contender", align: "left" },
      ...(showLeagues ? [{ header: "league", align: "left" } as const] : []),
      ...columns,
    ],
    rows: participants.flatMap(([league, those]) =>
      those.map((participant) => ({
        cells: [
          { text: participant.name, style: "strong" },
          ...(showLeagues ? [{ text: league }] : []),
          ...entries.map(({ judgements, measure }): Cell => {
            if (isNotOurs(participant.facts, { name: measure })) return notMeasured;
            const isOwn = ({ contender }: Place) => contender === participant.name;
            const judgement = judgements.find(({ places }) => places.some(isOwn));
            const place = judgement?.places.find(isOwn);
            return judgement === undefined || place === undefined
              ? { text: unknown }
              : cellOf(place, judgement, sections[judgement.phaseIndex]);
          }),
        ],
      })),
    ),
  };
}

function cellOf(place: Place, judgement: Judgement, section: Section | undefined): Cell {
  const { standing, value, contender } = place;
  if (value === null) {
    if (standing !== "absent") return { text: standing, style: "warning" };
    const participant = section?.participants.find(({ name }) => name === contender);
    const isOpen = participant !== undefined && isUnresolved(participant, measureOf(judgement.measure));
    return isOpen ? notResolved : { text: unknown };
  }
  const text = formatMeasure(measureOf(judgement.measure), value);
  if (standing === "lower-bound") return { text: `≥ ${text}` };
  if (standing === "unfit") return { text: `(${text})`, style: "warning" };
  return { text, isBest: isMarked([judgement], judgement.measure, contender) };
}
