import type { Plan } from "../../../plan/plan.ts";
import type { RunEvent } from "../../../run/events.ts";
import { serveLive } from "./server.ts";
import { LiveState } from "./state.ts";

/** Twice as long as an open page takes to ask again, see page/live.ts. */
const lastLookMs = 500;

export interface LivePage {
  readonly url: string;
  /** What the run tells. Nothing is rendered while nobody looks. */
  readonly onEvent: (event: RunEvent) => void;
  /** Shows the end, such as where the report is, and closes. Open pages keep what they show. */
  stop(ending?: string): Promise<void>;
}

/**
 * Serves the page of a run on the loopback address while the run goes on.
 *
 * @param options `port` 0 picks a free one
 * @throws {ShowdownError} `portInUse` naming who listens on the port; nothing of the run has begun then
 */
export async function createLivePage(options: { port: number; plan: Plan }): Promise<LivePage> {
  const state = new LiveState(options.plan);
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const server = await serveLive(options.port, () => {
    lookedAtMs = performance.now();
    return state;
  });
  return {
    url: server.url.href,
    onEvent: (event) => state.note(event),
    stop: async (ending = "The run has ended.") => {
      if (state.ended !== null) return;
      state.ended = ending;
      if (performance.now() - lookedAtMs < lastLookMs) await Bun.sleep(lastLookMs);
      await server.stop(true);
    },
  };
}
