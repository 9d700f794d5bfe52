import type { Target } from "../engine/target.ts";
import { readStats, type ServerStats } from "../process/counters.ts";
import type { ServerProcess } from "../process/server.ts";

/** What a server counts itself; see the contract's `/stats`. */
export interface Counters {
  /** Null where it does not answer in time, or not what the contract says. */
  read(timeoutMs?: number): Promise<ServerStats | null>;
}

/** What is measured: where it is, and what else is known of it. */
export interface RunTarget {
  readonly address: Target;
  /** Null where this program did not start it. */
  readonly process: ServerProcess | null;
  readonly counters: Counters | null;
}

export function statsCounters({ host, port }: Target): Counters {
  return { read: (timeoutMs) => readStats(host, port, timeoutMs) };
}
