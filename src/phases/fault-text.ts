import type { FaultReport } from "../result/schema.ts";

/** Memory may stay this much above what it was: allocators don't give everything back. */
const leastGrowthBytes = 4e6;
const growthShare = 0.1;

/** What a fault did to those whom it did not strike, in a sentence or two. */
export function describeFault(report: Omit<FaultReport, "text">): string {
  const { fault, server, recoveredMs, lostConnections, bystanders, victims } = report;
  const struck = `${nameStrike[fault].replace("#", count(victims)).replace("(s)", victims === 1 ? "" : "s")}: `;
  const sentences = [
    ...(server.died ? [tellDeath(report)] : []),
    ...(lostConnections > 0
      ? [`${count(lostConnections)} connections of ${count(bystanders)} others were lost`]
      : []),
    ...tellDeliveries(report),
    ...(recoveredMs === 0 ? [] : [tellRecovery(report)]),
    ...tellMemory(report),
  ];
  const isUnharmed = sentences.length === 0;
  return `${struck}${isUnharmed ? "nobody else noticed" : sentences.join("; ")}.`;
}

const nameStrike: Readonly<Record<FaultReport["fault"], string>> = {
  "slow-readers": "# member(s) stopped reading",
  resets: "# connection(s) were reset",
  garbage: "# extra connection(s) threw garbage",
  storm: "# connection(s) were reset and came back at once",
  crash: "# crash message(s)",
  kill: "the process was killed",
};

function tellDeath({ server, fault }: Omit<FaultReport, "text">): string {
  const how = fault === "kill" ? "the server" : `the server died (${server.exit})`;
  if (!server.restarted) return `${how} and could not be restarted`;
  return `${how}${fault === "kill" ? "" : ","} was restarted by the harness and answered after ${count(server.downMs ?? 0)} ms`;
}

function tellDeliveries({
  lost,
  late,
  planned,
  lateUs,
  longestSilenceMs,
}: Omit<FaultReport, "text">): string[] {
  const parts = [
    ...(lost > 0 ? [`${count(lost)} of ${count(planned)} deliveries to them never came`] : []),
    ...(late > 0 ? [`${count(late)} came later than ${count(Math.round(lateUs / 1000))} ms`] : []),
  ];
  if (parts.length === 0) return [];
  return [`${parts.join(", ")}, the longest silence of one was ${count(longestSilenceMs)} ms`];
}

function tellRecovery({ recoveredMs, rejoin, seconds }: Omit<FaultReport, "text">): string {
  const away = rejoin.wanted - rejoin.opened;
  if (recoveredMs !== null) return `all was well again after ${count(recoveredMs)} ms`;
  if (away > 0) return `${count(away)} of ${count(rejoin.wanted)} lost connections did not come back`;
  if (rejoin.unserved > 0) return `${count(rejoin.unserved)} connections came back and were given nothing`;
  return `it had not recovered when the load ended, ${count(seconds.strike + seconds.after)} s later`;
}

function tellMemory(report: Omit<FaultReport, "text">): string[] {
  const { rssBeforeBytes: before, rssPeakBytes: peak } = report;
  const state = memoryState(report);
  if (state === "steady" || state === null || before === null || peak === null) return [];
  const growth = `memory grew by ${Math.round((peak - before) / 1e6)} MB`;
  return [state === "returned" ? `${growth} and came back` : `${growth} and had not come back at the end`];
}

/** Whether memory grew under a fault, and went back; null where that is unknown, or another process is its server now. */
export function memoryState(
  report: Pick<FaultReport, "rssBeforeBytes" | "rssPeakBytes" | "rssAfterBytes" | "server">,
): "steady" | "returned" | "grown" | null {
  const { rssBeforeBytes: before, rssPeakBytes: peak, rssAfterBytes: after, server } = report;
  if (before === null || peak === null || after === null || server.died) return null;
  const isGrown = (bytes: number) => bytes - before > Math.max(leastGrowthBytes, growthShare * before);
  return isGrown(after) ? "grown" : isGrown(peak) ? "returned" : "steady";
}

function count(value: number): string {
  return value.toLocaleString("en");
}
