import type { Finding } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { describeFailures, describeLimit } from "./failure-text.ts";
import { quote, type Texts, tell } from "./tell.ts";

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
  if (finding.kind in counted) return `${count} ${counted[finding.kind as keyof typeof counted]}`;
  return tell(ownTexts, finding as OwnFinding);
}

type OwnFinding = Exclude<Finding, { kind: keyof typeof counted }>;

const ownTexts: Texts<OwnFinding> = {
  closed: ({ count, failures }) => {
    const why = failures.length === 0 ? "" : `: ${describeFailures(failures)}`;
    return `${format.plural(count, "connection")} closed during the phase${why}`;
  },
  "error-replies": ({ count, first }) =>
    `${format.formatCount(count)} error replies, the first: ${quote(first, 120)}`,
  stall: ({ silenceMs }) => `all deliveries stopped for ${format.formatDuration(silenceMs)}`,
  "no-counters": () => "/stats did not answer, so no loss counts as declared",
  "counter-decreased": ({ counter, from, to }) =>
    `/stats counter "${quote(counter, 60)}" went back from ${format.formatCount(from)} to ${format.formatCount(to)}`,
  limit: ({ count, limit }) => `${format.plural(count, "connection")} did not open: ${describeLimit(limit)}`,
};

/** Within the contract: a limit of the machine, a declared drop. */
export function isBlameless({ kind }: Finding): boolean {
  return kind === "limit" || kind === "dropped" || kind === "no-counters";
}
