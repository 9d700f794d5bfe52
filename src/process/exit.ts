import type { Exit } from "../result/reasons.ts";

/** How a child process ended. */
export function exitOf({ exitCode, signalCode }: Pick<Bun.Subprocess, "exitCode" | "signalCode">): Exit {
  return { code: exitCode, signal: signalCode === null ? null : `${signalCode}` };
}

/** In words. */
export function describeExit({ code, signal }: Exit): string {
  return signal === null ? `exited with code ${code}` : `was ended by ${signal}`;
}
