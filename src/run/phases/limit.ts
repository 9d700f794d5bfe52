import type { Limit } from "../../result/schema.ts";

export interface LimitEvidence {
  readonly requested: number;
  readonly opened: number;
  readonly failedByReason: Readonly<Record<string, number>>;
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

/** What kept connections from being opened, by name and number; null when all of them were. The surest evidence first. */
export function nameLimit(evidence: LimitEvidence): Limit | null {
  const { requested, opened, failedByReason } = evidence;
  if (opened >= requested) return null;
  const reached = `${format(opened)} of ${format(requested)} connections opened`;
  const has = (pattern: RegExp) => Object.keys(failedByReason).some((reason) => pattern.test(reason));

  if (has(/^generator-descriptors$/)) {
    const { generatorDescriptorLimit: value, workers } = evidence;
    return {
      name: "generator-descriptors",
      value,
      text: `${reached}: the generator's descriptor limit (RLIMIT_NOFILE ${format(value)} per process, ${workers} workers)`,
    };
  }
  const { open, limit } = evidence.serverDescriptors;
  if (open !== null && limit !== null && open >= limit * usedUpShare) {
    return {
      name: "server-descriptors",
      value: limit,
      text: `${reached}: the server's descriptor limit (RLIMIT_NOFILE ${format(limit)} per process, ${format(open)} in use)`,
    };
  }
  if (has(/EADDRNOTAVAIL|EADDRINUSE/)) {
    const { portRange, sourceAddresses } = evidence;
    const ports = portRange === null ? null : portRange[1] - portRange[0] + 1;
    return {
      name: "port-range",
      value: ports,
      text: `${reached}: the generator's port range (${format(ports)} ports for each of ${sourceAddresses} source addresses)`,
    };
  }
  if (evidence.freeMemoryShare !== null && evidence.freeMemoryShare < leastFreeMemoryShare) {
    const percent = Math.round(evidence.freeMemoryShare * 100);
    return { name: "memory", value: percent, text: `${reached}: the machine's memory (${percent} % left)` };
  }
  if (has(/HTTP \d+|ECONNREFUSED|refused/)) {
    const [reason = "refused"] = Object.entries(failedByReason).sort((a, b) => b[1] - a[1])[0] ?? [];
    return { name: "refused", value: null, text: `${reached}: the server refused the rest (${reason})` };
  }
  if (evidence.listenOverflows !== null && evidence.listenOverflows > 0) {
    const { acceptQueueLimit: value, listenOverflows } = evidence;
    return {
      name: "backlog",
      value,
      text: `${reached}: the accept queue (at most ${format(value)} by net.core.somaxconn) overflowed ${format(listenOverflows)} times`,
    };
  }
  const [reason = "unknown"] = Object.entries(failedByReason).sort((a, b) => b[1] - a[1])[0] ?? [];
  return { name: "unresponsive", value: null, text: `${reached}: no limit was hit, but ${reason}` };
}

function format(value: number | null): string {
  return value === null ? "unknown" : value.toLocaleString("en");
}
