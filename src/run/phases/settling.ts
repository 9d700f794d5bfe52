import type { Ending } from "../../result/phase.ts";
import { exitEnding, type RoundContext, stopped } from "./context.ts";

/** A server whose counters stand still for this long has nothing left to do. */
const settledMs = 200;
const longestSettlingMs = 30_000;
/** Where there are no counters: what was left behind is worked off meanwhile, or it is a backlog that the next load shows. */
const blindSettlingMs = 1000;

/** Waits until the server has worked off what a load left in it, also what will never arrive here; null when it has. */
export async function settle(
  { target, signal, clockUs }: RoundContext,
  hasCounters: boolean,
  longestMs = longestSettlingMs,
): Promise<Ending | null> {
  if (!hasCounters || target.counters === null) {
    await Bun.sleep(blindSettlingMs);
    return signal.aborted ? stopped : exitEnding(target);
  }
  const untilUs = clockUs() + longestMs * 1000;
  let before: number | null = null;
  while (clockUs() < untilUs) {
    if (signal.aborted) return stopped;
    const exited = exitEnding(target);
    if (exited !== null) return exited;
    const stats = await target.counters.read();
    const handled = stats === null ? null : stats.received + stats.sent + stats.dropped;
    if (handled !== null && handled === before) return null;
    before = handled;
    await Bun.sleep(settledMs);
  }
  return { status: "aborted", reason: { kind: "server-busy", afterMs: longestMs } };
}
