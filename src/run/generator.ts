import { openProcessLink } from "../engine/process-link.ts";
import type { OpenLink } from "../engine/worker-link.ts";
import { type CpuUsage, watchCpuUsage } from "../machine/cpu-usage.ts";
import type { Plan } from "../plan/plan.ts";
import type { InvalidReason } from "../result/reasons.ts";
import type { RunFleet } from "../result/schema.ts";

type ClockEstimate = NonNullable<RunFleet["agents"][number]["clock"]>;

/** Where the workers of a run are, and what only that place knows. */
export interface Generator {
  /** The address at which its workers reach the servers of this machine. */
  readonly serverHost: string;
  /** For the workers of one round. */
  openLinks(): OpenLink;
  /** Time for a start that everyone has to keep to reach every worker, in milliseconds. */
  readonly leadMs: number;
  /** Watches the workers' CPUs where they are of this machine; what ends it says null where they are not, or unknown. */
  watchCpus(plan: Pick<Plan, "workerCpus">): () => CpuUsage | null;
  /** Null where this machine alone makes the load. */
  readonly fleet: GeneratorFleet | null;
}

/** Machines that make the load of a run together. */
export interface GeneratorFleet {
  /** As it is shown. */
  readonly bus: string;
  /** In their order; worker w of a run is of agent w modulo their count. */
  readonly agents: readonly GeneratorAgent[];
  /** Why one of them is out, for good; null while all are there. */
  readonly loss: InvalidReason | null;
  /** How far the clocks of any two may be apart, in microseconds, as far as is known. */
  readonly clockErrorUs: number;
  /** Asks all their clocks once more. */
  readClocks(): Promise<void>;
}

export interface GeneratorAgent {
  /** Of its process. */
  readonly id: string;
  readonly name: string;
  readonly cpuCount: number;
  /** Its clock against this machine's; null where it could not be asked. */
  readonly clock: ClockEstimate | null;
  /**
   * What became of its machine's CPU time in the load before, and its own part of it beside its workers; null where it is
   * this machine, or does not tell.
   */
  readonly usage: (CpuUsage & { readonly ownMs: number }) | null;
}

/** The workers are children of this process. */
export const thisMachine: Generator = {
  serverHost: "127.0.0.1",
  openLinks: () => openProcessLink,
  leadMs: 0,
  watchCpus: ({ workerCpus }) => watchCpuUsage(workerCpus),
  fleet: null,
};
