import { type Liveness, listOpen } from "../../engine/liveness.ts";
import { nextPhaseNumber } from "../../engine/phase-number.ts";
import type { WorkerPool } from "../../engine/worker-pool.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Ending } from "../../result/phase.ts";
import type { PhaseView } from "../events.ts";
import type { Generator } from "../generator.ts";
import type { RunTarget } from "../target.ts";
import type { ProgressBoard } from "./progress-board.ts";
import type { ServerWatch } from "./server-watch.ts";

/** A round under way: what every phase works with. Nothing of it changes but what its own objects keep. */
export interface RoundContext {
  readonly plan: Plan;
  readonly target: RunTarget;
  readonly pool: WorkerPool;
  readonly connections: OpenConnections;
  readonly board: ProgressBoard;
  readonly watch: ServerWatch;
  readonly framing: "single" | "newline";
  readonly generator: Generator;
  /** The share of the server's CPU time that is taken from it on purpose. */
  readonly handicapShare: number;
  /** Per worker. */
  readonly sourceAddresses: number;
  /** The machine's memory in use before the server and the workers began, in bytes; null where it does not say. */
  readonly usedBefore: number | null;
  /** Microseconds since the run's epoch. */
  readonly clockUs: () => number;
  readonly signal: AbortSignal;
  readonly onView: (view: PhaseView) => void;
}

/** The connections that a round has open, and the number of the load that they carry. */
export class OpenConnections {
  /** By index, in order. */
  alive: Uint32Array = new Uint32Array(0);
  #phase = 0;

  /** @param told per worker */
  update(told: readonly Liveness[]): void {
    this.alive = listOpen(told);
  }

  /** Of a load that is about to be ordered: every message carries it, so that a late one is told from its own. */
  nextPhase(): number {
    this.#phase = nextPhaseNumber(this.#phase);
    return this.#phase;
  }
}

export const ok: Ending = { status: "ok", reason: null };
export const stopped: Ending = { status: "aborted", reason: { kind: "stopped-by-user" } };

/** How a phase ends whose workers don't answer any more; null while all of them live. */
export function poolEnding({ failed }: WorkerPool): Ending | null {
  return failed === null ? null : { status: "invalid", reason: failed.reason };
}

/** How a phase ends whose server has; null while it lives, and where it is nobody's child. */
export function exitEnding({ process }: RunTarget, connections: number | null = null): Ending | null {
  const exit = process?.exit ?? null;
  return exit === null ? null : { status: "failed", reason: { kind: "server-exited", exit, connections } };
}

export function thresholdEnding(errors: number, { errorThreshold: allowed }: Plan): Ending | null {
  return errors > allowed
    ? { status: "aborted", reason: { kind: "too-many-errors", errors, allowed } }
    : null;
}

/** What has no answer, as `askAll`. */
export async function tellAll(pool: WorkerPool, command: Promise<void>): Promise<void> {
  await askAll(
    pool,
    command.then(() => []),
  );
}

/** One answer of every worker; none where one of them is gone (`poolEnding`). */
export async function askAll<T>(pool: WorkerPool, question: Promise<readonly T[]>): Promise<readonly T[]> {
  try {
    return await question;
  } catch (error) {
    if (pool.failed === null) throw error;
    return [];
  }
}

/** The sum of each of these figures. */
export function sumEach<Name extends string>(
  list: readonly Readonly<Record<Name, number>>[],
  names: readonly Name[],
): Record<Name, number> {
  const sums = names.map((name) => [name, sumOf(list, (one) => one[name])] as const);
  return Object.fromEntries(sums) as Record<Name, number>;
}

export function sumOf<T>(list: readonly T[], pick: (one: T) => number): number {
  return list.reduce((all, one) => all + pick(one), 0);
}
