import type { FaultReport } from "../../result/phase.ts";
import * as format from "../../text/format.ts";
import { describeExit } from "./failure-text.ts";

/** Memory may stay this much above what it was: allocators don't give everything back. */
const leastGrowthBytes = 4e6;
const growthShare = 0.1;

const injected: Readonly<Record<FaultReport["fault"], (count: string, isOne: boolean) => string>> = {
  "slow-readers": (count, isOne) => `${count} client${isOne ? "" : "s"} stopped reading`,
  resets: (count, isOne) => `${count} connection${isOne ? " was" : "s were"} reset`,
  garbage: (count, isOne) => `${count} extra connection${isOne ? "" : "s"} sent garbage`,
  storm: (count, isOne) => `${count} connection${isOne ? " was" : "s were"} reset and reconnected at once`,
  crash: (count, isOne) => `${count} crash message${isOne ? "" : "s"}`,
  kill: () => "the server's process was killed",
};

/** What a fault did to unaffected clients, in a sentence: `3 crash messages: no effect on other clients.` */
export function describeFault(report: FaultReport): string {
  const { fault, faultyClients } = report;
  const harm = [...tellDeath(report), ...tellConnections(report), ...tellDeliveries(report)];
  const what = [
    ...(harm.length === 0 ? ["no effect on unaffected clients"] : harm),
    ...tellFaultyClients(report),
    ...tellRecovery(report, harm.length > 0),
    ...tellMemory(report),
  ];
  return `${injected[fault](format.formatCount(faultyClients), faultyClients === 1)}: ${what.join("; ")}.`;
}

/** The process ended and was not killed by the harness. */
export function isDeath({ fault, server }: FaultReport): boolean {
  return server.exit !== null && fault !== "kill";
}

function tellDeath({ server, fault }: FaultReport): string[] {
  if (server.exit === null) return [];
  const how = fault === "kill" ? "" : `the server ${describeExit(server.exit)}, `;
  const back = `restarted and answering after ${formatMs(server.downMs)}`;
  return [how + (server.restarted ? back : "could not be restarted")];
}

function tellConnections({ lostConnections, unaffectedClients }: FaultReport): string[] {
  if (lostConnections === 0) return [];
  const all = format.formatCount(unaffectedClients);
  // One may be lost again after it came back.
  const which =
    lostConnections >= unaffectedClients ? `all ${all}` : `${format.formatCount(lostConnections)} of ${all}`;
  return [`${which} unaffected clients lost their connection`];
}

function tellDeliveries({ lost, late, planned, lateUs, longestSilenceMs }: FaultReport): string[] {
  if (lost === 0 && late === 0) return [];
  const lostText = `${format.formatCount(lost)} lost`;
  const lateText = `${format.formatCount(late)} later than ${format.formatLatency(lateUs)}`;
  const what = [...(lost === 0 ? [] : [lostText]), ...(late === 0 ? [] : [lateText])];
  return [
    `of ${format.formatCount(planned)} deliveries to unaffected clients ${format.joinNames(what)}`,
    `longest silence ${formatMs(longestSilenceMs)}`,
  ];
}

/** Losing its connection is what a reset is about; a slow reader may be dropped, and a crash may take its client along. */
function tellFaultyClients({ fault, server, faulty, faultyClients }: FaultReport): string[] {
  if (server.exit !== null || (fault !== "slow-readers" && fault !== "crash")) return [];
  if (faulty.lost === 0) return ["faulty clients kept their connections"];
  const [lost, all] = [format.formatCount(faulty.lost), format.formatCount(faultyClients)];
  return [`server dropped ${lost} of ${all} faulty clients`];
}

function tellRecovery({ recoveredMs, reconnect, seconds }: FaultReport, isHarmed: boolean): string[] {
  const { wanted, opened, unserved, slowestMs } = reconnect;
  if (recoveredMs !== null && isHarmed) {
    return recoveredMs === 0 ? [] : [`recovered after ${formatMs(recoveredMs)}`];
  }
  if (recoveredMs !== null) {
    return wanted === 0 ? [] : [`all clients back within ${formatMs(slowestMs ?? 0)}`];
  }
  const away = format.formatCount(wanted - opened);
  if (opened < wanted) return [`${away} of ${format.formatCount(wanted)} clients did not come back`];
  if (unserved > 0) return [`${format.plural(unserved, "client")} came back and received nothing`];
  return [`not recovered within ${formatMs((seconds.under + seconds.after) * 1000)}`];
}

function tellMemory(report: FaultReport): string[] {
  const { rssBeforeBytes: before, rssPeakBytes: peak } = report;
  const state = memoryState(report);
  if (state === "steady" || state === null || before === null || peak === null) return [];
  const growth = `memory grew by ${format.formatBytes(peak - before)}`;
  return [state === "returned" ? `${growth} and was released` : `${growth} and was not released`];
}

/** Whether memory grew under a fault, and went back; null where that is unknown, or another process is the server now. */
export function memoryState(
  report: Pick<FaultReport, "rssBeforeBytes" | "rssPeakBytes" | "rssAfterBytes" | "server">,
): "steady" | "returned" | "grown" | null {
  const { rssBeforeBytes: before, rssPeakBytes: peak, rssAfterBytes: after, server } = report;
  if (before === null || peak === null || after === null || server.exit !== null) return null;
  const isGrown = (bytes: number) => bytes - before > Math.max(leastGrowthBytes, growthShare * before);
  return isGrown(after) ? "grown" : isGrown(peak) ? "returned" : "steady";
}

export function formatMs(ms: number | null): string {
  return format.formatLatency(ms === null ? null : ms * 1000);
}
