import { groupByLeague, leagueOf } from "../../judgement/league.ts";
import { decidingMeasures, measureOf } from "../../measures/catalogue.ts";
import { listEndings, overRounds, stepOf, valuesOf } from "../../measures/figures.ts";
import { formatMeasure, type Measure } from "../../measures/measure.ts";
import { okPhases, type Participant, type Section } from "../../measures/sections.ts";
import type { PhaseKind } from "../../plan/plan.ts";
import type { Judgement } from "../../result/judgement.ts";
import type { CapacityPhase, RanPhase, TimelineBucket } from "../../result/phase.ts";
import type { ContenderFacts } from "../../result/schema.ts";
import { median, medianInterval } from "../../stats/intervals.ts";
import { measureTrend } from "../../stats/trend.ts";
import * as format from "../../text/format.ts";
import type { Column } from "../../text/table.ts";
import { describeStepReason } from "../text/reason-text.ts";
import type { Cell, Table } from "./block.ts";
import { isUnresolved, notResolved } from "./connection-memory.ts";
import { idleCpus } from "./idling.ts";
import { isMarked } from "./verdict.ts";

/** Fewer rounds give limits too wide to read anything from. */
const roundsForInterval = 3;
/** Fewer messages per frame than this is one message per frame, give or take a rare one. */
export const leastSharing = 1.005;

interface PhaseColumn {
  readonly header: string;
  /** One sentence. */
  readonly meaning: string;
  readonly group: number;
  readonly align?: "left";
  readonly cell: (participant: Participant) => Cell;
}

const latencies = [
  "reach",
  "latency.p50",
  "latency.p99",
  "latency.p99.9",
  "latency.max",
  "uncorrected-latency.p99",
];
const costs = [
  "cpu-per-delivery",
  "cpu-per-delivery.user",
  "cpu-per-delivery.system",
  "cpu-per-delivery.collector",
  "context-switches.voluntary",
  "context-switches.involuntary",
];
/** Its last column is what the contender used without a load. */
const traffic = ["messages-per-frame", "messages-per-segment", "peak-memory"];
const generator = ["generator.cpu-share", "send-lag.p99"];

/** The empty group is that of the drift. */
const paced = [["offered", "sustained", "sustained.share"], latencies, [], costs, traffic, generator];

/** The measures of each kind's table by their groups, which stay together where the table is split. */
const measured: Readonly<Record<PhaseKind, readonly (readonly string[])[]>> = {
  connect: [
    ["connections", "connections.share", "connections.rate", "held"],
    ["upgrade.p50", "upgrade.p99", "tcp.p99", "tls.p50", "tls.p99", "join.p99"],
    ["cpu-per-connection", "memory-per-connection", "memory-per-connection.kernel", "peak-memory"],
    ["held.p50", "held.p99", "held.cpu-per-delivery"],
    ["generator.cpu-share", "generator.memory-per-connection"],
  ],
  burst: [
    ["throughput"],
    latencies,
    ["receiver.first", "receiver.median", "receiver.last"],
    costs,
    traffic,
    generator,
  ],
  steady: paced,
  endurance: paced,
  capacity: [
    ["capacity", "capacity.per-core", "capacity.per-cpu-second"],
    ["generator.cpu-share", "send-lag.p99"],
  ],
  chaos: [
    ["unaffected.in-time", "unaffected.lost", "back-after-kill"],
    ["peak-memory", "generator.cpu-share", "send-lag.p99"],
  ],
};

/** Everything measured in one phase, one row per contender. A column in which nobody has anything is left out. */
export function buildPhaseTable(section: Section, judgements: readonly Judgement[]): Table {
  const leagues = groupByLeague(section.participants);
  const participants = leagues.flatMap(([, those]) => those);
  const told = listColumns(section, judgements).filter(({ cell }) =>
    participants.some((participant) => ![format.unknown, ""].includes(cell(participant).text)),
  );
  return {
    columns: [
      { header: "contender", align: "left", group: 0 },
      ...(leagues.length > 1 ? [{ header: "league", align: "left", group: 0 } as const] : []),
      ...told.map(({ header, group, align }): Column => ({ header, group, align: align ?? "right" })),
    ],
    rows: participants.map((participant) => ({
      cells: [
        { text: participant.name, style: "strong" },
        ...(leagues.length > 1 ? [{ text: leagueOf(participant.facts) }] : []),
        ...told.map(({ cell }) => cell(participant)),
      ],
    })),
  };
}

/** What each column means, each header once. */
export function listMeanings(sections: readonly Section[]): ReadonlyMap<string, string> {
  const columns = sections.flatMap((section) => listColumns(section, []));
  return new Map(columns.map(({ header, meaning }) => [header, meaning]));
}

