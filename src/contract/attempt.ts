import { createKey } from "../websocket/handshake.ts";
import { BrokenRule, type Check, type CheckContext, type CheckSettings, Skipped } from "./check.ts";
import type { CheckResult } from "./check-report.ts";
import { handshakeRequest, isResponse, type Target } from "./http.ts";
import { RawConnection, Unreachable } from "./raw-connection.ts";

export interface Outcome {
  readonly result: CheckResult;
  /** It failed because no TCP connection came about. */
  readonly unreachable: boolean;
}

const about = ({ id, rule, reference, grade }: Check) => ({ id, rule, reference, grade });

export function skipped(check: Check, why: string): Outcome {
  return { result: { ...about(check), elapsedMs: 0, state: "skipped", why }, unreachable: false };
}

/** Runs one check and closes what it opened. Never throws. */
export async function attempt(check: Check, target: Target, settings: CheckSettings): Promise<Outcome> {
  const startedMs = performance.now();
  const timeoutMs = settings.checkTimeoutMs + (check.slow ? settings.silenceMs : 0);
  const timeout = AbortSignal.timeout(timeoutMs);
  const signal = AbortSignal.any([timeout, settings.signal]);
  const context = makeContext(target, { ...settings, signal });
  const aborted = new Promise<never>((_resolve, reject) => {
    if (signal.aborted) reject(signal.reason);
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
  });
  let fault: unknown;
  try {
    await Promise.race([check.run(context), aborted]);
  } catch (error) {
    fault = error;
  }
  context.close();
  const base = { ...about(check), elapsedMs: Math.round(performance.now() - startedMs) };
  const fail = (expected: string, came: string, unreachable = false): Outcome => ({
    result: { ...base, state: "fail", expected, came, nextStep: check.nextStep },
    unreachable,
  });
  if (settings.signal.aborted) return skipped(check, "the run was stopped");
  if (timeout.aborted) return fail(`the check to end within ${timeoutMs} ms`, "no end");
  if (fault === undefined) return { result: { ...base, state: "pass" }, unreachable: false };
  if (fault instanceof Skipped) return skipped(check, fault.message);
  if (fault instanceof BrokenRule) return fail(fault.expected, fault.came);
  // Whatever else goes wrong, such as a fetch of the counters that is refused, says that the server is gone.
  const came = fault instanceof Error ? fault.message : String(fault);
  return fail("a server that keeps running", came, fault instanceof Unreachable);
}

export function makeContext(target: Target, settings: CheckSettings): CheckContext {
  const connections: RawConnection[] = [];
  const dial = async (): Promise<RawConnection> => {
    const connection = await RawConnection.dial(target, settings.waitMs);
    connections.push(connection);
    // A check that was given up must not go on opening connections that nobody closes.
    if (settings.signal.aborted) connection.dispose();
    return connection;
  };
  return {
    ...settings,
    target,
    dial,
    room: () => `verify-${createKey().replace(/[^A-Za-z0-9]/g, "")}`,
    open: async () => {
      const connection = await dial();
      connection.send(handshakeRequest(target));
      const answer = await connection.response();
      if (isResponse(answer) && answer.status === 101) return connection;
      throw new BrokenRule("101 Switching Protocols to a proper handshake", answer);
    },
    close: () => {
      for (const connection of connections) connection.dispose();
    },
  };
}
