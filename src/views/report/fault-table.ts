import type { Fault } from "../../plan/faults.ts";
import type { FaultReport } from "../../result/schema.ts";
import { memoryState } from "../../run/phases/fault-text.ts";
import { median } from "../../stats/intervals.ts";
import * as format from "../../text/format.ts";
import type { Cell, Column, Table } from "../../text/table.ts";
import { type Participant, ranPhases, type Section } from "./section.ts";

/** One fault of a chaos phase, for everyone whom it was tried on. */
export interface FaultTable {
  readonly fault: Fault;
  readonly table: Table;
  /** Nothing in the table is worth a look: at none of them anybody else noticed anything, and no memory was kept. */
  readonly isUneventful: boolean;
  /** What each round came to, in the words of the result. */
  readonly texts: readonly { readonly name: string; readonly text: string }[];
}

interface FaultColumn {
  readonly header: string;
  readonly meaning: string;
  readonly group: number;
  readonly align?: "left";
  /** Of the rounds that there are, at least one. */
  readonly cell: (reports: readonly FaultReport[], participant: Participant) => Cell;
  /** Told of this fault alone. */
  readonly only?: Fault;
  /** Left out where there is little room. */
  readonly isDetail?: true;
}

const columns: readonly FaultColumn[] = [
  {
    header: "struck",
    meaning: "Connections that the fault struck; with garbage the extra ones that threw it.",
    group: 0,
    cell: (reports) => ({ text: format.formatCount(middle(reports.map(({ victims }) => victims))) }),
  },
  {
    header: "slow consumers",
    meaning: "What the contender declares to do with a client that does not read.",
    group: 0,
    align: "left",
    only: "slow-readers",
    cell: (_, { facts }) => ({ text: facts.slowConsumer }),
  },
  harm(
    "others lost",
    "Connections lost that the fault did not strike.",
    ({ lostConnections }) => lostConnections,
    format.formatCount,
  ),
  harm(
    "never came",
    "Deliveries to the others that never came, as a share of those the load asks for from the strike on.",
    ({ lost, planned }) => (planned === 0 ? null : lost / planned),
    format.formatShare,
  ),
  harm(
    "came late",
    "Deliveries to the others that took more than twice the p99 before the strike, and more than 20 ms, as a share; the generator's own lateness is not counted.",
    ({ late, planned }) => (planned === 0 ? null : late / planned),
    format.formatShare,
  ),
  {
    header: "silence",
    meaning:
      "The longest time without any delivery that one of the others saw from the strike on, over all rounds.",
    group: 0,
    cell: (reports) => ({
      text: format.formatLatency(Math.max(...reports.map(({ longestSilenceMs }) => longestSilenceMs)) * 1000),
    }),
  },
  {
    header: "recovered",
    meaning:
      "From the strike until the others were served completely and in time for a second, nothing was lost any more, and everyone who had to come back was back and served.",
    group: 0,
    cell: recoveryCell,
  },
  {
    header: "server",
    meaning: "Whether its process lived; one that died was started again by the harness, on the same port.",
    group: 0,
    align: "left",
    cell: serverCell,
  },
  latency("p99 before", "p99 latency of the others before the strike.", ({ before }) => before.p99),
  latency("p99 under", "p99 latency of the others under the strike.", ({ during }) => during.p99),
  {
    ...latency("p99 after", "p99 latency of the others after the strike.", ({ after }) => after.p99),
    isDetail: true,
  },
  latency("max before", "The slowest delivery to the others before the strike.", ({ before }) => before.max),
  latency("max under", "The slowest delivery to the others under the strike.", ({ during }) => during.max),
  {
    header: "memory",
    meaning:
      "How far the server's resident memory rose from the strike on, and whether it was back at the end of the windows. Unknown where another process took its place.",
    group: 1,
    cell: memoryCell,
  },
];

/**
 * Medians over the rounds; silence, recovery and the server's death are those of the worst.
 *
 * @param complete with details, and with columns that say nothing here
 */
