import type { FaultReport } from "../../result/schema.ts";

/** Memory may stay this much above what it was: allocators don't give everything back. */
const leastGrowthBytes = 4e6;
const growthShare = 0.1;

/** What a fault did to those whom it did not strike, in a sentence or two. */
export function describeFault(report: Omit<FaultReport, "text">): string {
  const { fault, victims } = report;
  const struck = nameStrike[fault].replace("#", count(victims)).replace("(s)", victims === 1 ? "" : "s");
  const harm = [...tellDeath(report), ...tellConnections(report), ...tellDeliveries(report)];
  const what = [
    ...(harm.length === 0 ? ["nobody else noticed"] : harm),
    ...tellVictims(report),
    ...tellRecovery(report, harm.length > 0),
    ...tellMemory(report),
  ];
  return `${struck}: ${what.join("; ")}.`;
}

const nameStrike: Readonly<Record<FaultReport["fault"], string>> = {
  "slow-readers": "# member(s) stopped reading what had been asked for",
  resets: "# connection(s) were reset",
  garbage: "# extra connection(s) threw garbage",
  storm: "# connection(s) were reset and came back at once",
  crash: "# crash message(s)",
  kill: "the server's process was killed",
};

function tellDeath({ server, fault }: Omit<FaultReport, "text">): string[] {
  if (!server.died) return [];
  const how = fault === "kill" ? "" : `the server died (${server.exit})`;
  if (!server.restarted)
    return [fault === "kill" ? "it could not be restarted" : `${how} and could not be restarted`];
  const back = `was restarted by the harness and answered after ${count(server.downMs ?? 0)} ms`;
  return [fault === "kill" ? `it ${back}` : `${how}, ${back}`];
}

function tellConnections({ lostConnections, bystanders }: Omit<FaultReport, "text">): string[] {
  if (lostConnections === 0) return [];
  // One may be lost again after it came back.
  return lostConnections >= bystanders
    ? [`all ${count(bystanders)} others lost their connection`]
    : [`${count(lostConnections)} of ${count(bystanders)} others lost their connection`];
}

function tellDeliveries({
  lost,
  late,
  planned,
  lateUs,
  longestSilenceMs,
}: Omit<FaultReport, "text">): string[] {
  const parts = [
    ...(lost > 0 ? [`${count(lost)} of ${count(planned)} deliveries to the others never came`] : []),
    ...(late > 0
      ? [
          `${count(late)}${lost > 0 ? "" : ` of ${count(planned)} deliveries to the others`} came later than ${count(Math.round(lateUs / 1000))} ms`,
        ]
      : []),
  ];
  if (parts.length === 0) return [];
  return [`${parts.join(" and ")}, and one heard nothing for ${count(longestSilenceMs)} ms`];
}

/** Losing its connection is what a reset is about; a slow reader may be dropped, and a crash may take its client along. */
function tellVictims({ fault, server, struck, victims }: Omit<FaultReport, "text">): string[] {
  if (server.died || (fault !== "slow-readers" && fault !== "crash")) return [];
  if (struck.lost === 0) return [`${victims === 1 ? "it" : "they"} kept the connection`];
  return [
    `the server dropped ${struck.lost >= victims ? "" : `${count(struck.lost)} of `}${victims === 1 ? "it" : "them"}`,
  ];
}

function tellRecovery(
  { recoveredMs, rejoin, seconds }: Omit<FaultReport, "text">,
  isHarmed: boolean,
): string[] {
  const away = rejoin.wanted - rejoin.opened;
  if (recoveredMs !== null && isHarmed)
    return recoveredMs === 0 ? [] : [`all was well again after ${count(recoveredMs)} ms`];
  if (recoveredMs !== null) {
    return rejoin.wanted === 0
      ? []
      : [`whoever had to come back was served within ${count(rejoin.slowestMs ?? 0)} ms`];
  }
  if (away > 0) return [`${count(away)} of ${count(rejoin.wanted)} lost connections did not come back`];
  if (rejoin.unserved > 0) return [`${count(rejoin.unserved)} connections came back and were given nothing`];
  return [`it had not recovered when the load ended, ${count(seconds.strike + seconds.after)} s later`];
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
