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
  /** In one sentence. */
  readonly rule: string;
  /** RFC section or contract clause. */
  readonly reference: string;
  readonly grade: Grade;
  /** What to do when it fails. */
  readonly nextStep: string;
  /** Runs with no other check beside it: it counts, or it ends the server. */
  readonly alone?: true;
  /** Takes minutes, so it runs only when asked for. */
  readonly slow?: true;
  /** Returns when the rule is kept; throws BrokenRule or Skipped. */
  run(context: CheckContext): Promise<void>;
}

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

/** What a check works with. All connections opened through it are closed after the check. */
export interface CheckContext {
  readonly target: Target;
  readonly framing: Framing;
  readonly process: ProcessControl | undefined;
  /** The longest wait for something that must come. */
  readonly waitMs: number;
  /** How long to look out for something that must not come, after a barrier has passed. */
  readonly settleMs: number;
  /** How long the silent connection stays silent. */
  readonly silenceMs: number;
  readonly signal: AbortSignal;
  /** A room that no other check uses. */
  room(): string;
  /** TCP only. Throws Unreachable. */
  dial(): Promise<RawConnection>;
  /** TCP and handshake. Throws Unreachable or BrokenRule. */
  open(): Promise<RawConnection>;
}

/** A rule that was not kept: what was expected and what came instead. */
export class BrokenRule extends Error {
  readonly expected: string;
  readonly came: string;

  constructor(expected: string, came: string) {
    super(`expected ${expected}; came ${came}`);
    this.expected = expected;
    this.came = came;
  }
}

/** A check that cannot be made here. */
export class Skipped extends Error {}

export const isResponse = (answer: object): answer is ResponseHead => "status" in answer;
