import { measureOf } from "../../measures/catalogue.ts";
import { overRounds } from "../../measures/figures.ts";
import { listSections, okPhases, type Participant, type Section } from "../../measures/sections.ts";
import type { Result } from "../../result/schema.ts";
import { median } from "../../stats/intervals.ts";
import * as format from "../../text/format.ts";
import { type Block, type Cell, heading, list, paragraph, type Table, table } from "./block.ts";
import { isUnresolved, notResolved } from "./connection-memory.ts";

/** What a reader wants to serve. */
export interface Demand {
  readonly users: number;
  /** Deliveries to one user. */
  readonly deliveriesPerSecond: number;
}

export const defaultDemand: Demand = { users: 100_000, deliveriesPerSecond: 1 };

/** The demand of a command line, the default where it says nothing. */
export function demandOf(values: {
  readonly "sizing-users"?: number;
  readonly "sizing-rate"?: number;
}): Demand {
  return {
    users: values["sizing-users"] ?? defaultDemand.users,
    deliveriesPerSecond: values["sizing-rate"] ?? defaultDemand.deliveriesPerSecond,
  };
}

/** Busier CPUs make queues, and queues make tails. */
const mostBusyShare = 0.7;
/** A shorter load says more of the idle server than of the message. */
const leastSeconds = 5;

/** What the measured costs come to for so many users: CPU cores and memory; nothing where no even load was measured. */
export function buildSizing(result: Result, demand: Demand): Block[] {
  const sections = listSections(result);
  const steady = sections.filter(
    ({ kind, participants }) =>
      kind === "endurance" && participants.some((participant) => okPhases(participant).length > 0),
  );
  if (steady.length === 0 || result.plan.enduranceSeconds < leastSeconds) return [];
  const connect = sections.find(({ kind }) => kind === "connect");
  const { users, deliveriesPerSecond } = demand;
  const each =
    deliveriesPerSecond === 1 ? "1 delivery" : `${format.formatCount(deliveriesPerSecond)} deliveries`;
  return [
    heading(2, `Sizing: ${format.formatCount(users)} users, ${each} per second each`),
    ...steady.flatMap((section) => {
      const capacity = sections.find(
        ({ kind, workload }) => kind === "capacity" && workload === section.workload,
      );
      return [
        ...(steady.length === 1 ? [] : [paragraph({ lead: `${section.name}:`, text: "" })]),
        table(buildTable(section, { connect, capacity }, demand)),
      ];
    }),
    ...list(listAssumptions(result, steady, demand)),
  ];
}

interface Others {
  readonly connect: Section | undefined;
  readonly capacity: Section | undefined;
}

function buildTable(section: Section, { connect, capacity }: Others, demand: Demand): Table {
  const rate = demand.users * demand.deliveriesPerSecond;
  const headers = [
    "CPU cores used",
    "CPU cores needed",
    ...(capacity === undefined ? [] : ["by capacity"]),
    "memory",
  ];
  return {
    columns: [
      { header: "contender", align: "left" },
      ...headers.map((header) => ({ header, align: "right" as const })),
    ],
    rows: section.participants.map((participant) => {
      const cpuUs = overRounds(participant, measureOf("cpu-per-delivery"));
      const opened = connect?.participants.find(({ name }) => name === participant.name);
      const bytes = opened === undefined ? null : memoryFor(opened, demand.users);
      const cores = cpuUs === null ? null : (cpuUs * rate) / 1e6;
      const searched = capacity?.participants.find(({ name }) => name === participant.name);
      const perCore = searched === undefined ? null : overRounds(searched, measureOf("capacity.per-core"));
      const whole = (value: number | null) => format.formatCount(value === null ? null : Math.ceil(value));
      const texts = [
        participant.name,
        cores === null || cores >= 10 ? whole(cores) : cores.toFixed(1),
        whole(cores === null ? null : cores / mostBusyShare),
        ...(capacity === undefined ? [] : [whole(perCore === null ? null : rate / perCore)]),
      ];
      const isOpen = opened !== undefined && isUnresolved(opened, measureOf("memory-per-connection"));
      const memory: Cell = isOpen ? notResolved : { text: format.formatBytes(bytes) };
      return { cells: [...texts.map((text): Cell => ({ text })), memory] };
    }),
  };
}

/** What it takes without connections, after its warm-up, and what each adds; null where that is not resolved. */
function memoryFor(opened: Participant, users: number): number | null {
  const each = overRounds(opened, measureOf("memory-per-connection"));
  const baselines = okPhases(opened).flatMap((phase) =>
    phase.kind === "connect" ? (phase.memory.baselineRssBytes ?? []) : [],
  );
  return each === null || baselines.length === 0 ? null : median(baselines) + each * users;
}

function listAssumptions({ plan }: Result, steady: readonly Section[], { users }: Demand): string[] {
  const limits = steady
    .flatMap(({ participants }) => participants.flatMap(okPhases))
    .flatMap(({ server }) => server.descriptorLimit ?? []);
  const limit = limits.length === 0 ? null : Math.min(...limits);
  const tested = `${format.plural(plan.connections, "connection")} at ${format.formatRate(plan.enduranceRatePerSecond)} with ${format.formatCount(plan.messageBytes)}-byte messages`;
  const isUntested = users > plan.connections ? ` ${format.formatCount(users)} users were not tested.` : "";
  return [
    `Extrapolated from ${tested}.${isUntested}`,
    `"Needed" keeps CPU cores at most ${mostBusyShare * 100} % busy. A single-threaded server needs one process per core.`,
    "Not included: TLS, compression, a real network, the application, kernel socket memory.",
    ...(limit === null || limit >= users
      ? []
      : [
          `At ${format.formatCount(limit)} descriptors per process it takes at least ${format.formatCount(Math.ceil(users / limit))} processes, or a higher limit.`,
        ]),
  ];
}
