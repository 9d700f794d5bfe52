import { unwatchFile, watchFile } from "node:fs";
import { readResultFile } from "../../../result/read.ts";
import type { Result, Round } from "../../../result/schema.ts";
import type { RunEvent } from "../../../run/events.ts";
import { renderHtml } from "../../report/html/render.ts";
import { Broadcast } from "./broadcast.ts";
import { renderLivePage } from "./page.ts";
import { serve } from "./server.ts";
import { LiveState } from "./state.ts";
import { viewOf } from "./view.ts";

/** A run writes its result after every phase. */
const lookMs = 500;

export interface ReplayOptions {
  /** 0 picks a free one. */
  readonly port: number;
  /** Of a `result.json`, finished or being written by a run of another process. */
  readonly path: string;
}

export interface Replay {
  readonly url: string;
  stop(): Promise<void>;
}

/**
 * Serves the live page from a result file, and follows the file while its run goes on: phase by phase, since that is
 * how it is written. The report as it would be now stands at `/report`.
 *
 * @throws UsageError when the file cannot be read or is no result
 * @throws PortInUseError naming who listens on the port
 */
export async function serveReplay({ port, path }: ReplayOptions): Promise<Replay> {
  let { result } = readResultFile(path);
  let state = stateOf(result);
  const broadcast = new Broadcast(() => viewOf(state));
  const page = await renderLivePage(result.plan);
  const server = serve(
    port,
    (pathname) => (pathname === "/" ? page : pathname === "/report" ? renderHtml(result) : null),
    broadcast,
  );
  const follow = () => {
    try {
      ({ result } = readResultFile(path));
      state = stateOf(result);
    } catch (error) {
      // Gone or damaged since: what was read before stays.
      state.note({ kind: "warning", text: error instanceof Error ? error.message : String(error) });
    }
    broadcast.noteChange();
  };
  watchFile(path, { interval: lookMs }, follow);
  return {
    url: server.url.href,
    stop: async () => {
      unwatchFile(path, follow);
      broadcast.end();
      await server.stop(true);
    },
  };
}

/** What somebody would see who had watched the run so far. */
export function stateOf(result: Result): LiveState {
  const state = new LiveState(result.plan, { report: "/report" });
  for (const event of listEvents(result)) state.note(event);
  if (result.status === "finished") state.ended = "The run has finished.";
  if (result.status === "aborted") state.ended = "The run was stopped before its end.";
  return state;
}

/** The events of a run as far as its result tells of them. */
function listEvents(result: Result): RunEvent[] {
  const rounds = [...result.rounds].sort((a, b) => a.position - b.position);
  return [
    ...result.warnings.map(({ text }): RunEvent => ({ kind: "warning", text })),
    ...rounds.flatMap((round) => listRoundEvents(round, result)),
  ];
}

function listRoundEvents(round: Round, { plan, contenders }: Result): RunEvent[] {
  const { contender, variant, position } = round;
  const entrants = contenders.filter(({ notRun }) => notRun === null).length;
  const isDone = round.status !== "ok" || round.phases.length === plan.phases.length;
  return [
    {
      kind: "round-started",
      contender,
      variant,
      round: round.round,
      rounds: plan.rounds,
      position,
      positions: entrants * plan.rounds,
    },
    ...round.phases.flatMap((phase, index): RunEvent[] => [
      {
        kind: "phase-started",
        phaseKind: phase.kind,
        workload: phase.workload,
        index,
        count: plan.phases.length,
        expectedSeconds: null,
      },
      { kind: "phase-ended", phase },
    ]),
    ...(isDone ? [{ kind: "round-ended", round } as const] : []),
  ];
}
