import { type Arrival, describe } from "./arrival.ts";
import type { ResponseHead, Target } from "./http.ts";
import type { RawConnection } from "./raw-connection.ts";

/**
 * `required`: failing it breaks interoperability or the audit, so the contender does not compete.
 * `strict`: what the RFC and the contract say in detail; a failure stands beside the contender's numbers.
 */
export type Grade = "required" | "strict";

export type Framing = "single" | "newline";

/** One rule that a server has to keep. */
export interface Check {
  /** `topic.name`, stable. */
  readonly id: string;
  /** RFC section or contract clause. */
  readonly reference: string;
  readonly grade: Grade;
  /** In one sentence. */
  readonly rule: string;
  /** What to do when it fails. */
  readonly nextStep: string;
  /** Runs with no other check beside it: it counts, or it ends the server. */
  readonly alone?: true;
  /** Takes minutes, so it runs only when asked for. */
  readonly slow?: true;
  /** Returns when the rule is kept; throws BrokenRule or Skipped. */
  run(context: CheckContext): Promise<void>;
}

/** Instead of `run`, a check may have a `talk`: on one connection, opened for it. */
type CheckBody = Pick<Check, "rule" | "nextStep" | "alone" | "slow"> &
  (Pick<Check, "run"> | { talk(connection: RawConnection, context: CheckContext): Promise<void> });

function create(grade: Grade, id: string, reference: string, body: CheckBody): Check {
  const run =
    "run" in body ? body.run : async (context: CheckContext) => body.talk(await context.open(), context);
  return { ...body, id, reference, grade, run };
}

export const required = (id: string, reference: string, body: CheckBody): Check =>
  create("required", id, reference, body);
export const strict = (id: string, reference: string, body: CheckBody): Check =>
  create("strict", id, reference, body);

/** The server's process, where whoever runs the checks owns it. */
export interface ProcessControl {
  /** Sends SIGTERM and resolves on exit with the milliseconds it took. May stay pending for a server that ignores it. */
  terminate(): Promise<{ readonly exitMs: number }>;
  /**
   * Ends what is left of the server and starts it again on the same address, so that one death does not hide the
   * other checks' results. Resolves when it listens.
   */
  restart?(): Promise<void>;
}

/** How checks are run. Times in ms. */
export interface CheckSettings {
  /** What the manifest declares. Default `single`. */
  readonly framing: Framing;
  /** The process checks end it. */
  readonly process: ProcessControl | undefined;
  /** The longest wait for something that must come. Default 5,000. */
  readonly waitMs: number;
  /** How long to look out for something that must not come, after a barrier has passed. Default 50. */
  readonly settleMs: number;
  /** How long the silent connection stays silent. Default 120,000, the contract's. */
  readonly silenceMs: number;
  /** The longest time for one check, beside its silence. Default 30,000. */
  readonly checkTimeoutMs: number;
  /** Ends the run; what has not ended by then is skipped. */
  readonly signal: AbortSignal;
}

/** What a check works with. */
export interface CheckContext extends CheckSettings {
  readonly target: Target;
  /** A room that no other check uses. */
  room(): string;
  /** TCP only. Throws Unreachable. */
  dial(): Promise<RawConnection>;
  /** TCP and handshake. Throws Unreachable or BrokenRule. */
  open(): Promise<RawConnection>;
  /** Closes all connections that were opened through it. Called after the check. */
  close(): void;
}

/** A rule that was not kept: what was expected and what came instead. */
export class BrokenRule extends Error {
  readonly expected: string;
  readonly came: string;

  constructor(expected: string, came: string | Arrival | ResponseHead) {
    const told = typeof came === "string" ? came : describe(came);
    super(`expected ${expected}; came ${told}`);
    this.expected = expected;
    this.came = told;
  }
}

/** A check that cannot be made here. */
export class Skipped extends Error {}
