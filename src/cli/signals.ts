import { readFileSync } from "node:fs";
import { exitCodes, isShowdownError } from "../errors.ts";
import { createProgress, type Progress } from "../views/watch/terminal/progress.ts";
import type { Host } from "./host.ts";

const parentCheckMs = 500;
/** One signal to the whole process group comes twice, the second time from showdown.mjs. Nobody is as quick by hand. */
const togetherMs = 150;

/**
 * Runs what takes its time, with a status line for what goes on. Ctrl-C once, SIGTERM, SIGHUP, or the death of what started this program: stop gently,
 * keep what was measured. Ctrl-C again: end at once; the servers go too, since their reaper breaks
 * (src/process/reaper.ts).
 *
 * @returns the work's exit code; that of `aborted` where it could not get to its end, which the user has read by then
 */
export async function untilStopped(
  host: Host,
  work: (signal: AbortSignal, progress: Progress) => Promise<number>,
): Promise<number> {
  const stop = watchSignals(host);
  const progress = showProgress(host);
  try {
    return await work(stop.signal, progress);
  } catch (error) {
    if (stop.signal.aborted && isShowdownError(error, "aborted")) return exitCodes.aborted.code;
    throw error;
  } finally {
    progress.end();
    stop.end();
  }
}

/** Of one run. */
export function showProgress(host: Host): Progress {
  return createProgress({
    write: host.err,
    columns: host.columns,
    isTty: host.errIsTty,
    color: host.errIsTty && !host.env.NO_COLOR,
  });
}

function watchSignals(host: Host): { readonly signal: AbortSignal; end(): void } {
  const controller = new AbortController();
  let firstMs = Number.NEGATIVE_INFINITY;
  const onSignal = (name: NodeJS.Signals) => {
    const nowMs = performance.now();
    if (nowMs - firstMs < togetherMs) return;
    if (controller.signal.aborted) {
      host.err("\nEnding at once.\n");
      host.exitNow(exitCodes.aborted.code);
      return;
    }
    firstMs = nowMs;
    host.err(`\n${name}: stopping gently and keeping what was measured. Once more ends at once.\n`);
    controller.abort();
  };
  // Who started this with nohup means it to outlive the terminal.
  const onHangup = ignoresHangup(host) ? () => {} : onSignal;
  const handlers = {
    SIGINT: onSignal,
    SIGTERM: onSignal,
    SIGHUP: onHangup,
    // Nobody reads the output any more: there is nobody to tell either.
    SIGPIPE: () => controller.abort(),
  };
  for (const [name, handler] of Object.entries(handlers)) host.signals.on(name, handler);

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
      for (const [name, handler] of Object.entries(handlers)) host.signals.off(name, handler);
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
