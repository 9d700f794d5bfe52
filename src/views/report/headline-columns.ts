import type { Phase } from "../../result/schema.ts";
import { medianInterval } from "../../stats/intervals.ts";
import * as format from "../../text/format.ts";
import type { Style } from "../../text/style.ts";
import type { Cell } from "../../text/table.ts";
import { articleFigures } from "./article/article.ts";
import { lowerBound, stopOf } from "./capacity.ts";
import { type MeasureName, measures, overRounds, type PhaseMeasure, valuesOf } from "./measure.ts";
import { measuredColumn, type PhaseColumn, plain } from "./phase-column.ts";
import { type Ending, listEndings, okPhases, type Participant, type Section } from "./section.ts";

/** Fewer rounds give limits too wide to read anything from. */
const roundsForInterval = 3;
/** Smaller ones are within what a second's edge does. */
const leastDrop = 0.01;

/** The measure that a phase is about. */
export function headlineOf({ kind }: Pick<Section, "kind">): MeasureName {
  return (
    {
      connect: "opened",
      burst: "throughput",
      endurance: "held",
      capacity: "capacity",
      chaos: "inTime",
    } as const
  )[kind];
}

/** What the phase is about, how it compares with the best, and within which limits it holds. */
export function headlineColumns(section: Section, sections: readonly Section[]): PhaseColumn[] {
  const headline = measures[headlineOf(section)];
  const compared = section.kind === "connect" ? measures.connectRate : headline;
  const values = section.participants.map((participant) => overRounds(participant, compared));
  const highest = Math.max(0, ...values.filter((value) => value !== null));
  // While somebody may hold more than all others, nobody knows what the best is.
  const isOpen = section.participants.some((participant) => (lowerBound(participant) ?? 0) > highest);
  const best = isOpen ? 0 : highest;
  const figures = articleFigures(section);
  const rounds = Math.max(0, ...section.participants.map(({ phases }) => phases.length));
  const first: PhaseColumn = {
    header: headline.header,
    meaning: headline.meaning,
    group: 0,
    cell: (participant) => headlineCell(participant, headline),
    aside: (side) => (figures === null ? "" : headline.format(figures[side])),
  };
  const ratio: PhaseColumn = {
    header: "to best",
    meaning: "The rate as a multiple of the best contender's.",
    group: 0,
    cell: (participant) => {
      const value = overRounds(participant, compared);
      const isBest = value === best && section.participants.length > 1;
      return {
        text: format.formatRatio(value === null || best === 0 ? null : value / best),
        style: isBest ? "good" : null,
      };
    },
  };
  const interval: PhaseColumn = {
    header: "95 % interval",
    meaning: `Limits of the rate from ${roundsForInterval} rounds on (Student's t on the logarithms of the rounds' values).`,
    group: 0,
    cell: (participant) => plain(intervalText(participant, compared)),
    isTold: rounds >= roundsForInterval,
  };
  const counted: PhaseColumn = {
    header: "rounds",
    meaning: "Rounds in which the phase was done, of all that were planned.",
    group: 0,
    cell: (participant) => {
      const ok = okPhases(participant).length;
      return {
        text: `${ok} of ${participant.phases.length}`,
        style: ok < participant.phases.length ? "warning" : null,
      };
    },
    isTold: rounds > 1,
  };
  switch (section.kind) {
    case "connect":
      return [
        first,
        measuredColumn("openedShare", 0),
        measuredColumn("connectRate", 0),
        ratio,
        interval,
        counted,
      ];
    case "burst":
      return [first, ratio, interval, counted];
    case "endurance":
      return [
        measuredColumn("offered", 0),
        first,
        measuredColumn("heldShare", 0),
        dropColumn(section, sections),
        interval,
        counted,
      ];
    case "capacity":
      return [
        { ...first, cell: (participant) => capacityCell(participant) ?? first.cell(participant) },
        ratio,
        measuredColumn("capacityPerCore", 0),
        measuredColumn("capacityPerCpuSecond", 0),
        ...stopColumns,
        interval,
        counted,
      ];
    case "chaos":
      return [first, measuredColumn("lostNeighbours", 0), measuredColumn("backAfterKill", 0), counted];
  }
}

/** A server can't hold more than it is offered: where the offer is below its burst, the drop is from the offer. */
function dropColumn(section: Section, sections: readonly Section[]): PhaseColumn {
  const burst = sections.find(({ kind, workload }) => kind === "burst" && workload === section.workload);
  const cell = (participant: Participant): Cell => {
    const before = burst?.participants.find(({ name }) => name === participant.name);
    const throughput = before === undefined ? null : overRounds(before, measures.throughput);
    const held = overRounds(participant, measures.held);
    const offered = overRounds(participant, measures.offered);
    if (throughput === null || held === null || offered === null) return plain(format.unknown);
    const possible = Math.min(throughput, offered);
    const drop = possible === 0 ? 0 : 1 - held / possible;
    return drop < leastDrop ? plain("none") : { text: format.formatShare(drop), style: "warning" };
  };
  const meaning =
    "How far the rate held stayed below what the burst showed to be possible, or below the offer where that is lower.";
  return { header: "drop from burst", meaning, group: 0, cell, isTold: burst !== undefined };
}

/** What is known without being a figure to rank: a lower bound, or that no rate was held. Null where there is a figure. */
function capacityCell(participant: Participant): Cell | null {
  if (overRounds(participant, measures.capacity) !== null) return null;
  const bound = lowerBound(participant);
  if (bound !== null) return { text: `≥ ${format.formatRate(bound)}`, style: "warning" };
  return okPhases(participant).length === 0 ? null : { text: "none", style: "bad" };
}

const stopColumns: readonly PhaseColumn[] = [
  {
    header: "not held",
    meaning: "The lowest rate that was not held, in the middle round.",
    group: 0,
    cell: (participant) => plain(format.formatRate(stopOf(participant)?.ratePerSecond ?? null)),
  },
  {
    header: "stopped by",
    meaning: "Why that rate was not held.",
    group: 0,
    align: "left",
    cell: (participant) => plain(stopOf(participant)?.reason ?? format.unknown),
  },
];

function headlineCell(participant: Participant, headline: PhaseMeasure): Cell {
  const value = overRounds(participant, headline);
  if (value !== null) return { text: headline.format(value), style: "strong" };
  const [ending] = listEndings(participant);
  return ending === undefined
    ? { text: format.unknown }
    : { text: ending.status, style: statusStyle(ending.status) };
}

export function statusStyle(status: Phase["status"] | Ending["status"]): Style {
  return status === "failed" ? "bad" : status === "ok" ? "good" : "warning";
}

function intervalText(participant: Participant, measure: PhaseMeasure): string {
  const values = valuesOf(participant, measure).filter((value) => value !== null);
  const interval = values.length < roundsForInterval ? null : medianInterval(values);
  if (interval === null) return format.unknown;
  return `${measure.format(interval.low).replace(/\/s$/, "")} – ${measure.format(interval.high)}`;
}
