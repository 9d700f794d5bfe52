import { deserialize, serialize } from "node:v8";
import type {
  Command,
  ConnectProgress,
  PhaseProgress,
  Report,
  SecondReport,
} from "../../engine/worker-protocol.ts";
import type { CpuUsage } from "../../machine/cpu-usage.ts";
import type { Exit } from "../../result/reasons.ts";
import { pack, unpack } from "../packing.ts";

/** Which worker: each round has a pool of its own. */
export interface WorkerId {
  readonly pool: number;
  readonly worker: number;
}

/** For a map. */
export function keyOf({ pool, worker }: WorkerId): string {
  return `${pool}/${worker}`;
}

/** What is done to a worker, and what it is told. */
export interface Order extends WorkerId {
  readonly order: Command | { readonly kind: "open-link" } | { readonly kind: "end-link" };
}

/** What a worker said that counts, or that its process is gone. */
export interface Said extends WorkerId {
  readonly said:
    | Exclude<Report, { kind: "progress" | "connecting" }>
    | { readonly kind: "exit"; readonly exit: Exit };
  /** Of `settled`: its seconds that were not acknowledged before, the first of which has this number. */
  readonly from: number;
}

/** Reports that belong together, kept until they are acknowledged. */
export interface Bundle {
  readonly reports: readonly Said[];
  /** Of a load that has ended: what became of the machine's CPUs, and the agent's own part. */
  readonly usage: (CpuUsage & { readonly ownMs: number }) | null;
}

/** How a worker is at the moment. Sums, but for the seconds: those that were not acknowledged. */
export interface Live extends WorkerId {
  readonly connect: ConnectProgress | null;
  readonly phase: Omit<PhaseProgress, "seconds"> | null;
  readonly from: number;
  readonly seconds: readonly SecondReport[];
}

/**
 * By the structured clone of the runtime, since what is said has typed arrays and infinities: everybody on the bus is of
 * one version, and whoever reaches it may command its agents anyway.
 */
export function packWork(work: readonly Order[] | Bundle | readonly Live[]): [string, ...string[]] {
  return pack(new Uint8Array(serialize(work)));
}

export function unpackWork<T extends readonly Order[] | Bundle | readonly Live[]>(
  parts: readonly string[],
): T {
  return deserialize(unpack(parts)) as T;
}
