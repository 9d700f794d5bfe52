import type { Plan } from "../../../plan/plan.ts";
import { loadAssets } from "../../report/html/assets.ts";
import { renderDocument } from "../../report/html/document.ts";
import { renderFigure } from "../../report/html/figure.ts";
import { html } from "../../report/html/markup.ts";
import { LiveState } from "./state.ts";
import { buildLiveCharts } from "./view.ts";

/** The page before anything is known: the events fill it. It is made before the run, since bundling takes processor time. */
export async function renderLivePage(plan: Plan): Promise<string> {
  const [rate, latency] = buildLiveCharts(new LiveState(plan));
  const body = html`<header class="top"><p class="brand">WebSocket showdown, live</p>
<h1 id="headline" role="status">Getting ready</h1>
<p id="link" class="remark" role="status" hidden></p>
<div id="now"></div></header>
<main id="main">
<noscript><p class="alert warning">This page moves by JavaScript; the report of the run does without.</p></noscript>
<section id="warnings"></section>
<section aria-label="The phase that runs"><div class="pair">${[rate, latency].map((chart) =>
    chart === undefined ? null : renderFigure(chart, "Everybody at the same second of this phase.", true),
  )}</div></section>
<section aria-labelledby="panels-title"><h2 id="panels-title">So far</h2>
<p class="lead">Medians of the rounds that ended well, until there is a report with everything.</p>
<div class="panels" id="panels"></div></section>
</main>
<footer><p>Drawing takes processor time on the machine that shows this page. For figures that count, look at it from another one through a tunnel, or close it: it can be opened again at any time.</p></footer>`;
  return renderDocument({
    title: "WebSocket showdown, live",
    body,
    assets: await loadAssets("live"),
    connects: true,
  });
}
