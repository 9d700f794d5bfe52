import type { Messages } from "../../result/phase.ts";
import type { Failures, Finding } from "../../result/reasons.ts";
import { sumEach } from "./context.ts";
import type { CounterGrowth } from "./server-counters.ts";

/** A pause of everyone's deliveries shorter than this is everyday life on a shared machine. */
export const stallMs = 250;

export interface Counts {
  readonly messages: Messages;
  readonly undeclaredBatches: number;
  readonly errorReplies: number;
  readonly firstErrorReply: string | null;
  readonly died: number;
  readonly deaths: Failures;
  readonly longestSilenceMs: number;
  /** The longest pause of the generator itself: a silence not clearly longer is its own. */
  readonly generatorPauseMs: number;
  /** Null where the server has no counters by contract. */
  readonly counters: CounterGrowth | null;
}

type CountedKind = Exclude<
  Finding["kind"],
  "closed" | "error-replies" | "stall" | "no-counters" | "counter-decreased" | "limit"
>;

/** Kinds of arrivals that a server answers for, whatever else goes on. */
export const brokenArrivals = [
  "duplicated",
  "reordered",
  "corrupted",
  "binary",
  "malformed",
  "misrouted",
] as const;

/** One finding for each kind that was counted at all. */
export function listCounted(counts: Partial<Readonly<Record<CountedKind, number>>>): Finding[] {
  return Object.entries(counts)
    .filter(([, count]) => count > 0)
    .map(([kind, count]) => ({ kind: kind as CountedKind, count }));
}

/** What a phase found against the contract, one entry per kind; empty for a server that kept all of it. */
export function listFindings(counts: Counts): Finding[] {
  const { messages, counters, died, deaths, errorReplies, firstErrorReply, longestSilenceMs } = counts;
  const declared = messages.declaredDropped ?? 0;
  const undeclared = messages.lost - declared;
  const isStall = longestSilenceMs >= stallMs && longestSilenceMs > 2 * counts.generatorPauseMs;
  return [
    ...listCounterFindings(counters),
    ...listCounted({
      lost: Math.max(0, undeclared),
      dropped: Math.min(messages.lost, declared),
      overdeclared: Math.max(0, -undeclared),
      ...sumEach([messages], [...brokenArrivals, "late"]),
      "undeclared-batching": counts.undeclaredBatches,
    }),
    ...(errorReplies > 0
      ? [{ kind: "error-replies" as const, count: errorReplies, first: firstErrorReply ?? "" }]
      : []),
    ...(died > 0 ? [{ kind: "closed" as const, count: died, failures: deaths }] : []),
    ...listCounted({ unsent: messages.unsent }),
    ...(isStall ? [{ kind: "stall" as const, count: 1, silenceMs: Math.round(longestSilenceMs) }] : []),
  ];
}

function listCounterFindings(growth: CounterGrowth | null): Finding[] {
  if (growth === null) return [];
  if (growth.kind === "unanswered") return [{ kind: "no-counters", count: 1 }];
  if (growth.kind === "known") return [];
  const { counter, from, to } = growth;
  return [{ kind: "counter-decreased", count: 1, counter, from, to }];
}
