import type { LivePage, LiveView } from "../views/watch/live/live-page.ts";
import type { Host } from "./host.ts";
import type { OptionValues } from "./options.ts";

/** Does a command's work, with a live page beside it where that is asked for. */
export async function withLivePage<Event, T>(
  { live, "live-port": port = 0 }: OptionValues,
  host: Host,
  createView: () => Promise<LiveView<Event>>,
  work: (page: LivePage<Event> | null) => Promise<T>,
): Promise<T> {
  if (!live) return await work(null);
  // Brings what draws, which nobody else needs to load.
  const { createLivePage } = await import("../views/watch/live/live-page.ts");
  const page = await createLivePage({ port, view: await createView() });
  host.err(`Live page: ${page.url}\n`);
  try {
    return await work(page);
  } finally {
    await page.stop();
  }
}
