import type { Finding } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import { describeFailures, describeLimit } from "./failure-text.ts";

const counted = {
  lost: "deliveries lost without being declared in /stats",
  dropped: "deliveries dropped and declared, as the contract allows",
  overdeclared: "more deliveries declared as dropped than were missing",
  duplicated: "deliveries came twice",
  reordered: "deliveries came out of order",
  corrupted: "arrivals had other bytes than were sent",
  binary: "deliveries came in binary frames; the contract says text",
  malformed: "arrivals were no ChaosChat message",
  misrouted: "deliveries came to a connection they were not for",
  late: "deliveries came after their phase had ended",
  "undeclared-batching": "frames held several messages; the manifest declares one",
  unsent: "messages could not be sent: the connection was closed or took no more bytes",
  "lost-before-fault": "deliveries to unaffected clients lost before the fault",
} as const;

/** What a phase found against the contract, without the contender's name: `37 deliveries came twice`. */
export function describeFinding(finding: Finding): string {
  const count = format.formatCount(finding.count);
  switch (finding.kind) {
    case "closed": {
      const why = finding.failures.length === 0 ? "" : `: ${describeFailures(finding.failures)}`;
      return `${format.plural(finding.count, "connection")} closed during the phase${why}`;
    }
    case "error-replies":
      return `${count} error replies, the first: ${printable(finding.first, { most: 120 })}`;
    case "stall":
      return `all deliveries stopped for ${format.formatDuration(finding.silenceMs)}`;
    case "no-counters":
      return "/stats did not answer, so no loss counts as declared";
    case "counter-decreased":
      return `/stats counter "${printable(finding.counter, { most: 60 })}" went back from ${format.formatCount(finding.from)} to ${format.formatCount(finding.to)}`;
    case "limit":
      return `${format.plural(finding.count, "connection")} did not open: ${describeLimit(finding.limit)}`;
    default:
      return `${count} ${counted[finding.kind]}`;
  }
}

/** Within the contract: a limit of the machine, a declared drop. */
export function isBlameless({ kind }: Finding): boolean {
  return kind === "limit" || kind === "dropped" || kind === "no-counters";
}
