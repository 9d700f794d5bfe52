import { join } from "node:path";
import { ShowdownError } from "../../../errors.ts";
import { findListener } from "../../../process/port.ts";
import { html } from "../../render/markup.ts";
import { renderPage } from "../../render/page.ts";
import type { LiveState } from "./state.ts";
import { viewOf } from "./view.ts";

const host = "127.0.0.1";
const scriptPath = join(import.meta.dir, "page", "live.ts");

/**
 * Serves the live page on the loopback address alone: the page itself, the state that it asks for a few times a second,
 * and where there is one the report.
 *
 * @param port 0 picks a free one
 * @throws {ShowdownError} `portInUse` naming who listens on the port
 */
export async function serveLive(
  port: number,
  state: () => LiveState,
  report: (() => string) | null = null,
): Promise<Bun.Server<undefined>> {
  const page = await renderLivePage();
  const texts: Readonly<Record<string, (() => string) | null>> = {
    "/": () => page,
    "/state": () => JSON.stringify(viewOf(state())),
    "/report": report,
  };
  try {
    return Bun.serve({ hostname: host, port, fetch: (request) => answer(request, texts) });
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

function answer({ url }: Request, texts: Readonly<Record<string, (() => string) | null>>): Response {
  const { pathname, hostname } = new URL(url);
  // Another site's name that leads here is another site reading along (DNS rebinding).
  if (hostname !== host && hostname !== "localhost") {
    return new Response(`expected ${host} or localhost, not ${hostname}`, { status: 403 });
  }
  const text = texts[pathname]?.();
  if (text === undefined) return new Response("nothing here; the page is at /", { status: 404 });
  const type = pathname === "/state" ? "application/json" : "text/html; charset=utf-8";
  return new Response(text, { headers: { "content-type": type, "cache-control": "no-store" } });
}

/** The page before anything is known: what it asks for fills its regions. */
async function renderLivePage(): Promise<string> {
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
  // One file without imports: types are all that has to go.
  const script = new Bun.Transpiler({ loader: "ts" }).transformSync(await Bun.file(scriptPath).text());
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