function listColumns(section: Section, judgements: readonly Judgement[]): PhaseColumn[] {
  const { kind } = section;
  const groups = measured[kind].map((names, group) =>
    names
      .map(measureOf)
      .filter(({ name }) => name !== "messages-per-frame" || sharesFrames(section))
      .filter(({ name }) => !name.startsWith("tls.") || speaksTls(section))
      .map((measure, at) => measureColumn(measure, group, judgements, group === 0 && at === 0)),
  );
  const [first = [], ...rest] = groups;
  const own = kind === "endurance" ? driftColumns : kind === "capacity" ? stopColumns : [];
  const idle = idleColumn(section, groups.length - 2);
  return [
    ...first,
    ...roundColumns(section),
    ...own,
    ...rest.slice(0, -1).flat(),
    idle,
    ...(rest.at(-1) ?? []),
    ...floorColumns(section),
  ];
}

function idleColumn(section: Section, group: number): PhaseColumn {
  return {
    header: "idle CPU",
    meaning: "Share of one CPU that the server used while it had no load and others had.",
    group,
    cell: ({ name }) => ({ text: format.formatShare(idleCpus(section, name)) }),
  };
}

/** What decides as a multiple of the floor's; nothing where none took part. */
function floorColumns({ kind, participants }: Section): PhaseColumn[] {
  const floor = participants.find(({ facts }) => leagueOf(facts) === "floor");
  if (floor === undefined) return [];
  return decidingMeasures[kind]
    .map(measureOf)
    .filter(({ unit }) => unit !== "count" && unit !== "share")
    .map((measure) => ({
      header: `${measure.header} ÷ floor`,
      meaning: `${measure.header} as a multiple of that of ${floor.name}, which does no more than the contract asks for.`,
      group: measured[kind].length,
      cell: (participant) => {
        const [own, least] = [overRounds(participant, measure), overRounds(floor, measure)];
        return { text: own && least ? `${format.formatFactor(own / least)}×` : format.unknown };
      },
    }));
}

/** @param isFirst where how it ended stands in the place of the figure */
function measureColumn(
  measure: Measure,
  group: number,
  judgements: readonly Judgement[],
  isFirst: boolean,
): PhaseColumn {
  return {
    header: measure.header,
    meaning: measure.meaning,
    group,
    cell: (participant) => {
      const value = overRounds(participant, measure);
      if (value === null && okPhases(participant).some(measure.isBeyondReach)) return notReached;
      if (value === null && isUnresolved(participant, measure)) return notResolved;
      if (value === null && isNotOurs(participant.facts, measure)) return notMeasured;
      if (value === null)
        return measure.name === "capacity" ? boundCell(participant) : missing(participant, isFirst);
      return {
        text: formatMeasure(measure, value, stepOf([participant], measure)),
        isBest: isMarked(judgements, measure.name, participant.name),
      };
    },
  };
}

/** Figures of a server's own processes: of one that ran already nobody knows which those are. */
const ofProcess = /^(cpu-per-|peak-memory|memory-per-)/;
export const notMeasured: Cell = { text: "not measured" };

export function isNotOurs({ url }: ContenderFacts, { name }: Pick<Measure, "name">): boolean {
  return url !== undefined && ofProcess.test(name);
}

/** A quantile beyond what was delivered. */
const notReached: Cell = { text: "not reached", style: "bad" };

function missing(participant: Participant, isFirst: boolean): Cell {
  const ending = isFirst ? listEndings(participant).at(-1) : undefined;
  if (ending === undefined) return { text: format.unknown };
  return { text: ending.status.replace("-", " "), style: ending.status === "failed" ? "bad" : "warning" };
}

/** What is known without being a capacity to rank: a lower bound, or that no rate was sustained. */
function boundCell(participant: Participant): Cell {
  const searches = searchesOf(participant);
  if (searches.length === 0) return missing(participant, true);
  const rates = searches.flatMap(({ ratePerSecond }) => ratePerSecond ?? []);
  return rates.length === 0
    ? { text: "none", style: "bad" }
    : { text: `≥ ${format.formatRate(Math.max(...rates))}`, style: "warning" };
}

function roundColumns({ kind, participants }: Section): PhaseColumn[] {
  const headline = measureOf(
    measured[kind][0]?.[kind === "connect" ? 2 : measured[kind] === paced ? 1 : 0] ?? "",
  );
  const rounds = Math.max(0, ...participants.map(({ phases }) => phases.length));
  if (rounds < 2) return [];
  const interval: PhaseColumn = {
    header: "95 % CI",
    meaning: `95 % confidence interval of the median ${headline.header} over the rounds (from ${roundsForInterval} rounds).`,
    group: 0,
    cell: (participant) => ({ text: describeInterval(participant, headline) }),
  };
  const counted: PhaseColumn = {
    header: "rounds",
    meaning: "Rounds that count, of those planned.",
    group: 0,
    cell: (participant) => {
      const ok = okPhases(participant).length;
      return { text: `${ok} of ${rounds}`, style: ok < rounds ? "warning" : null };
    },
  };
  return [interval, counted];
}

