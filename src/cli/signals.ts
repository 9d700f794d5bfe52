import { exitCodes } from "../errors.ts";
import type { Host } from "./host.ts";

const parentCheckMs = 500;

/**
 * Ctrl-C once, SIGTERM, SIGHUP, or the death of what started this program: stop gently, keep what was
 * measured. Ctrl-C again: end at once; the servers go too, since their reaper breaks (contenders/reaper.ts).
 */
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
  const names = ["SIGINT", "SIGTERM", "SIGHUP"] as const;
  for (const name of names) host.signals.on(name, onSignal);

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
      for (const name of names) host.signals.off(name, onSignal);
    },
  };
}