export function buildFaultTables({ participants }: Section, { complete } = { complete: true }): FaultTable[] {
  const all = participants.map((participant) => ({ participant, reports: reportsOf(participant) }));
  const faults = [...new Set(all.flatMap(({ reports }) => reports.map(({ fault }) => fault)))];
  return faults.map((fault) => {
    const rows = all.map(({ participant, reports }) => ({
      participant,
      reports: reports.filter((report) => report.fault === fault),
    }));
    const told = columns.filter(
      ({ only, isDetail, cell }) =>
        (only === undefined || only === fault) &&
        (complete ||
          (isDetail !== true &&
            rows.some(
              ({ participant, reports }) =>
                reports.length > 0 && cell(reports, participant).text !== format.unknown,
            ))),
    );
    return {
      fault,
      table: {
        columns: [
          { header: "contender", align: "left", group: 0 },
          ...told.map(({ header, group, align }): Column => ({ header, group, align: align ?? "right" })),
        ],
        rows: rows.map(({ participant, reports }) => ({
          cells: [
            { text: participant.name, style: "strong" },
            ...told.map(({ cell }) =>
              reports.length === 0 ? { text: format.unknown } : cell(reports, participant),
            ),
          ],
        })),
      },
      isUneventful: rows.every(({ reports }) => reports.every(isUneventful)),
      texts: rows.flatMap(({ participant, reports }) =>
        reports.map(({ text }) => ({ name: participant.name, text })),
      ),
    };
  });
}

export const faultMeanings: ReadonlyMap<string, string> = new Map(
  columns.map(({ header, meaning }) => [header, meaning]),
);

function isUneventful(report: FaultReport): boolean {
  const { lostConnections, lost, late, server, recoveredMs } = report;
  const isHarmed = lostConnections + lost + late > 0 || server.died || recoveredMs === null;
  return !isHarmed && memoryState(report) !== "grown";
}

/** Also of a phase that could not be done to its end: what struck until then has been measured. */
export function reportsOf(participant: Participant): FaultReport[] {
  return ranPhases(participant).flatMap(({ chaos }) => chaos?.faults ?? []);
}

/** The server's process ended, of a fault that did not kill it outright. */
export function isDeath({ fault, server }: FaultReport): boolean {
  return server.died && fault !== "kill";
}

function harm(
  header: string,
  meaning: string,
  pick: (report: FaultReport) => number | null,
  write: (value: number | null) => string,
): FaultColumn {
  const cell = (reports: readonly FaultReport[]): Cell => {
    const value = middle(reports.map(pick));
    // A kill strikes everybody: that the others lose their connections is no reproach.
    const isReproach = (value ?? 0) > 0 && reports.every(({ fault }) => fault !== "kill");
    return { text: write(value), style: isReproach ? "bad" : null };
  };
  return { header, meaning, group: 0, cell };
}

function latency(header: string, meaning: string, pick: (report: FaultReport) => number | null): FaultColumn {
  const cell = (reports: readonly FaultReport[]) => ({
    text: format.formatLatency(middle(reports.map(pick))),
  });
  return { header, meaning, group: 1, cell };
}

function recoveryCell(reports: readonly FaultReport[]): Cell {
  const times = reports.map(({ recoveredMs }) => recoveredMs);
  if (times.includes(null)) return { text: "not in time", style: "bad" };
  const ms = Math.max(0, ...times.filter((time) => time !== null));
  return {
    text: ms === 0 ? "undisturbed" : format.formatLatency(ms * 1000),
    style: ms === 0 ? "good" : null,
  };
}

function serverCell(reports: readonly FaultReport[]): Cell {
  const died = reports.filter(({ server }) => server.died);
  const [first] = died;
  if (first === undefined) return { text: "lived", style: "good" };
  const { server, fault } = first;
  const down = Math.max(...died.map(({ server: { downMs } }) => downMs ?? 0));
  const back = server.restarted ? `, up after ${format.formatLatency(down * 1000)}` : ", for good";
  const rounds = died.length < reports.length ? ` (${died.length} of ${reports.length} rounds)` : "";
  return fault === "kill"
    ? { text: `killed${back}${rounds}` }
    : { text: `${server.exit}${back}${rounds}`, style: "bad" };
}

function memoryCell(reports: readonly FaultReport[]): Cell {
  const grown = reports.map(({ rssBeforeBytes: before, rssPeakBytes: peak }) =>
    before === null || peak === null ? null : Math.max(0, peak - before),
  );
  const states = reports.map(memoryState);
  const growth = middle(grown.filter((_, round) => states[round] !== null));
  if (growth === null) return { text: format.unknown };
  const isKept = states.includes("grown");
  const end = isKept ? ", kept" : states.includes("returned") ? ", came back" : "";
  return { text: `+${format.formatBytes(growth)}${end}`, style: isKept ? "warning" : null };
}

function middle(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
