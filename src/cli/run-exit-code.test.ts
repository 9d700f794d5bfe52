import { expect, test } from "bun:test";
import { fixtureResult } from "../../test/support/fixture-result.ts";
import { exitCodes } from "../errors.ts";
import type { Reason } from "../result/reasons.ts";
import type { Round } from "../result/schema.ts";
import { runExitCode } from "./run-exit-code.ts";

const result = fixtureResult();
const late: Reason = { kind: "generator-late", sendLagP99Us: 9000, allowedUs: 1000 };
const killed: Reason = { kind: "worker-exited", worker: 0, exit: { code: null, signal: "SIGKILL" } };

/** Every phase of every round invalid, but for so many of the first round. */
function withInvalid(valid: number): readonly Round[] {
  return result.rounds.map((round, at) => ({
    ...round,
    phases: round.phases.map((phase, index) =>
      phase.status === "not-run" || (at === 0 && index < valid)
        ? phase
        : { ...phase, status: "invalid", reason: late },
    ),
  }));
}

test("a run of which no phase counts has an exit code of its own", () => {
  expect(runExitCode({ ...result, rounds: [...withInvalid(0)] }, true)).toBe(exitCodes.allInvalid.code);
  expect(runExitCode({ ...result, rounds: [...withInvalid(1)] }, true)).toBe(exitCodes.ok.code);
  expect(runExitCode({ ...result, rounds: [] }, true)).toBe(exitCodes.ok.code);
});

test("a worker that ended is no failure of a contender, and a server that did is one", () => {
  const [round, ...others] = result.rounds as [Round, ...Round[]];
  const ended = (reason: Reason): Round[] => [
    { ...round, status: "aborted", reason, reasonPhase: 0 },
    ...others,
  ];
  expect(runExitCode({ ...result, rounds: ended(killed) }, true)).toBe(exitCodes.ok.code);
  const reason: Reason = { kind: "too-many-errors", errors: 9, allowed: 1 };
  expect(runExitCode({ ...result, rounds: ended(reason) }, true)).toBe(exitCodes.contenderFailed.code);
});

test("a threshold counts where nothing graver happened", () => {
  expect(runExitCode(result, false)).toBe(exitCodes.threshold.code);
  expect(runExitCode({ ...result, status: "aborted" }, false)).toBe(exitCodes.aborted.code);
});
