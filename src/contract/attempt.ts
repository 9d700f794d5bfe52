import { createKey } from "../websocket/handshake.ts";
import { describe } from "./arrival.ts";
import { BrokenRule, type Check, type CheckContext, isResponse, Skipped } from "./check.ts";
import type { CheckResult } from "./check-report.ts";
import { describeStatus, handshakeRequest, type Target } from "./http.ts";
import { RawConnection, Unreachable } from "./raw-connection.ts";

/** What one check is run with. Times in ms. */
export interface AttemptSettings
  extends Pick<CheckContext, "framing" | "process" | "waitMs" | "settleMs" | "silenceMs" | "signal"> {
  /** The longest time for the check, beside its silence. */
  readonly checkTimeoutMs: number;
}

export interface Outcome {
  readonly result: CheckResult;
  /** It failed because no TCP connection came about. */
  readonly unreachable: boolean;
}

const about = ({ id, rule, reference, grade }: Check) => ({ id, rule, reference, grade });
export const skipped = (check: Check, why: string): CheckResult => ({
  ...about(check),
  elapsedMs: 0,
  state: "skipped",
  why,
});

/** Runs one check and closes what it opened. Never throws. */
export async function attempt(check: Check, target: Target, settings: AttemptSettings): Promise<Outcome> {
  const startedMs = performance.now();
  const timeoutMs = settings.checkTimeoutMs + (check.slow ? settings.silenceMs : 0);
  const timeout = new AbortController();
  const timer = setTimeout(() => timeout.abort(), timeoutMs);
  const signal = AbortSignal.any([timeout.signal, settings.signal]);
  const connections: RawConnection[] = [];
  const aborted = new Promise<never>((_resolve, reject) => {
    const stop = () => reject(new Skipped("the run was stopped"));
    if (signal.aborted) stop();
    signal.addEventListener("abort", stop, { once: true });
  });
  let fault: unknown;
  try {
    await Promise.race([check.run(makeContext(target, settings, signal, connections)), aborted]);
  } catch (error) {
    fault = error;
  }
  clearTimeout(timer);
  for (const connection of connections) connection.dispose();
  const base = { ...about(check), elapsedMs: Math.round(performance.now() - startedMs) };
  const fail = (expected: string, came: string): CheckResult => ({
    ...base,
    state: "fail",
    expected,
    came,
    nextStep: check.nextStep,
  });
  if (timeout.signal.aborted && !settings.signal.aborted)
    return { result: fail(`the check to end within ${timeoutMs} ms`, "no end"), unreachable: false };
  if (settings.signal.aborted) return { result: skipped(check, "the run was stopped"), unreachable: false };
  if (fault === undefined) return { result: { ...base, state: "pass" }, unreachable: false };
  if (fault instanceof Skipped) return { result: skipped(check, fault.message), unreachable: false };
  if (fault instanceof BrokenRule) return { result: fail(fault.expected, fault.came), unreachable: false };
  // Whatever else goes wrong, such as a fetch of the counters that is refused, says that the server is gone.
  const came = fault instanceof Error ? fault.message : String(fault);
  return { result: fail("a server that keeps running", came), unreachable: fault instanceof Unreachable };
}

/** Connections opened through it are added to `connections`, for the caller to close. */
export function makeContext(
  target: Target,
  settings: AttemptSettings,
  signal: AbortSignal,
  connections: RawConnection[],
): CheckContext {
  const { framing, process, waitMs, settleMs, silenceMs } = settings;
  const dial = async (): Promise<RawConnection> => {
    const connection = await RawConnection.dial(target, waitMs);
    connections.push(connection);
    // A check that was given up must not go on opening connections that nobody closes.
    if (signal.aborted) connection.dispose();
    return connection;
  };
  return {
    target,
    framing,
    process,
    waitMs,
    settleMs,
    silenceMs,
    signal,
    dial,
    room: () => `verify-${createKey().replace(/[^A-Za-z0-9]/g, "")}`,
    open: async () => {
      const connection = await dial();
      connection.send(handshakeRequest(target));
      const answer = await connection.response();
      if (isResponse(answer) && answer.status === 101) return connection;
      const came = isResponse(answer) ? describeStatus(answer) : describe(answer);
      throw new BrokenRule("101 Switching Protocols to a proper handshake", came);
    },
  };
}
