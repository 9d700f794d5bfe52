import type { TimelineBucket } from "../../result/schema.ts";
import { summarize } from "../../stats/histogram.ts";
import type { SecondTotals } from "./progress-board.ts";
import type { ServerSecond } from "./server-watch.ts";

/** One bucket per second from the phase's start to the last in which anything happened. */
export function buildTimeline(
  load: ReadonlyMap<number, SecondTotals>,
  server: ReadonlyMap<number, ServerSecond>,
): TimelineBucket[] {
  const last = Math.max(-1, ...load.keys());
  return Array.from({ length: last + 1 }, (_, second) => {
    const totals = load.get(second);
    const latency = totals === undefined ? null : summarize(totals.latency);
    const watched = server.get(second);
    return {
      second,
      sent: totals?.sent ?? 0,
      delivered: totals?.delivered ?? 0,
      p50Us: latency?.p50 ?? null,
      p99Us: latency?.p99 ?? null,
      maxUs: latency?.max ?? null,
      serverCpuMs: watched === undefined ? null : Math.round(watched.cpuMs),
      serverRssBytes: watched?.rssBytes ?? null,
    };
  });
}
