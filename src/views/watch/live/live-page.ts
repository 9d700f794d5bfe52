import { ShowdownError } from "../../../errors.ts";
import type { Plan } from "../../../plan/plan.ts";
import { findListener } from "../../../process/port.ts";
import type { RunEvent } from "../../../run/events.ts";
import { inlineText } from "../../../text/inline.ts" with { type: "macro" };
import { html } from "../../render/markup.ts";
import { renderPage } from "../../render/page.ts";
import { LiveState } from "./state.ts";
import { viewOf } from "./view.ts";

const host = "127.0.0.1";
const script = inlineText("views/watch/live/page/live.ts");
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
 * Serves the page of a run on the loopback address alone while the run goes on: the page itself, and the state that it
 * asks for a few times a second.
 *
 * @param options `port` 0 picks a free one
 * @throws {ShowdownError} `portInUse` naming who listens on the port; nothing of the run has begun then
 */
export async function createLivePage({ port, plan }: { port: number; plan: Plan }): Promise<LivePage> {
  const state = new LiveState(plan);
  let lookedAtMs = Number.NEGATIVE_INFINITY;
  const page = renderLivePage();
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
    return Response.json(viewOf(state), { headers });
  };
  const server = listen(port, answer);
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
function renderLivePage(): string {
  const body = html`${{ markup: `<style>${style}</style>` }}
<header class="top"><p class="brand">WebSocket showdown, live</p>
<h1 id="headline" role="status">Getting ready</h1>
<p id="link" role="status" hidden></p>
<div id="now"></div></header>
<main id="main">
<noscript><p>This page needs JavaScript. The report of the run does not.</p></noscript>
<section id="warnings"></section>
<section id="charts" class="charts" aria-label="The phase that runs"></section>
<section><h2>So far</h2>
<p>Medians of the rounds that ended well.</p>
<div id="known"></div></section>
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
