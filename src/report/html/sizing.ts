import type { Sizing } from "../verdict/sizing.ts";
import { html, type Markup } from "./markup.ts";
import { renderTable } from "./table-markup.ts";

export function renderSizing({ title, tables, assumptions }: Sizing): Markup {
  return html`<section id="sizing" aria-labelledby="sizing-title"><h2 id="sizing-title">${title}</h2>
<p class="lead">What the costs measured here would come to. An extrapolation, on these assumptions:</p>
<ul class="notes">${assumptions.map((text) => html`<li class="plain">${text}</li>`)}</ul>
${tables.map((one) => html`<h3>${one.title}</h3>${renderTable(one.table, { label: `Sizing by ${one.title}` })}`)}</section>`;
}
