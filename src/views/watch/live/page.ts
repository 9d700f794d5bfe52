import { join } from "node:path";
import { html } from "../../render/markup.ts";
import { renderPage } from "../../render/page.ts";

const scriptPath = join(import.meta.dir, "page", "live.ts");

/** The page before anything is known: the updates fill its regions. */
export async function renderLivePage(): Promise<string> {
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
