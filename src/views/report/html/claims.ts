import { article } from "../article/article.ts";
import { findingStyles, type Retest } from "../article/claims.ts";
import { unfairLead } from "../article/unfair-count.ts";
import { html, type Markup } from "./markup.ts";
import { renderTable } from "./table-markup.ts";

/** The article's claims beside what was measured here. */
export function renderClaims({ lead, claims, unfair }: Retest): Markup {
  return html`<section id="claims" aria-labelledby="claims-title"><h2 id="claims-title">The article's claims, re-tested</h2>
<p class="lead">“${article.title}” (${article.source}), ${lead}</p>
<div class="cards claims">${claims.map(
    ({ claim, article: figures, measured, finding, why }) => html`<article class="card">
<p class="pill ${findingStyles[finding]}">${finding}</p>
<h3>${claim}</h3>
<dl><div><dt>article</dt><dd>${figures}</dd></div><div><dt>measured</dt><dd>${measured}</dd></div><div><dt>why</dt><dd>${why}</dd></div></dl>
</article>`,
  )}</div>
${unfair === null ? null : html`<h3>The same servers, counted unfairly</h3><p class="explain">${unfairLead}</p>${renderTable(unfair, { label: "The same servers, counted unfairly" })}`}</section>`;
}
