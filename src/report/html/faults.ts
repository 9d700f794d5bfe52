import type { Fault } from "../../plan/faults.ts";
import type { FaultReport } from "../../result/schema.ts";
import { median } from "../../stats/intervals.ts";
import * as format from "../format.ts";
import { okPhases, type Participant, type Section } from "../section.ts";
import type { Table } from "../table.ts";

/** One fault of a chaos phase, for everyone whom it was tried on. */
export interface FaultTable {
  readonly fault: Fault;
  readonly table: Table;
  /** What each round came to, in the words of the result. */
  readonly texts: readonly { readonly name: string; readonly text: string }[];
}

interface FaultColumn {
  readonly header: string;
  readonly meaning: string;
  readonly pick: (report: FaultReport) => number | null;
  readonly format: (value: number | null) => string;
}

const columns: readonly FaultColumn[] = [
  {
    header: "victims",
    meaning: "Connections that the fault struck; the others are its bystanders.",
    pick: ({ victims }) => victims,
    format: format.formatCount,
  },
  {
    header: "bystanders lost",
    meaning: "Connections of bystanders that were lost.",
    pick: ({ lostConnections }) => lostConnections,
    format: format.formatCount,
  },
  {
    header: "deliveries lost",
    meaning:
      "Deliveries to bystanders that never came, as a share of those the load asks for from the strike on.",
    pick: ({ lost, planned }) => (planned === 0 ? null : lost / planned),
    format: format.formatShare,
  },
  {
    header: "came late",
    meaning: "Deliveries to bystanders that took more than twice the p99 before the strike, as a share.",
    pick: ({ late, planned }) => (planned === 0 ? null : late / planned),
    format: format.formatShare,
  },
  {
    header: "p99 before",
    meaning: "p99 latency of bystanders before the strike.",
    pick: ({ before }) => before.p99,
    format: format.formatLatency,
  },
  {
    header: "p99 during",
    meaning: "p99 latency of bystanders under the strike.",
    pick: ({ during }) => during.p99,
    format: format.formatLatency,
  },
  {
    header: "longest silence",
    meaning: "The longest time without any delivery that a bystander saw from the strike on.",
    pick: ({ longestSilenceMs }) => longestSilenceMs * 1000,
    format: format.formatLatency,
  },
  {
    header: "memory grew by",
    meaning: "The server's resident memory at its most from the strike on, less what it was just before.",
    pick: ({ rssBeforeBytes, rssPeakBytes }) =>
      rssBeforeBytes === null || rssPeakBytes === null ? null : Math.max(0, rssPeakBytes - rssBeforeBytes),
    format: format.formatBytes,
  },
];

/** Median over the rounds like the other figures; who never recovered in some round is said to have not. */
export function buildFaultTables({ participants }: Section): FaultTable[] {
  const reports = participants.map((participant) => ({ participant, all: reportsOf(participant) }));
  const faults = [...new Set(reports.flatMap(({ all }) => all.map(({ fault }) => fault)))];
  return faults.map((fault) => {
    const rows = reports.map(({ participant, all }) => ({
      name: participant.name,
      reports: all.filter((report) => report.fault === fault),
    }));
    return {
      fault,
      table: {
        columns: [
          { header: "contender", align: "left" },
          ...columns.map(({ header }) => ({ header, align: "right" as const })),
          { header: recovered, align: "right" },
        ],
        rows: rows.map(({ name, reports: own }) => ({
          cells: [
            { text: name },
            ...columns.map((column) => ({ text: column.format(middle(own.map(column.pick))) })),
            recoveryCell(own),
          ],
        })),
      },
      texts: rows.flatMap(({ name, reports: own }) => own.map(({ text }) => ({ name, text }))),
    };
  });
}

const recovered = "recovered after";

export const faultMeanings: ReadonlyMap<string, string> = new Map([
  ...columns.map(({ header, meaning }): [string, string] => [header, meaning]),
  [
    recovered,
    "From the strike until bystanders were served completely and in time for good, and everyone was back.",
  ],
]);

function recoveryCell(reports: readonly FaultReport[]): Table["rows"][number]["cells"][number] {
  if (reports.length === 0) return { text: format.unknown };
  const times = reports.map(({ recoveredMs }) => recoveredMs);
  if (times.includes(null)) return { text: "not before the end", style: "bad" };
  const ms = middle(times) ?? 0;
  return { text: ms === 0 ? "never disturbed" : format.formatDuration(ms) };
}

function reportsOf(participant: Participant): FaultReport[] {
  return okPhases(participant).flatMap(({ chaos }) => chaos?.faults ?? []);
}

function middle(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
