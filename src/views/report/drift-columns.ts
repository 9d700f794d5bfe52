import type { Phase } from "../../result/schema.ts";
import { measureTrend } from "../../stats/trend.ts";
import * as format from "../../text/format.ts";
import { type PhaseColumn, plain } from "./phase-column.ts";
import { okPhases, type Participant } from "./section.ts";

/** How latency and memory changed while the load stayed the same. */
export function driftColumns(): PhaseColumn[] {
  return [
    {
      header: "p99 drift",
      meaning: "How p99 changed per minute under the same load; steady where the change is within the noise.",
      group: 2,
      cell: (participant) => plain(driftText(participant, ({ p99Us }) => p99Us, format.formatLatency)),
    },
    {
      header: "memory drift",
      meaning: "How the server's resident memory changed per minute under the same load.",
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
