import { exitCodes } from "../errors.ts";
import type { Result, Round } from "../result/schema.ts";
import { isWorkerGone } from "../run/round-status.ts";

/** How a run ends that was written to its end: the gravest of what happened. */
export function runExitCode(
  { status, rounds, contenders, warnings }: Pick<Result, "status" | "rounds" | "contenders" | "warnings">,
  areThresholdsMet: boolean,
): number {
  if (warnings.some(({ kind }) => kind === "fleet-lost")) return exitCodes.fleet.code;
  if (status === "aborted") return exitCodes.aborted.code;
  const phases = rounds.flatMap((round) => round.phases).filter((phase) => phase.status !== "not-run");
  if (phases.length > 0 && phases.every((phase) => phase.status === "invalid")) {
    return exitCodes.allInvalid.code;
  }
  if (rounds.some(isContendersFailure)) return exitCodes.contenderFailed.code;
  if (contenders.some(({ notRun }) => notRun?.kind === "build-failed")) return exitCodes.build.code;
  if (!areThresholdsMet) return exitCodes.threshold.code;
  return contenders.some(({ verified }) => verified?.competes === false)
    ? exitCodes.verifyFailed.code
    : exitCodes.ok.code;
}

function isContendersFailure({ status, reason }: Round): boolean {
  return status !== "ok" && !isWorkerGone(reason);
}
