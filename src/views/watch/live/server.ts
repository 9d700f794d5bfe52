import { ShowdownError } from "../../../errors.ts";
import { findListener } from "../../../process/port.ts";
import type { Broadcast } from "./broadcast.ts";

const host = "127.0.0.1";

/**
 * Serves pages and the broadcast's updates on the loopback address alone.
 *
 * @param page by path; null is a 404
 * @throws {ShowdownError} `portInUse` naming who listens on the port
 */
export function serve(
  port: number,
  page: (path: string) => string | Promise<string | null> | null,
  broadcast: Broadcast,
): Bun.Server<undefined> {
  try {
    return Bun.serve({
      hostname: host,
      port,
      // An update may be long in coming.
      idleTimeout: 0,
      async fetch(request) {
        const { pathname, hostname } = new URL(request.url);
        // Another site's name that leads here is another site reading along (DNS rebinding).
        if (hostname !== host && hostname !== "localhost") {
          return new Response(`expected ${host} or localhost, not ${hostname}`, { status: 403 });
        }
        if (pathname === "/events") return broadcast.open();
        const text = await page(pathname);
        return text === null
          ? new Response("nothing here; the page is at /", { status: 404 })
          : new Response(text, {
              headers: { "content-type": "text/html; charset=utf-8", "cache-control": "no-store" },
            });
      },
    });
  } catch (cause) {
    if (!(cause instanceof Error && "code" in cause && cause.code === "EADDRINUSE")) throw cause;
    const listener = findListener(port);
    throw new ShowdownError(
      "portInUse",
      `port ${port} of ${host}, asked for the live page, is in use${listener === null ? "" : ` by ${listener}`}; expected a free one`,
      { hint: "close what listens there, or give another port; 0 picks a free one", cause },
    );
  }
}