function describeInterval(participant: Participant, measure: Measure): string {
  const values = valuesOf(participant, measure).filter((value) => value !== null);
  const interval = values.length < roundsForInterval ? null : medianInterval(values);
  if (interval === null) return format.unknown;
  const [low, high] = [formatMeasure(measure, interval.low), formatMeasure(measure, interval.high)];
  return low === high ? format.unknown : `${low.replace(/\/s$/, "")}–${high}`;
}

const stopColumns: readonly PhaseColumn[] = [
  {
    header: "failed at",
    meaning: "The lowest rate that was not sustained, in the middle round.",
    group: 0,
    cell: (participant) => ({ text: format.formatRate(findStop(participant)?.ratePerSecond ?? null) }),
  },
  {
    header: "because",
    meaning: "Why that rate was not sustained.",
    group: 0,
    align: "left",
    cell: (participant) => {
      const reason = findStop(participant)?.reason ?? null;
      return { text: reason === null ? format.unknown : describeStepReason(reason) };
    },
  },
];

/** The step that ended the search of the middle round: the last try of the lowest rate that was not sustained. */
function findStop(participant: Participant): CapacityPhase["capacity"]["steps"][number] | null {
  const searches = searchesOf(participant).sort((a, b) => (a.ratePerSecond ?? 0) - (b.ratePerSecond ?? 0));
  const middle = searches[searches.length >> 1];
  const sustained = middle?.ratePerSecond ?? 0;
  const failed = (middle?.steps ?? []).filter(
    ({ outcome, ratePerSecond }) => outcome !== "sustained" && ratePerSecond > sustained,
  );
  const lowest = Math.min(...failed.map(({ ratePerSecond }) => ratePerSecond));
  return failed.findLast(({ ratePerSecond }) => ratePerSecond === lowest) ?? null;
}

function searchesOf(participant: Participant): CapacityPhase["capacity"][] {
  return okPhases(participant).flatMap((phase) => (phase.kind === "capacity" ? [phase.capacity] : []));
}

/** Fewer don't tell what is kept from what waits to be collected. */
export const fewestCollections = 3;

/** Of each round that counts; none where the server doesn't tell. */
export function collectionsOf(participant: Participant): number[] {
  return okPhases(participant).flatMap((phase) =>
    phase.kind === "endurance" ? (phase.majorCollections ?? []) : [],
  );
}

const driftColumns: readonly PhaseColumn[] = [
  {
    header: "p99 drift",
    meaning: "Change of p99 per minute under the same load; steady where the change is within the noise.",
    group: 2,
    cell: (participant) => ({
      text: describeDrift(participant, ({ p99Us }) => p99Us, format.formatLatency),
    }),
  },
  {
    header: "memory drift",
    meaning: `Change of the server's resident memory per minute under the same load; not judged by fewer than ${fewestCollections} major collections.`,
    group: 2,
    cell: (participant) => ({
      text: collectionsOf(participant).some((count) => count < fewestCollections)
        ? "not judged"
        : describeDrift(participant, ({ serverRssBytes }) => serverRssBytes, format.formatBytes),
    }),
  },
  {
    header: "major GCs",
    meaning:
      "Major collections of the garbage collector in the round that had the fewest, where the server tells.",
    group: 2,
    cell: (participant) => {
      const counts = collectionsOf(participant);
      return { text: counts.length === 0 ? format.unknown : format.formatCount(Math.min(...counts)) };
    },
  },
];

/** Per minute, over the rounds: `steady` unless most of them clearly rise or fall. */
function describeDrift(
  participant: Participant,
  pick: (bucket: TimelineBucket) => number | null,
  write: (value: number) => string,
): string {
  const known = okPhases(participant)
    .map((phase) => measureTrend(pointsOf(phase, pick)))
    .filter((trend) => trend.kind !== "unknown");
  if (known.length === 0) return format.unknown;
  const moving = known.filter(({ kind }) => kind !== "steady");
  if (moving.length * 2 <= known.length) return "steady";
  const slope = median(moving.map((trend) => trend.slope));
  return `${slope < 0 ? "−" : "+"}${write(Math.abs(slope))}/min`;
}

/** By the minute. The last bucket is cut off by the end of the load. */
function pointsOf(phase: RanPhase, pick: (bucket: TimelineBucket) => number | null) {
  if (phase.kind !== "endurance") return [];
  const { bucketSeconds, buckets } = phase.timeline;
  return buckets.slice(0, -1).flatMap((bucket, at) => {
    const value = pick(bucket);
    return value === null ? [] : [{ at: (at * bucketSeconds) / 60, value }];
  });
}

function speaksTls({ participants }: Section): boolean {
  return participants.some((participant) => overRounds(participant, measureOf("tls.p50")) !== null);
}

function sharesFrames({ participants }: Section): boolean {
  const perFrame = measureOf("messages-per-frame");
  return participants.some((participant) => (overRounds(participant, perFrame) ?? 1) >= leastSharing);
}
