import type { ResolvedEntrant } from "../contenders/entrants.ts";
import { nowUs } from "../machine/clock.ts";
import { balancedOrder } from "../plan/order.ts";
import type { Plan } from "../plan/plan.ts";
import { startReaper } from "../process/reaper.ts";
import type { ResultFile } from "../result/file.ts";
import type { Environment, Result, Round } from "../result/schema.ts";
import type { RunEvent } from "./events.ts";
import { runRound } from "./round.ts";

export interface ShowdownOptions {
  readonly plan: Plan;
  /** Those that can run, in the plan's words. */
  readonly entrants: readonly ResolvedEntrant[];
  readonly environment: Environment;
  /** What the result file holds before the first round. */
  readonly initial: Result;
  readonly file: ResultFile;
  /** The share of its processors that is taken from an entrant's server (calibrate.ts); 0 without. */
  readonly handicapOf?: (entrant: ResolvedEntrant) => number;
  readonly signal: AbortSignal;
  readonly onEvent: (event: RunEvent) => void;
}

/** Runs every entrant in every round, in a balanced order, and keeps the result file true after each phase. */
export async function runShowdown(options: ShowdownOptions): Promise<Result> {
  const { plan, entrants, environment, file, signal, onEvent } = options;
  let result = options.initial;
  const order = balancedOrder(entrants, plan.rounds, plan.seed).flatMap((round, index) =>
    round.map((entrant) => ({ entrant, round: index + 1 })),
  );
  const reaper = startReaper();
  const noteEvent = (event: RunEvent) => {
    if (event.kind === "warning" && !result.warnings.some(({ text }) => text === event.text)) {
      result = { ...result, warnings: [...result.warnings, { kind: "run", text: event.text }] };
    }
    onEvent(event);
  };
  const keep = async (rounds: readonly Round[]) => {
    result = { ...result, rounds: [...rounds] };
    await file.write(result);
  };
  try {
    const epochUs = Math.floor(nowUs());
    for (const [index, { entrant, round }] of order.entries()) {
      if (signal.aborted) break;
      const { contender, variant } = entrant;
      const position = index + 1;
      noteEvent({
        kind: "round-started",
        contender,
        variant,
        round,
        rounds: plan.rounds,
        position,
        positions: order.length,
      });
      const before = result.rounds;
      const finished = await runRound({
        plan,
        entrant,
        round,
        position,
        environment,
        epochUs,
        reaper,
        signal,
        onEvent: noteEvent,
        ceilings: result.ceilings,
        handicapShare: options.handicapOf?.(entrant) ?? 0,
        onPhase: (unfinished) => keep([...before, unfinished]),
      });
      await keep([...before, finished]);
      noteEvent({ kind: "round-ended", round: finished });
    }
  } catch (error) {
    // The file must not say for ever that the run goes on. If even that can't be written, the first error counts.
    const text = error instanceof Error ? error.message : String(error);
    const warnings = [...result.warnings, { kind: "ended", text: `the run was ended by: ${text}` }];
    await file
      .write({ ...result, status: "aborted", finishedAt: new Date().toISOString(), warnings })
      .catch(() => {});
    throw error;
  } finally {
    await reaper.stop();
  }
  result = {
    ...result,
    status: signal.aborted ? "aborted" : "finished",
    finishedAt: new Date().toISOString(),
  };
  await file.write(result);
  return result;
}
