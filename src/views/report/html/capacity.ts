import type { Capacity } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import type { Table } from "../../../text/table.ts";
import { lowerBound, whyStopped } from "../capacity.ts";
import { okPhases, type Participant, type Section, titleOf } from "../section.ts";
import type { LineChart } from "./chart-model.ts";
import type { Colors } from "./color.ts";
import { mergePoints, seriesOf } from "./line-series.ts";

/** Why there is no capacity to compare; null in other phases, and where there is one. */
export function describeUncompared(participant: Participant): string | null {
  if (lowerBound(participant) !== null) {
    return `no doing of the server ended the search${whyStopped(participant)}: it may hold more, so it is not compared`;
  }
  const searches = searchesOf(participant);
  const hasNone = searches.length > 0 && searches.every(({ ratePerSecond }) => ratePerSecond === null);
  return hasNone ? "held none of the rates offered" : null;
}

/** How latency grows with the rate offered, in the middle round of each: the rates of two rounds are not the same ones. */
export function buildSearchChart(section: Section, colors: Colors): LineChart | null {
  const searches = section.participants.map((participant) => ({
    participant,
    search: middleSearch(participant),
  }));
  const limits = searches.flatMap(({ search }) => search?.p99LimitMs ?? []);
  const [limitMs] = limits;
  if (limitMs === undefined) return null;
  return {
    kind: "lines",
    id: `search-${section.index}`,
    title: `${titleOf(section)}: p99 latency by the rate offered`,
    x: "perSecond",
    unit: "us",
    scale: "log",
    level: { name: "limit", value: limitMs * 1000 },
    series: searches.flatMap(({ participant, search }) =>
      seriesOf(participant, mergePoints([search === null ? [] : pointsOf(search)]), colors, "ok"),
    ),
  };
}

function pointsOf({ steps }: Capacity): { x: number; value: number }[] {
  return steps.flatMap(({ ratePerSecond, p99Us }) =>
    p99Us === null ? [] : [{ x: ratePerSecond, value: Math.max(1, p99Us) }],
  );
}

/** Every rate that was tried, in all rounds: nothing is left out. */
export function buildSteps(section: Section): Table | null {
  const rows = section.participants.flatMap((participant) =>
    searchesOf(participant).flatMap(({ steps }) =>
      steps.map(({ ratePerSecond, heldPerSecond, p99Us, held, reason }) => ({
        cells: [
          { text: participant.name },
          { text: format.formatRate(ratePerSecond) },
          { text: format.formatRate(heldPerSecond) },
          { text: format.formatLatency(p99Us) },
          held
            ? { text: "held", style: "good" as const }
            : { text: reason ?? "not held", style: "warning" as const },
        ],
      })),
    ),
  );
  if (rows.length === 0) return null;
  return {
    columns: [
      { header: "contender", align: "left" },
      { header: "offered", align: "right" },
      { header: "held", align: "right" },
      { header: "p99", align: "right" },
      { header: "outcome", align: "left" },
    ],
    rows,
  };
}

function middleSearch(participant: Participant): Capacity | null {
  const searches = searchesOf(participant).sort((a, b) => (a.ratePerSecond ?? 0) - (b.ratePerSecond ?? 0));
  return searches[searches.length >> 1] ?? null;
}

function searchesOf(participant: Participant): Capacity[] {
  return okPhases(participant).flatMap(({ capacity }) => capacity ?? []);
}
