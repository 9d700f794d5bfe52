/**
 * Every way the program can end, stable across versions: scripts may rely on the numbers.
 * `--help` and the docs print this table.
 */
export const exitCodes = {
  ok: { code: 0, meaning: "everything was done" },
  unexpected: { code: 1, meaning: "an error in the program itself; please report it" },
  usage: { code: 2, meaning: "an option, a value or a plan that is not possible" },
  unknownContender: { code: 3, meaning: "no contender or variant of that name" },
  manifest: { code: 4, meaning: "a contender.json is not valid" },
  build: { code: 5, meaning: "a contender could not be built" },
  contenderFailed: {
    code: 6,
    meaning:
      "a contender failed in the run (never ready, crashed, hung, or past the error threshold); the run is finished and written",
  },
  resultsFolder: { code: 7, meaning: "the results folder cannot be written; nothing was started" },
  writing: { code: 8, meaning: "the disk is full or writing failed during the run" },
  portInUse: { code: 9, meaning: "the port asked for is in use" },
  nothingToRun: { code: 10, meaning: "no contender could run: every toolchain is missing" },
  verifyFailed: { code: 11, meaning: "a contender does not keep the contract" },
  threshold: { code: 12, meaning: "a threshold given on the command line was not met" },
  calibration: {
    code: 13,
    meaning: "the calibration claimed a difference where there is none, or missed the one there is",
  },
  aborted: { code: 130, meaning: "stopped by Ctrl-C; what was measured is written" },
} as const satisfies Record<string, { code: number; meaning: string }>;

export type ExitReason = keyof typeof exitCodes;

export interface ErrorDetails {
  /** What the user can do about it: one sentence, with a command where there is one. */
  readonly hint?: string | undefined;
  readonly cause?: unknown;
}

/**
 * An error whose message is meant for the user. The message says what happened, with the value and what was
 * expected; whatever is not a `ShowdownError` is a fault of the program and exits with 1.
 */
export class ShowdownError extends Error {
  readonly exitCode: number;
  readonly hint: string | undefined;

  constructor(reason: ExitReason, message: string, details: ErrorDetails = {}) {
    super(message, details.cause === undefined ? undefined : { cause: details.cause });
    this.name = new.target.name;
    this.exitCode = exitCodes[reason].code;
    this.hint = details.hint;
  }
}

export class UsageError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("usage", message, details);
  }
}

export class UnknownContenderError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("unknownContender", message, details);
  }
}

export class ManifestError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("manifest", message, details);
  }
}

export class BuildError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("build", message, details);
  }
}

/** A server that never got ready, died or hung. `output` is the end of what it printed. */
export class ContenderFailedError extends ShowdownError {
  readonly kind: "never-ready" | "crashed" | "hung";
  readonly output: string;

  constructor(
    kind: ContenderFailedError["kind"],
    message: string,
    details: ErrorDetails & { readonly output: string },
  ) {
    super("contenderFailed", message, details);
    this.kind = kind;
    this.output = details.output;
  }
}

export class ResultsFolderError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("resultsFolder", message, details);
  }
}

export class WritingError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("writing", message, details);
  }
}

export class PortInUseError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("portInUse", message, details);
  }
}

export class NothingToRunError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("nothingToRun", message, details);
  }
}

export class VerifyFailedError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("verifyFailed", message, details);
  }
}

export class ThresholdError extends ShowdownError {
  constructor(message: string, details?: ErrorDetails) {
    super("threshold", message, details);
  }
}

export class AbortedError extends ShowdownError {
  constructor(message = "stopped before the end", details?: ErrorDetails) {
    super("aborted", message, details);
  }
}
