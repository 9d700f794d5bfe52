import type { Sizing } from "../verdict/sizing.ts";
import { html, type Markup } from "./markup.ts";
import { renderTable } from "./table-markup.ts";

export function renderSizing({ title, lead, tables, assumptions }: Sizing): Markup {
  return html`<section id="sizing" aria-labelledby="sizing-title"><h2 id="sizing-title">${title}</h2>
<p class="lead">${lead}</p>
<ul class="notes">${assumptions.map((text) => html`<li class="plain">${text}</li>`)}</ul>
${tables.map((one) => html`<h3>${one.title}</h3>${renderTable(one.table, { label: `Sizing by ${one.title}` })}`)}</section>`;
}
