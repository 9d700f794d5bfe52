/**
 * Every way the program can end. Scripts may rely on the numbers: they are stable across versions.
 * `--help` and the docs print this table.
 */
export const exitCodes = {
  ok: { code: 0, meaning: "everything was done" },
  unexpected: { code: 1, meaning: "a bug in showdown; please report it" },
  usage: { code: 2, meaning: "an option or its value is wrong, or the plan cannot be carried out" },
  unknownContender: { code: 3, meaning: "no contender or variant has that name" },
  manifest: { code: 4, meaning: "a contender.json is invalid" },
  build: { code: 5, meaning: "a contender could not be built" },
  contenderFailed: {
    code: 6,
    meaning:
      "a contender failed (not ready, crashed, hung or too many errors); the run is finished and written",
  },
  resultsFolder: { code: 7, meaning: "the results folder cannot be written; nothing was started" },
  writing: { code: 8, meaning: "writing failed, for instance on a full disk" },
  portInUse: { code: 9, meaning: "the requested port is in use" },
  nothingToRun: { code: 10, meaning: "no contender could run: their toolchains are missing" },
  verifyFailed: { code: 11, meaning: "a contender breaks the contract" },
  threshold: { code: 12, meaning: "a --threshold or --fail-on was not met" },
  calibration: {
    code: 13,
    meaning: "the calibration found a difference between identical servers, or missed the real one",
  },
  allInvalid: {
    code: 14,
    meaning: "every phase was invalid: nothing was measured; the run is written",
  },
  attackFailed: {
    code: 15,
    meaning:
      "attack: no connection opened, the server closed them all, no iteration of a scenario finished, --abort-on came true, or --before failed",
  },
  fleet: {
    code: 16,
    meaning:
      "fleet: the bus cannot be reached, or agents are missing, and nothing was loaded; or a run lost one, and ended",
  },
  partial: {
    code: 17,
    meaning:
      "attack: parts of it are missing, and the figures are those of the others; no threshold is judged",
  },
  aborted: { code: 130, meaning: "stopped by Ctrl-C; what was measured is written" },
  pipeClosed: { code: 141, meaning: "the reader of the output went away, as in: showdown list | head -1" },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type ExitReason = keyof typeof exitCodes;

export interface ErrorDetails {
  /** What the user can do about it: one sentence, with a command where there is one. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
  /** The end of what a failed program printed. */
  readonly output?: string | undefined;
}

/**
 * An error whose message is meant for the user. The message says what happened, with the value and what was expected.
 * Anything else that is thrown is a fault of the program and exits with 1.
 */
export class ShowdownError extends Error {
  override readonly name = "ShowdownError";
  readonly reason: ExitReason;
  readonly hint: string | undefined;
  readonly output: string | undefined;

  constructor(reason: ExitReason, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.reason = reason;
    this.hint = details.hint;
    this.output = details.output;
  }

  get exitCode(): number {
    return exitCodes[this.reason].code;
  }
}

/** Whether it is an error meant for the user, and of this reason where one is given. */
export function isShowdownError(error: unknown, reason?: ExitReason): error is ShowdownError {
  return error instanceof ShowdownError && (reason === undefined || error.reason === reason);
}
