import * as format from "../../text/format.ts";
import type { Column, Row, Table } from "../../text/table.ts";
import { accountColumns } from "./account-columns.ts";
import { articleFigures } from "./article/article.ts";
import { driftColumns } from "./drift-columns.ts";
import { faultMeanings } from "./fault-table.ts";
import { headlineColumns } from "./headline-columns.ts";
import { type MeasureName, measures, overRounds } from "./measure.ts";
import { measuredColumn, type PhaseColumn, plain } from "./phase-column.ts";
import { okPhases, type Participant, type Section } from "./section.ts";

/** Fewer messages per frame than this is one message per frame, give or take a rare one. */
export const leastSharing = 1.005;

export interface PhaseTableOptions {
  /** With the columns that say nothing here, such as a count of losses where nothing was lost. */
  readonly complete: boolean;
  /** All of the run: endurance is also seen against the burst. */
  readonly sections: readonly Section[];
}

/** Everything measured in one phase, one row per entrant, and the article's figures set apart below. */
export function buildPhaseTable(section: Section, options: PhaseTableOptions): Table {
  const { participants } = section;
  const isWorthIt = ({ isTold = true, cell }: PhaseColumn) =>
    isTold && participants.some((participant) => cell(participant).text !== format.unknown);
  const told = phaseColumns(section, options.sections).filter(
    (column) => options.complete || column.aside !== undefined || isWorthIt(column),
  );
  const columns: Column[] = [
    { header: "contender", align: "left", group: 0 },
    ...told.map(({ header, group, align }): Column => ({ header, align: align ?? "right", group })),
  ];
  const rows = participants.map(
    (participant): Row => ({
      cells: [{ text: participant.name, style: "strong" }, ...told.map(({ cell }) => cell(participant))],
    }),
  );
  return { columns, rows: [...rows, ...articleRows(section, told)] };
}

/** What each column of the complete tables means, each header once. */
export function listMeanings(sections: readonly Section[]): ReadonlyMap<string, string> {
  const columns = sections.flatMap((section) => phaseColumns(section, sections));
  const ofPhases = columns.map(({ header, meaning }): [string, string] => [header, meaning]);
  return new Map([...ofPhases, ...(sections.some(({ kind }) => kind === "chaos") ? faultMeanings : [])]);
}

function articleRows(section: Section, told: readonly PhaseColumn[]): Row[] {
  if (articleFigures(section) === null || section.participants.length === 0) return [];
  return (["elixir", "go"] as const).map((side): Row => {
    const cells = told.map(({ aside }) => plain(aside?.(side) ?? ""));
    return { cells: [plain(`article: ${side === "elixir" ? "Elixir" : "Go"}*`), ...cells], aside: true };
  });
}

function phaseColumns(section: Section, sections: readonly Section[]): PhaseColumn[] {
  const front = [
    {
      header: "approach",
      meaning: "How the contender is written, as it declares; tuned ones are not to be mistaken for others.",
      group: 0,
      align: "left" as const,
      cell: ({ facts }: Participant) => plain(facts.approach),
    },
    ...headlineColumns(section, sections),
  ];
  const server = measuredColumns(4, ["peakMemory", "memoryPerConnection"]);
  if (section.kind === "connect") {
    return [
      ...front,
      ...measuredColumns(1, ["tcpP50", "tcpP99", "upgradeP50", "upgradeP99", "joinP99"]),
      ...measuredColumns(4, ["cpuPerConnection"]),
      ...server,
      ...measuredColumns(4, ["generatorShare"]),
    ];
  }
  if (section.kind === "chaos") {
    return [...front, ...measuredColumns(4, ["peakMemory", "generatorShare", "sendLagP99"])];
  }
  return [
    ...front,
    ...measuredColumns(1, ["p50", "p99", "p999", "max", "uncorrectedP99"]),
    ...(section.kind === "endurance" ? driftColumns() : []),
    ...measuredColumns(2, ["firstReceiver", "medianReceiver", "lastReceiver"]).filter(() =>
      hasReceivers(section),
    ),
    ...accountColumns(section),
    ...measuredColumns(4, ["cpuPerDelivery"]),
    ...server,
    { ...measuredColumn("messagesPerFrame", 4), isTold: sharesFrames(section) },
    ...measuredColumns(4, ["generatorShare", "sendLagP99"]),
  ];
}

function measuredColumns(group: number, names: readonly MeasureName[]): PhaseColumn[] {
  return names.map((name) => measuredColumn(name, group));
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
