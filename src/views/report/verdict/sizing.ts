import type { Result } from "../../../result/schema.ts";
import { type Interval, median, medianInterval } from "../../../stats/intervals.ts";
import * as format from "../../../text/format.ts";
import type { Column, Table } from "../../../text/table.ts";
import { type MeasureName, measures, overRounds, valuesOf } from "../measure.ts";
import { listSections, okPhases, type Participant, type Section, titleOf } from "../section.ts";

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

/** A table per phase of even load, and what has to hold for it to be right. */
export interface Sizing {
  readonly title: string;
  readonly lead: string;
  readonly tables: readonly { readonly title: string; readonly table: Table }[];
  readonly assumptions: readonly string[];
}

/** Busier processors make queues, and queues make tails. */
const mostBusyShare = 0.7;
/** A shorter load says more of the idle server than of the message. */
const leastSeconds = 5;

/** What the measured costs come to for so many users: processors and memory; null where no even load was measured. */
export function sizeUp(result: Result, demand: Demand): Sizing | null {
  const sections = listSections(result);
  const steady = sections.filter(
    (section) =>
      section.kind === "endurance" &&
      section.participants.some((participant) => okPhases(participant).length > 0),
  );
  if (steady.length === 0 || result.plan.enduranceSeconds < leastSeconds) return null;
  const { users, deliveriesPerSecond } = demand;
  return {
    title: `Sizing: ${format.formatCount(users)} users, ${format.formatCount(deliveriesPerSecond)} deliver${deliveriesPerSecond === 1 ? "y" : "ies"} to each per second`,
    lead: "What the costs measured here would come to. An extrapolation, on these assumptions:",
    tables: steady.map((section) => ({
      title: titleOf(section),
      table: buildTable(section, findCapacity(sections, section), demand),
    })),
    assumptions: listAssumptions(
      result,
      steady,
      steady.some((section) => findCapacity(sections, section) !== null),
      demand,
    ),
  };
}

function findCapacity(sections: readonly Section[], { workload }: Section): Section | null {
  return sections.find((section) => section.kind === "capacity" && section.workload === workload) ?? null;
}

function buildTable(section: Section, capacity: Section | null, demand: Demand): Table {
  const rate = demand.users * demand.deliveriesPerSecond;
  const columns: Column[] = [
    { header: "contender", align: "left" },
    { header: "processors busy", align: "right" },
    { header: "processors to have", align: "right" },
    ...(capacity === null ? [] : [{ header: "by capacity", align: "right" } as const]),
    { header: "memory", align: "right" },
  ];
  const rows = section.participants.map((participant) => {
    const busy = estimate(participant, "cpuPerDelivery", (us) => (us * rate) / 1e6);
    const idle = idleBytes(participant);
    const memory = estimate(participant, "memoryPerConnection", (bytes) => idle + bytes * demand.users);
    const searched = capacity?.participants.find(({ name }) => name === participant.name);
    const perCore = searched === undefined ? null : overRounds(searched, measures.capacityPerCore);
    const cells = [
      participant.name,
      write(busy, formatProcessors),
      busy === null ? format.unknown : format.formatCount(Math.ceil(busy.value / mostBusyShare)),
      ...(capacity === null
        ? []
        : [perCore === null ? format.unknown : format.formatCount(Math.ceil(rate / perCore))]),
      write(memory, format.formatBytes),
    ];
    return { cells: cells.map((text) => ({ text })) };
  });
  return { columns, rows };
}

interface Estimate {
  readonly value: number;
  readonly interval: Interval | null;
}

function estimate(
  participant: Participant,
  name: MeasureName,
  scale: (measured: number) => number,
): Estimate | null {
  const values = valuesOf(participant, measures[name]).filter((value) => value !== null);
  if (values.length === 0) return null;
  const interval = medianInterval(values);
  return {
    value: scale(median(values)),
    interval:
      interval === null ? null : { ...interval, low: scale(interval.low), high: scale(interval.high) },
  };
}

function idleBytes({ rounds }: Participant): number {
  const values = rounds.flatMap((round) => round?.idleRssBytes ?? []);
  return values.length === 0 ? 0 : median(values);
}

function write(estimated: Estimate | null, format_: (value: number) => string): string {
  if (estimated === null) return format.unknown;
  const { value, interval } = estimated;
  return interval === null
    ? format_(value)
    : `${format_(value)} (${format_(interval.low)} to ${format_(interval.high)})`;
}

function formatProcessors(value: number): string {
  return value < 10 ? value.toFixed(1) : format.formatCount(Math.round(value));
}

function listAssumptions(
  result: Result,
  steady: readonly Section[],
  hasCapacity: boolean,
  { users }: Demand,
): string[] {
  const { plan } = result;
  const phases = steady.flatMap(({ participants }) => participants.flatMap(okPhases));
  const limits = phases.flatMap(({ server }) => server.descriptorLimit ?? []);
  const limit = limits.length === 0 ? null : Math.min(...limits);
  return [
    `A delivery costs the processor time, and a connection the memory, that they cost here: with ${format.plural(plan.connections, "connection")}, at ${format.formatRate(plan.enduranceRatePerSecond)}, with messages of ${format.formatCount(plan.messageBytes)} bytes. Nobody has tried ${format.formatCount(users)} users.`,
    `The work spreads evenly over the processors; a server of one thread needs a process for each. "To have" keeps them at most ${mostBusyShare * 100} % busy.`,
    ...(hasCapacity
      ? [
          `"By capacity" is what a capacity phase held with p99 up to ${format.formatLatency(plan.p99LimitMs * 1000)} per processor.`,
        ]
      : []),
    "Without TLS, compression, a real network or an application, and without the kernel's memory for sockets.",
    ...(limit === null || limit >= users
      ? []
      : [
          `A process may open ${format.formatCount(limit)} descriptors here: so many users need at least ${format.formatCount(Math.ceil(users / limit))} processes, or a higher limit.`,
        ]),
    ...(plan.rounds === 1 ? ["One round: no intervals."] : []),
  ];
}
