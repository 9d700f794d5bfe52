import type { Phase } from "../result/schema.ts";
import { medianInterval } from "../stats/intervals.ts";
import { measureTrend } from "../stats/trend.ts";
import { articleFigures } from "./article.ts";
import * as format from "./format.ts";
import { type MeasureName, measures, overRounds, type PhaseMeasure, valuesOf } from "./measure.ts";
import { okPhases, type Participant, ranPhases, type Section } from "./section.ts";
import type { Style } from "./style.ts";
import type { Cell, Column, Row, Table } from "./table.ts";

/** Fewer rounds give limits too wide to read anything from. */
const roundsForInterval = 3;
/** Smaller ones are within what a second's edge does. */
const leastDrop = 0.01;
/** Fewer messages per frame than this is one message per frame, give or take a rare one. */
export const leastSharing = 1.005;

/** A column of a phase's table before its cells are made. */
interface Draft {
  readonly header: string;
  readonly group: number;
  readonly align?: "left";
  readonly cell: (participant: Participant) => Cell;
  /** What the article has here for its two sides. */
  readonly aside?: (side: "elixir" | "go") => string;
  /** Left out when it says nothing: false. */
  readonly isTold?: boolean;
}

export interface PhaseTableOptions {
  /** With the columns that say nothing here, such as a count of losses where nothing was lost. */
  readonly complete: boolean;
  /** All of the run: endurance is also seen against the burst. */
  readonly sections: readonly Section[];
}

/** The measure that a phase is about. */
export function headlineOf({ kind }: Pick<Section, "kind">): MeasureName {
  return kind === "connect" ? "opened" : kind === "burst" ? "throughput" : "held";
}

/** Everything measured in one phase, one row per entrant, and the article's figures set apart below. */
export function buildPhaseTable(section: Section, options: PhaseTableOptions): Table {
  const { participants } = section;
  const tells = ({ isTold = true, cell }: Draft) =>
    isTold && participants.some((participant) => cell(participant).text !== format.unknown);
  const drafts = draftColumns(section, options.sections).filter((draft) => options.complete || tells(draft));
  const columns: Column[] = [
    { header: "contender", align: "left", group: 0 },
    ...drafts.map(({ header, group, align }): Column => ({ header, align: align ?? "right", group })),
  ];
  const rows = participants.map(
    (participant): Row => ({
      cells: [{ text: participant.name, style: "strong" }, ...drafts.map(({ cell }) => cell(participant))],
    }),
  );
  return { columns, rows: [...rows, ...articleRows(section, drafts)] };
}

function articleRows(section: Section, drafts: readonly Draft[]): Row[] {
  if (articleFigures(section) === null || section.participants.length === 0) return [];
  return (["elixir", "go"] as const).map((side): Row => {
    const cells = drafts.map(({ aside }) => plain(aside?.(side) ?? ""));
    return { cells: [plain(`article: ${side === "elixir" ? "Elixir" : "Go"}*`), ...cells], aside: true };
  });
}

function draftColumns(section: Section, sections: readonly Section[]): Draft[] {
  const front = [
    {
      header: "approach",
      group: 0,
      align: "left" as const,
      cell: ({ facts }: Participant) => plain(facts.approach),
    },
    ...headlineColumns(section, sections),
  ];
  const server = column(4, ["peakMemory", "memoryPerConnection"]);
  if (section.kind === "connect") {
    return [
      ...front,
      ...column(1, ["tcpP50", "tcpP99", "upgradeP50", "upgradeP99", "joinP99"]),
      ...column(4, ["cpuPerConnection"]),
      ...server,
      ...column(5, ["generatorShare"]),
    ];
  }
  return [
    ...front,
    ...column(1, ["p50", "p99", "p999", "max", "uncorrectedP99"]),
    ...(section.kind === "endurance" ? driftColumns() : []),
    ...column(2, ["firstReceiver", "medianReceiver", "lastReceiver"]).filter(() => hasReceivers(section)),
    ...accountColumns(section),
    ...column(4, ["cpuPerDelivery"]),
    ...server,
    { ...measured("messagesPerFrame", 4), isTold: sharesFrames(section) },
    ...column(5, ["generatorShare", "sendLagP99"]),
  ];
}

function column(group: number, names: readonly MeasureName[]): Draft[] {
  return names.map((name) => measured(name, group));
}

function measured(name: MeasureName, group: number): Draft {
  const measure = measures[name];
  return { header: measure.header, group, cell: (participant) => plain(valueText(participant, measure)) };
}

function valueText(participant: Participant, measure: PhaseMeasure): string {
  return measure.format(overRounds(participant, measure));
}

