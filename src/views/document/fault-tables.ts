import { type Participant, ranPhases, type Section } from "../../measures/sections.ts";
import type { Fault } from "../../plan/faults.ts";
import type { FaultReport } from "../../result/phase.ts";
import { median } from "../../stats/intervals.ts";
import * as format from "../../text/format.ts";
import type { Column } from "../../text/table.ts";
import { describeExit } from "../text/failure-text.ts";
import { formatMs, isDeath, memoryState } from "../text/fault-text.ts";
import { type Block, type Cell, heading, paragraph, type Table, table } from "./block.ts";

interface FaultColumn {
  readonly header: string;
  readonly meaning: string;
  readonly group: number;
  /** Of the rounds that there are, at least one. */
  readonly cell: (reports: readonly FaultReport[], participant: Participant) => Cell;
  readonly align?: "left";
  /** Told of this fault alone. */
  readonly only?: Fault;
}

type Reports = readonly FaultReport[];

/** A column whose figure is that of the middle round. */
const figure =
  (pick: (report: FaultReport) => number | null, write: (value: number | null) => string) =>
  (reports: Reports): Cell => ({ text: write(middle(reports.map(pick))) });

/** What must not happen to unaffected clients. A kill ends every connection: that is no reproach. */
const harm =
  (pick: (report: FaultReport) => number | null, write: (value: number | null) => string) =>
  (reports: Reports): Cell => {
    const value = middle(reports.map(pick));
    const isReproach = (value ?? 0) > 0 && reports.every(({ fault }) => fault !== "kill");
    return { text: write(value), style: isReproach ? "bad" : null };
  };

const columns: readonly FaultColumn[] = [
  {
    header: "faulty",
    meaning: "Faulty clients; with garbage the extra connections that sent it.",
    group: 0,
    cell: figure(({ faultyClients }) => faultyClients, format.formatCount),
  },
  {
    header: "slow consumers",
    meaning: "What the contender declares to do with a client that does not read.",
    group: 0,
    cell: (_, { facts }) => ({ text: facts.slowConsumer }),
    align: "left",
    only: "slow-readers",
  },
  {
    header: "lost conns",
    meaning: "Connections of unaffected clients that were lost.",
    group: 0,
    cell: harm(({ lostConnections }) => lostConnections, format.formatCount),
  },
  {
    header: "not delivered",
    meaning: "Deliveries to unaffected clients that never came, as a share of those due from the fault on.",
    group: 0,
    cell: harm(({ lost, planned }) => (planned === 0 ? null : lost / planned), format.formatShare),
  },
  {
    header: "too late",
    meaning:
      "Deliveries to unaffected clients later than twice the p99 before the fault, and than 20 ms, as a share.",
    group: 0,
    cell: harm(({ late, planned }) => (planned === 0 ? null : late / planned), format.formatShare),
  },
  {
    header: "silence",
    meaning: "Longest time without any delivery that an unaffected client saw from the fault on.",
    group: 0,
    cell: (reports) => ({ text: formatMs(Math.max(...reports.map((report) => report.longestSilenceMs))) }),
  },
  {
    header: "recovered",
    meaning:
      "Time until unaffected clients got every message on time for one second and all dropped clients had reconnected.",
    group: 0,
    cell: recoveryCell,
  },
  {
    header: "server",
    meaning: "What became of the server's process. One that ended was restarted on the same port.",
    group: 0,
    cell: serverCell,
    align: "left",
  },
  ...(["before", "under", "after"] as const).map(
    (window): FaultColumn => ({
      header: `p99 ${window}`,
      meaning: `p99 latency of unaffected clients ${window} the fault.`,
      group: 1,
      cell: figure((report) => report[window].p99, format.formatLatency),
    }),
  ),
  {
    header: "memory",
    meaning: "Growth of the server's resident memory from the fault on, and whether it was released.",
    group: 1,
    cell: memoryCell,
  },
];

export const faultMeanings = columns.map(({ header, meaning }): [string, string] => [header, meaning]);

/** A table for each fault; one sentence where nobody was affected. Silence, recovery and exits are of the worst round. */
export function buildFaultBlocks({ participants }: Section): Block[] {
  const all = participants.map((participant) => ({ participant, reports: reportsOf(participant) }));
  const faults = [...new Set(all.flatMap(({ reports }) => reports.map(({ fault }) => fault)))];
  return faults.flatMap((fault) => {
    const rows = all
      .map(({ participant, reports }) => ({
        participant,
        reports: reports.filter((report) => report.fault === fault),
      }))
      .filter(({ reports }) => reports.length > 0);
    if (rows.every(({ reports }) => reports.every(isUneventful))) {
      return [paragraph({ lead: `${fault}:`, text: "no effect on unaffected clients, for any contender." })];
    }
    const told = columns.filter(
      ({ only, cell }) =>
        (only === undefined || only === fault) &&
        rows.some(({ participant, reports }) => cell(reports, participant).text !== format.unknown),
    );
    const heads = told.map(
      ({ header, group, align }): Column => ({ header, group, align: align ?? "right" }),
    );
    const content: Table = {
      columns: [{ header: "contender", align: "left", group: 0 }, ...heads],
      rows: rows.map(({ participant, reports }) => {
        const name: Cell = { text: participant.name, style: "strong" };
        return { cells: [name, ...told.map(({ cell }) => cell(reports, participant))] };
      }),
    };
    return [heading(3, fault), table(content)];
  });
}

function isUneventful(report: FaultReport): boolean {
  const { lostConnections, lost, late, server, recoveredMs } = report;
  const isHarmed = lostConnections + lost + late > 0 || server.exit !== null || recoveredMs === null;
  return !isHarmed && memoryState(report) !== "grown";
}

/** Also of a phase that was not done to its end: what happened until then was measured. */
export function reportsOf(participant: Participant): FaultReport[] {
  return ranPhases(participant).flatMap((phase) => (phase.kind === "chaos" ? phase.faults : []));
}

function recoveryCell(reports: Reports): Cell {
  const times = reports.map(({ recoveredMs }) => recoveredMs);
  if (times.includes(null)) return { text: "not in time", style: "bad" };
  const ms = Math.max(0, ...times.filter((time) => time !== null));
  return { text: ms === 0 ? "undisturbed" : formatMs(ms) };
}

function serverCell(reports: Reports): Cell {
  const ended = reports.filter(({ server }) => server.exit !== null);
  const [first] = ended;
  if (first?.server.exit == null) return { text: "kept running" };
  const down = Math.max(...ended.map(({ server: { downMs } }) => downMs ?? 0));
  const back = first.server.restarted ? `, back after ${formatMs(down)}` : ", not restarted";
  const rounds = ended.length < reports.length ? ` (${ended.length} of ${reports.length} rounds)` : "";
  return isDeath(first)
    ? { text: `${describeExit(first.server.exit)}${back}${rounds}`, style: "bad" }
    : { text: `killed${back}${rounds}` };
}

function memoryCell(reports: Reports): Cell {
  const states = reports.map(memoryState);
  const growth = middle(
    reports.map(({ rssBeforeBytes: before, rssPeakBytes: peak }, round) =>
      before === null || peak === null || states[round] === null ? null : Math.max(0, peak - before),
    ),
  );
  if (growth === null) return { text: format.unknown };
  const isKept = states.includes("grown");
  const end = isKept ? ", kept" : states.includes("returned") ? ", released" : "";
  return { text: `+${format.formatBytes(growth)}${end}`, style: isKept ? "warning" : null };
}

function middle(values: readonly (number | null)[]): number | null {
  const known = values.filter((value) => value !== null);
  return known.length === 0 ? null : median(known);
}
