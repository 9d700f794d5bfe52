import type { Plan } from "../../../plan/plan.ts";
import type { RunEvent } from "../../../run/events.ts";
import { Broadcast } from "./broadcast.ts";
import { renderLivePage } from "./page.ts";
import { serve } from "./server.ts";
import { LiveState } from "./state.ts";
import { viewOf } from "./view.ts";

/** For the last update to be on its way before the server is gone. */
const lastUpdateMs = 100;

export interface LivePageOptions {
  /** 0 picks a free one. */
  readonly port: number;
  readonly plan: Plan;
}

export interface LivePage {
  readonly url: string;
  /** What the run tells; costs next to nothing while nobody looks. */
  readonly onEvent: (event: RunEvent) => void;
  /** Shows the end, such as where the report is, and closes. Open pages keep what they show. */
  stop(ending?: string): Promise<void>;
}

/**
 * Serves the page of a run on the loopback address while the run goes on.
 *
 * @throws {ShowdownError} `portInUse` naming who listens on the port; nothing of the run has begun then
 */
export async function createLivePage({ port, plan }: LivePageOptions): Promise<LivePage> {
  const state = new LiveState(plan);
  const broadcast = new Broadcast(() => viewOf(state));
  const page = await renderLivePage();
  const server = serve(port, (path) => (path === "/" ? page : null), broadcast);
  return {
    url: server.url.href,
    onEvent: (event) => {
      state.note(event);
      broadcast.noteChange();
    },
    stop: async (ending = "The run has ended.") => {
      state.ended ??= ending;
      if (broadcast.end() > 0) await Bun.sleep(lastUpdateMs);
      await server.stop(true);
    },
  };
}
