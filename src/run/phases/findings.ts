import type { Finding, Phase } from "../../result/schema.ts";

/** A pause of everyone's deliveries shorter than this is everyday life on a shared machine. */
export const stallMs = 250;

export interface Counts {
  readonly messages: NonNullable<Phase["messages"]>;
  readonly misrouted: number;
  readonly undeclaredBatches: number;
  readonly errorReplies: number;
  readonly firstErrorReply: string | null;
  readonly died: number;
  readonly diedByReason: Readonly<Record<string, number>>;
  readonly unsent: number;
  readonly longestSilenceMs: number;
  /** The longest pause of the generator itself: a silence not clearly longer is its own. */
  readonly generatorPauseMs: number;
}

/** What a phase found against the contract, one entry per kind; empty for a server that kept all of it. */
export function listFindings(counts: Counts): Finding[] {
  const findings: Finding[] = [];
  const add = (kind: string, count: number, text: string) => {
    if (count > 0) findings.push({ kind, count, text: text.replace("#", count.toLocaleString("en")) });
  };
  const { messages, longestSilenceMs } = counts;
  const declared = messages.declaredDropped;
  const undeclared = messages.lost - (declared ?? 0);
  const closes = Object.entries(counts.diedByReason)
    .map(([reason, count]) => `${count.toLocaleString("en")} × ${reason}`)
    .join(", ");

  if (declared === null) {
    findings.push({
      kind: "no-stats",
      count: 1,
      text: "/stats gave no answer: nothing can be called declared",
    });
  }
  add("lost", Math.max(0, undeclared), "# deliveries lost without being counted in /stats dropped");
  add(
    "dropped",
    Math.min(messages.lost, declared ?? 0),
    "# deliveries dropped, and declared as the contract asks",
  );
  add("overdeclared", Math.max(0, -undeclared), "# more deliveries declared as dropped than were missing");
  add("duplicated", messages.duplicated, "# deliveries came a second time");
  add("reordered", messages.reordered, "# deliveries came behind a later one of the same sender");
  add("corrupted", messages.corrupted, "# deliveries came with other bytes than were sent");
  add("malformed", messages.malformed, "# messages that are no ChaosChat message");
  add("misrouted", counts.misrouted, "# deliveries to a connection that they were not for");
  add("late", messages.late, "# deliveries came after their phase had ended and they were counted as lost");
  add(
    "undeclared-batching",
    counts.undeclaredBatches,
    "# frames held several messages; the manifest declares one",
  );
  add("error-replies", counts.errorReplies, `# error replies, the first: ${counts.firstErrorReply ?? ""}`);
  add("closed", counts.died, `# connections were closed in the phase: ${closes}`);
  add(
    "unsent",
    counts.unsent,
    "# messages could not be sent: their connection was closed or took no more bytes",
  );
  if (longestSilenceMs >= stallMs && longestSilenceMs > 2 * counts.generatorPauseMs) {
    const shown = Math.round(longestSilenceMs);
    findings.push({
      kind: "stall",
      count: 1,
      text: `all deliveries stopped for ${shown.toLocaleString("en")} ms`,
    });
  }
  return findings;
}
