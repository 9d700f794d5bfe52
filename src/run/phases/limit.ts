import type { ConnectionFailure, Failures, Limit } from "../../result/reasons.ts";

export interface LimitEvidence {
  readonly requested: number;
  readonly opened: number;
  /** Most frequent first. */
  readonly failures: Failures;
  readonly serverDescriptors: { readonly open: number | null; readonly limit: number | null };
  readonly generatorDescriptorLimit: number | null;
  readonly workers: number;
  readonly portRange: readonly [number, number] | null;
  readonly sourceAddresses: number;
  /** Growth while the connections were opened. */
  readonly listenOverflows: number | null;
  readonly acceptQueueLimit: number | null;
  readonly freeMemoryShare: number | null;
}

/** At the limit a careful server keeps a few back, to answer with 503 instead of not at all. */
const usedUpShare = 0.99;
const leastFreeMemoryShare = 0.03;

/** What kept connections from being opened; null when all of them were. The surest evidence first. */
export function nameLimit(evidence: LimitEvidence): Limit | null {
  const { requested, opened, failures, workers, listenOverflows, freeMemoryShare } = evidence;
  if (opened >= requested) return null;
  const find = (matches: (failure: ConnectionFailure) => boolean) =>
    failures.find(({ failure }) => matches(failure))?.failure;

  if (find(({ kind }) => kind === "generator-descriptors") !== undefined) {
    return { kind: "generator-descriptors", perProcess: evidence.generatorDescriptorLimit, workers };
  }
  const { open, limit } = evidence.serverDescriptors;
  if (open !== null && limit !== null && open >= limit * usedUpShare) {
    return { kind: "server-descriptors", perProcess: limit, inUse: open };
  }
  if (find(isOutOfPorts) !== undefined) {
    const { portRange, sourceAddresses } = evidence;
    const ports = portRange === null ? null : portRange[1] - portRange[0] + 1;
    return { kind: "port-range", ports, sourceAddresses };
  }
  if (freeMemoryShare !== null && freeMemoryShare < leastFreeMemoryShare) {
    return { kind: "memory", freeShare: Math.round(freeMemoryShare * 1000) / 1000 };
  }
  const refusal = find(isRefusal);
  if (refusal !== undefined) return { kind: "refused", failure: refusal };
  if (listenOverflows !== null && listenOverflows > 0) {
    return { kind: "accept-queue", length: evidence.acceptQueueLimit, overflows: listenOverflows };
  }
  return { kind: "unresponsive", failure: find(({ kind }) => kind !== "not-attempted") ?? null };
}

function isOutOfPorts(failure: ConnectionFailure): boolean {
  return failure.kind === "system" && ["EADDRNOTAVAIL", "EADDRINUSE"].includes(failure.code);
}

function isRefusal(failure: ConnectionFailure): boolean {
  return failure.kind === "http" || (failure.kind === "system" && failure.code === "ECONNREFUSED");
}
