import { type Participant, ranPhases, type Section } from "../../measures/sections.ts";
import type { Fault } from "../../plan/faults.ts";
import type { FaultReport } from "../../result/phase.ts";
import { median } from "../../stats/intervals.ts";
import * as format from "../../text/format.ts";
import type { Column } from "../../text/table.ts";
import { describeExit } from "../text/failure-text.ts";
import { isDeath, memoryState } from "../text/fault-text.ts";
import { type Block, type Cell, heading, paragraph, table } from "./block.ts";

interface FaultColumn {
  readonly header: string;
  readonly meaning: string;
  readonly group: number;
  readonly align?: "left";
  /** Of the rounds that there are, at least one. */
  readonly cell: (reports: readonly FaultReport[], participant: Participant) => Cell;
  /** Told of this fault alone. */
  readonly only?: Fault;
}

const columns: readonly FaultColumn[] = [
  {
    header: "faulty",
    meaning: "Faulty clients; with garbage the extra connections that sent it.",
    group: 0,
    cell: (reports) => ({
      text: format.formatCount(middle(reports.map(({ faultyClients }) => faultyClients))),
    }),
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
    "lost conns",
    "Connections of unaffected clients that were lost.",
    ({ lostConnections }) => lostConnections,
    format.formatCount,
  ),
  harm(
    "not delivered",
    "Deliveries to unaffected clients that never came, as a share of those due from the fault on.",
    ({ lost, planned }) => (planned === 0 ? null : lost / planned),
    format.formatShare,
  ),
  harm(
    "too late",
    "Deliveries to unaffected clients later than twice the p99 before the fault, and than 20 ms, as a share.",
    ({ late, planned }) => (planned === 0 ? null : late / planned),
    format.formatShare,
  ),
  {
    header: "silence",
    meaning: "Longest time without any delivery that an unaffected client saw from the fault on.",
    group: 0,
    cell: (reports) => ({
      text: format.formatLatency(Math.max(...reports.map(({ longestSilenceMs }) => longestSilenceMs)) * 1000),
    }),
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
    align: "left",
    cell: serverCell,
  },
  latency("p99 before", "p99 latency of unaffected clients before the fault.", ({ before }) => before.p99),
  latency("p99 under", "p99 latency of unaffected clients under the fault.", ({ under }) => under.p99),
  latency("p99 after", "p99 latency of unaffected clients after the fault.", ({ after }) => after.p99),
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
    const content = {
      columns: [
        { header: "contender", align: "left" as const, group: 0 },
        ...told.map(({ header, group, align }): Column => ({ header, group, align: align ?? "right" })),
      ],
      rows: rows.map(({ participant, reports }) => ({
        cells: [
          { text: participant.name, style: "strong" as const },
          ...told.map(({ cell }) => cell(reports, participant)),
        ],
      })),
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

function harm(
  header: string,
  meaning: string,
  pick: (report: FaultReport) => number | null,
  write: (value: number | null) => string,
): FaultColumn {
  const cell = (reports: readonly FaultReport[]): Cell => {
    const value = middle(reports.map(pick));
    // A kill ends every connection: that is no reproach.
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
  return { text: ms === 0 ? "undisturbed" : format.formatLatency(ms * 1000) };
}

function serverCell(reports: readonly FaultReport[]): Cell {
  const ended = reports.filter(({ server }) => server.exit !== null);
  const [first] = ended;
  if (first?.server.exit == null) return { text: "kept running" };
  const down = Math.max(...ended.map(({ server: { downMs } }) => downMs ?? 0));
  const back = first.server.restarted
    ? `, back after ${format.formatLatency(down * 1000)}`
    : ", not restarted";
  const rounds = ended.length < reports.length ? ` (${ended.length} of ${reports.length} rounds)` : "";
  return isDeath(first)
    ? { text: `${describeExit(first.server.exit)}${back}${rounds}`, style: "bad" }
    : { text: `killed${back}${rounds}` };
}

function memoryCell(reports: readonly FaultReport[]): Cell {
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
