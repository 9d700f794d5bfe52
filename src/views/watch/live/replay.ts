import { unwatchFile, watchFile } from "node:fs";
import { isShowdownError } from "../../../errors.ts";
import { readResultFile } from "../../../result/read.ts";
import type { Result, Round } from "../../../result/schema.ts";
import type { RunEvent } from "../../../run/events.ts";
import { renderHtml } from "../../render/html.ts";
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
 * @throws {ShowdownError} `usage` when the file cannot be read or is no result
 * @throws {ShowdownError} `portInUse` naming who listens on the port
 */
export async function serveReplay({ port, path }: ReplayOptions): Promise<Replay> {
  let { result } = readResultFile(path);
  let state = stateOf(result);
  const broadcast = new Broadcast(() => viewOf(state));
  const page = await renderLivePage();
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
      // Gone or damaged since: what was read before stays, and the next look may find it whole.
      if (!isShowdownError(error)) throw error;
      if (!state.warnings.includes(error.message)) state.warnings.push(error.message);
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
function listEvents({ warnings, contenders, rounds, plan }: Result): RunEvent[] {
  const entrants = contenders.filter(({ notRun }) => notRun === null).length;
  return [
    ...warnings.map((warning): RunEvent => ({ kind: "warning", warning })),
    ...contenders.flatMap(({ name, variant, notRun }): RunEvent[] =>
      notRun === null ? [] : [{ kind: "not-run", contender: name, variant, reason: notRun }],
    ),
    ...[...rounds]
      .sort((a, b) => a.position - b.position)
      .flatMap((round) => listRoundEvents(round, plan, entrants * plan.rounds)),
  ];
}

function listRoundEvents(round: Round, { phases, rounds }: Result["plan"], positions: number): RunEvent[] {
  const { contender, variant, position } = round;
  const isDone = round.status !== "ok" || round.phases.length === phases.length;
  return [
    { kind: "round-started", contender, variant, round: round.round, rounds, position, positions },
    ...round.phases.flatMap((phase, index): RunEvent[] => [
      {
        kind: "phase-started",
        phaseKind: phase.kind,
        workload: phase.workload,
        index,
        count: phases.length,
        expectedSeconds: null,
      },
      { kind: "phase-ended", phase },
    ]),
    ...(isDone ? [{ kind: "round-ended", round } as const] : []),
  ];
}
