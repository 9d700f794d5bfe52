import { unwatchFile, watchFile } from "node:fs";
import { isShowdownError } from "../../../errors.ts";
import { countRounds } from "../../../measures/sections.ts";
import { readResultFile } from "../../../result/read.ts";
import type { Result, Round } from "../../../result/schema.ts";
import type { RunEvent } from "../../../run/events.ts";
import { renderHtml } from "../../render/html.ts";
import { serveLive } from "./server.ts";
import { LiveState } from "./state.ts";

/** A run writes its result after every phase. */
const lookMs = 500;

/**
 * Serves the live page from a `result.json`, and follows the file while its run goes on: phase by phase, since that is
 * how it is written. The report as it would be now stands at `/report`.
 *
 * @param options `port` 0 picks a free one
 * @throws {ShowdownError} `usage` when the file cannot be read or is no result
 * @throws {ShowdownError} `portInUse` naming who listens on the port
 */
export async function serveReplay({ port, path }: { readonly port: number; readonly path: string }) {
  let { result } = readResultFile(path);
  let state = stateOf(result);
  const server = await serveLive(
    port,
    () => state,
    () => renderHtml(result),
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
  };
  watchFile(path, { interval: lookMs }, follow);
  return {
    url: server.url.href,
    stop: async () => {
      unwatchFile(path, follow);
      await server.stop(true);
    },
  };
}

/** What somebody would see who had watched the run so far. */
function stateOf(result: Result): LiveState {
  const state = new LiveState(result.plan, "/report");
  for (const event of listEvents(result)) state.note(event);
  if (result.status === "finished") state.ended = "The run has finished.";
  if (result.status === "aborted") state.ended = "The run was stopped before its end.";
  return state;
}

/** The events of a run as far as its result tells of them. */
function* listEvents(result: Result): Generator<RunEvent> {
  const { warnings, contenders, rounds, plan } = result;
  const most = countRounds(result);
  for (const warning of warnings) yield { kind: "warning", warning };
  for (const { name, variant, notRun } of contenders) {
    if (notRun !== null) yield { kind: "not-run", contender: name, variant, reason: notRun };
  }
  const entrants = contenders.filter(({ notRun }) => notRun === null).length;
  for (const round of rounds.toSorted((a, b) => a.position - b.position)) {
    yield* listRoundEvents(round, { phases: plan.phases, rounds: most }, entrants * most);
  }
}

function* listRoundEvents(
  round: Round,
  { phases, rounds }: Pick<Result["plan"], "phases" | "rounds">,
  positions: number,
): Generator<RunEvent> {
  const { contender, variant, position } = round;
  const place = { contender, variant, position };
  yield { kind: "round-started", ...place, round: round.round, rounds, positions };
  for (const [index, phase] of round.phases.entries()) {
    const { kind: phaseKind, workload } = phase;
    const count = phases.length;
    yield { kind: "phase-started", ...place, phaseKind, workload, index, count, expectedSeconds: null };
    yield { kind: "phase-ended", ...place, phase };
  }
  if (round.status !== "ok" || round.phases.length === phases.length) yield { kind: "round-ended", round };
}
