import { ShowdownError } from "../../../errors.ts";
import { findListener } from "../../../process/port.ts";
import { inlineText } from "../../../text/inline.ts" with { type: "macro" };
import { html, type Markup } from "../../render/markup.ts";
import { renderPage } from "../../render/page.ts";

const host = "127.0.0.1";
const script = inlineText("views/watch/live/page/live.ts");
/** Twice as long as an open page takes to ask again, see page/live.ts. */
const lastLookMs = 500;

/** What the page asks for: each of its regions as markup, in which whatever came from outside is text. */
export interface LiveUpdate {
  readonly regions: Readonly<Record<string, string>>;
  /** Nothing comes after this one. */
  readonly isOver: boolean;
}

/** What there is to be seen of a run or an attack, as its events tell. */
export interface LiveView<Event> {
  /** The regions of the page, but for `headline`, `now` and `warnings`, which every one has. */
  readonly sections: Markup;
  note(event: Event): void;
  /** @param ending in words */
  end(ending: string): void;
  look(): LiveUpdate;
}

export interface LivePage<Event> {
  readonly url: string;
  /** What happens. Nothing is rendered while nobody looks. */
  readonly onEvent: (event: Event) => void;
  /** Shows the end, such as where the report is, and closes. Open pages keep what they show. */
  stop(ending?: string): Promise<void>;
}

/**
 * Serves a page on the loopback address alone while what it shows goes on: the page itself, and the state that it asks
 * for a few times a second.
 *
 * @param options `port` 0 picks a free one
 * @throws {ShowdownError} `portInUse` naming who listens on the port; nothing has begun then
 */
export async function createLivePage<Event>({
  port,
  view,
}: {
  readonly port: number;
  readonly view: LiveView<Event>;
}): Promise<LivePage<Event>> {
  let hasEnded = false;
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const page = renderLivePage(view.sections);
  const answer = ({ url }: Request): Response => {
    const { pathname, hostname } = new URL(url);
    // Another site's name that leads here is another site reading along (DNS rebinding).
    if (hostname !== host && hostname !== "localhost") {
      return new Response(`expected ${host} or localhost, not ${hostname}`, { status: 403 });
    }
    const headers = { "cache-control": "no-store" };
    if (pathname === "/") {
      return new Response(page, { headers: { ...headers, "content-type": "text/html; charset=utf-8" } });
    }
    if (pathname !== "/state") return new Response("nothing here; the page is at /", { status: 404 });
    lookedAtMs = performance.now();
    return Response.json(view.look(), { headers });
  };
  const server = listen(port, answer);
  return {
    url: server.url.href,
    onEvent: (event) => view.note(event),
    stop: async (ending = "It has ended.") => {
      if (hasEnded) return;
      hasEnded = true;
      view.end(ending);
      if (performance.now() - lookedAtMs < lastLookMs) await Bun.sleep(lastLookMs);
      await server.stop(true);
    },
  };
}

function listen(port: number, answer: (request: Request) => Response): Bun.Server<undefined> {
  try {
    return Bun.serve({ hostname: host, port, fetch: answer });
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

/** The page before anything is known: what it asks for fills its regions. */
function renderLivePage(sections: Markup): string {
  const body = html`${{ markup: `<style>${style}</style>` }}
<header class="top"><p class="brand">WebSocket showdown, live</p>
<h1 id="headline" role="status">Getting ready</h1>
<p id="link" role="status" hidden></p>
<div id="now"></div></header>
<main id="main">
<noscript><p>This page needs JavaScript. The report does not.</p></noscript>
<section id="warnings"></section>
${sections}
</main>
<footer><p>Drawing this page uses CPU time of the machine that shows it. For figures that count, close it or open it on another machine through a tunnel.</p></footer>`;
  return renderPage({ title: "WebSocket showdown, live", body, script });
}

const style = `
dl { display: flex; flex-wrap: wrap; gap: .25rem 2rem; margin: .5rem 0 }
dt { font-size: .8rem; color: var(--muted) }
dd { margin: 0; font-size: 1.3rem }
.bad dd { color: var(--bad) }
progress { width: 100% }
#warnings:empty { display: none }
`;
