import { ShowdownError } from "../errors.ts";

/** What a piece of work throws that was stopped from outside: never a fault of the program, whoever stopped it. */
export function abortedError(signal: AbortSignal): ShowdownError {
  return signal.reason instanceof ShowdownError
    ? signal.reason
    : new ShowdownError("aborted", "stopped before the end", { cause: signal.reason });
}

/** @throws {ShowdownError} `aborted` */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted === true) throw abortedError(signal);
}
