import { readFileSync } from "node:fs";
import { exitCodes, isShowdownError } from "../errors.ts";
import type { Host } from "./host.ts";

const parentCheckMs = 500;

/**
 * Runs what takes its time. Ctrl-C once, SIGTERM, SIGHUP, or the death of what started this program: stop gently,
 * keep what was measured. Ctrl-C again: end at once; the servers go too, since their reaper breaks
 * (src/process/reaper.ts).
 *
 * @returns the work's exit code; that of `aborted` where it could not get to its end, which the user has read by then
 */
export async function untilStopped(
  host: Host,
  work: (signal: AbortSignal) => Promise<number>,
): Promise<number> {
  const stop = watchSignals(host);
  try {
    return await work(stop.signal);
  } catch (error) {
    if (stop.signal.aborted && isShowdownError(error, "aborted")) return exitCodes.aborted.code;
    throw error;
  } finally {
    stop.end();
  }
}

export function watchSignals(host: Host): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  const onSignal = (name: NodeJS.Signals) => {
    if (controller.signal.aborted) {
      host.err("\nEnding at once.\n");
      host.exitNow(exitCodes.aborted.code);
      return;
    }
    host.err(`\n${name}: stopping gently and keeping what was measured. Once more ends at once.\n`);
    controller.abort();
  };
  // Who started this with nohup means it to outlive the terminal.
  const onHangup = ignoresHangup(host) ? () => {} : onSignal;
  host.signals.on("SIGINT", onSignal);
  host.signals.on("SIGTERM", onSignal);
  host.signals.on("SIGHUP", onHangup);
  // Nobody reads the output any more: there is nobody to tell either.
  const onPipe = () => controller.abort();
  host.signals.on("SIGPIPE", onPipe);

  // showdown.mjs may be killed without a chance to pass that on.
  const parent = Number(host.env.SHOWDOWN_PARENT);
  const timer = setInterval(() => {
    if (parent > 0 && process.ppid !== parent) controller.abort();
  }, parentCheckMs);
  timer.unref();
  return {
    signal: controller.signal,
    end: () => {
      clearInterval(timer);
      host.signals.off("SIGINT", onSignal);
      host.signals.off("SIGTERM", onSignal);
      host.signals.off("SIGHUP", onHangup);
      host.signals.off("SIGPIPE", onPipe);
    },
  };
}

/** showdown.mjs says so, for Node sets the signal back to its default before anyone can look; else the system does (Linux). */
function ignoresHangup({ env }: Host): boolean {
  if (env.SHOWDOWN_IGNORES_HANGUP !== undefined) return env.SHOWDOWN_IGNORES_HANGUP === "1";
  try {
    const ignored = /^SigIgn:\s*([0-9a-f]+)$/m.exec(readFileSync("/proc/self/status", "latin1"))?.[1];
    return (Number.parseInt(ignored?.slice(-1) ?? "0", 16) & 1) === 1;
  } catch {
    return false;
  }
}
