import { isSliced } from "../../plan/phases.ts";
import type { Round } from "../../result/schema.ts";
import { LiveRound, type RoundOptions } from "../live-round.ts";
import { runSlicedPhase, type SliceWork } from "./sliced-phase.ts";

/** Hears when a contender's round begins and ends. */
export interface RoundListener {
  readonly onStart: (round: RoundOptions) => void;
  readonly onEnd: (round: Round) => Promise<void>;
}

export interface TogetherOptions extends RoundListener {
  readonly work: SliceWork;
}

/**
 * One round of every contender, in their order, alive together on the server's CPUs. Each is started and connected
 * while nobody has load; then they take turns in slices; then each has the load to itself for what takes long. Leaves
 * no process.
 */
export async function runTogether(
  rounds: readonly RoundOptions[],
  { work, onStart, onEnd }: TogetherOptions,
): Promise<void> {
  const lives: LiveRound[] = [];
  const [{ plan, signal } = { plan: null, signal: null }] = rounds;
  if (plan === null) return;
  try {
    for (const options of rounds) {
      if (signal.aborted) return;
      onStart(options);
      const live = await LiveRound.open(options);
      const others = [...lives];
      lives.push(live);
      await runAlone(live, 0, others);
    }
    for (const [index, { kind, workload }] of plan.phases.entries()) {
      if (index === 0) continue;
      if (isSliced(kind) && workload !== undefined) {
        await runSlicedPhase(lives, index, { kind, workload }, work);
      } else {
        for (const live of lives) {
          const others = lives.filter((other) => other !== live);
          await runAlone(live, index, others);
        }
      }
    }
  } finally {
    // Some take a second to stop; nobody has load any more.
    await Promise.all(lives.map((live) => live.close()));
    for (const { round } of lives) await onEnd(round);
  }
}

/** A server that has failed may not rest, and its neighbours have no use for it. */
async function runAlone(live: LiveRound, index: number, others: readonly LiveRound[]): Promise<void> {
  await live.runPhase(index, others);
  if (live.round.status === "failed") await live.close();
}