/** What the phase is about, how it compares with the best, and within which limits it holds. */
function headlineColumns(section: Section, sections: readonly Section[]): Draft[] {
  const headline = measures[headlineOf(section)];
  const compared = section.kind === "connect" ? measures.connectRate : headline;
  const values = section.participants.map((participant) => overRounds(participant, compared));
  const best = Math.max(0, ...values.filter((value) => value !== null));
  const figures = articleFigures(section);
  const rounds = Math.max(0, ...section.participants.map(({ phases }) => phases.length));
  const first: Draft = {
    header: headline.header,
    group: 0,
    cell: (participant) => headlineCell(participant, headline),
    aside: (side) => (figures === null ? "" : headline.format(figures[side])),
  };
  const ratio: Draft = {
    header: "to best",
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
  const interval: Draft = {
    header: "95 % interval",
    group: 0,
    cell: (participant) => plain(intervalText(participant, compared)),
    isTold: rounds >= roundsForInterval,
  };
  const counted: Draft = {
    header: "rounds",
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
      return [first, measured("openedShare", 0), measured("connectRate", 0), ratio, interval, counted];
    case "burst":
      return [first, ratio, interval, counted];
    case "endurance":
      return [
        measured("offered", 0),
        first,
        measured("heldShare", 0),
        dropColumn(section, sections),
        interval,
        counted,
      ];
  }
}

/** A server can't hold more than it is offered: where the offer is below its burst, the drop is from the offer. */
function dropColumn(section: Section, sections: readonly Section[]): Draft {
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
  return { header: "drop from burst", group: 0, cell, isTold: burst !== undefined };
}

function headlineCell(participant: Participant, headline: PhaseMeasure): Cell {
  const value = overRounds(participant, headline);
  if (value !== null) return { text: headline.format(value), style: "strong" };
  const worst = ranPhases(participant).find(({ status }) => status !== "ok");
  if (worst === undefined)
    return { text: participant.phases.length === 0 ? format.unknown : "not reached", style: "dim" };
  return { text: worst.status, style: statusStyle(worst.status) };
}

export function statusStyle(status: Phase["status"]): Style {
  return status === "failed" ? "bad" : status === "ok" ? "good" : "warning";
}

function intervalText(participant: Participant, measure: PhaseMeasure): string {
  const values = valuesOf(participant, measure).filter((value) => value !== null);
  const interval = values.length < roundsForInterval ? null : medianInterval(values);
  if (interval === null) return format.unknown;
  return `${measure.format(interval.low).replace(/\/s$/, "")} – ${measure.format(interval.high)}`;
}

/** Sums over all rounds, those that failed too: what was lost there was lost. */
function accountColumns(section: Section): Draft[] {
  const counts = {
    lost: "lost",
    declaredDropped: "declared",
    duplicated: "duplicated",
    reordered: "reordered",
    corrupted: "corrupted",
    malformed: "malformed",
    misrouted: "misrouted",
  } as const satisfies Partial<Record<keyof NonNullable<Phase["messages"]>, string>>;
  const isClean = section.participants.every((participant) =>
    ranPhases(participant).every(({ messages }) => messages === null || isFaultless(messages)),
  );
  const names = Object.keys(counts) as (keyof typeof counts)[];
  return names.map((name): Draft => {
    const sums = section.participants.map((participant) => sumOf(participant, name));
    const isRare = name === "malformed" || name === "misrouted";
    return {
      header: counts[name],
      group: 3,
      cell: (participant) => {
        const sum = sumOf(participant, name);
        return {
          text: format.formatCount(sum),
          style: sum === null || sum === 0 || name === "declaredDropped" ? null : "bad",
        };
      },
      isTold: !isClean && (!isRare || sums.some((sum) => sum !== null && sum > 0)),
    };
  });
}

export function isFaultless(messages: NonNullable<Phase["messages"]>): boolean {
  const { lost, duplicated, reordered, corrupted, malformed, misrouted, declaredDropped } = messages;
  return lost + duplicated + reordered + corrupted + malformed + misrouted + (declaredDropped ?? 0) === 0;
}

/** Null when no round has counted it. */
function sumOf(participant: Participant, name: keyof NonNullable<Phase["messages"]>): number | null {
  const counts = ranPhases(participant)
    .map(({ messages }) => messages?.[name] ?? null)
    .filter((count) => count !== null);
  return counts.length === 0 ? null : counts.reduce((sum, count) => sum + count, 0);
}

function driftColumns(): Draft[] {
  return [
    {
      header: "p99 drift",
      group: 2,
      cell: (participant) => plain(driftText(participant, ({ p99Us }) => p99Us, format.formatLatency)),
    },
    {
      header: "memory drift",
      group: 2,
      cell: (participant) =>
        plain(driftText(participant, ({ serverRssBytes }) => serverRssBytes, format.formatBytes)),
    },
  ];
}

/** Per minute, over the rounds: `steady` unless most of them rise or fall beyond doubt. */
function driftText(
  participant: Participant,
  pick: (bucket: Phase["timeline"][number]) => number | null,
  write: (value: number) => string,
): string {
  const trends = okPhases(participant).map((phase) => {
    // The last second is cut off by the end of the load.
    const points = phase.timeline.slice(0, -1).flatMap((bucket) => {
      const value = pick(bucket);
      return value === null ? [] : [{ at: bucket.second / 60, value }];
    });
    return measureTrend(points);
  });
  const known = trends.filter((trend) => trend.kind !== "unknown");
  if (known.length === 0) return format.unknown;
  const moving = known.filter(({ kind }) => kind !== "steady");
  if (moving.length * 2 <= known.length) return "steady";
  const slopes = moving.map(({ slope }) => slope).sort((a, b) => a - b);
  const slope = slopes[slopes.length >> 1] ?? 0;
  return `${slope < 0 ? "−" : "+"}${write(Math.abs(slope))}/min`;
}

function hasReceivers({ participants }: Section): boolean {
  return participants.some((participant) =>
    okPhases(participant).some(({ receiversUs }) => receiversUs !== null),
  );
}

function sharesFrames({ participants }: Section): boolean {
  return participants.some(
    (participant) => (overRounds(participant, measures.messagesPerFrame) ?? 1) >= leastSharing,
  );
}

function plain(text: string): Cell {
  return { text };
}
