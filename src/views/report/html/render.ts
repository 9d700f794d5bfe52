import type { Result } from "../../../result/schema.ts";
import * as format from "../../../text/format.ts";
import { article } from "../article/article.ts";
import { retestArticle } from "../article/claims.ts";
import { describeStatus } from "../facts.ts";
import { listSections, nameOf, titleOf } from "../section.ts";
import { listTroubles, type Troubles } from "../trouble.ts";
import { type Demand, defaultDemand, sizeUp } from "../verdict/sizing.ts";
import { judge, type Verdict } from "../verdict/verdict.ts";
import { loadAssets } from "./assets.ts";
import { renderClaims } from "./claims.ts";
import { assignColors } from "./color.ts";
import { renderConditions, renderContenders, renderRounds } from "./conditions.ts";
import { renderDocument } from "./document.ts";
import { renderGlance } from "./glance.ts";
import { collectMeanings, renderGlossary } from "./glossary.ts";
import { describeHeadline } from "./headline.ts";
import { embedJson, html, type Markup } from "./markup.ts";
import { renderSection } from "./phase-section.ts";
import { renderSizing } from "./sizing.ts";

/**
 * The report as one HTML file that needs nothing else: it opens offline, and its tables are there without JavaScript.
 * Under 2 MB, most of it the charting library.
 *
 * @throws AggregateError when the page's script cannot be bundled
 */
export async function renderHtml(result: Result, demand: Demand = defaultDemand): Promise<string> {
  const colors = assignColors(result.contenders.map(nameOf));
  const sections = listSections(result);
  const verdict = judge(result);
  const sizing = sizeUp(result, demand);
  const retest = retestArticle(result);
  const troubles = listTroubles(result);
  const meanings = collectMeanings(sections);
  const phases = sections.map((section) =>
    renderSection(section, sections, { plan: result.plan, colors, meanings }),
  );
  const charts = phases.flatMap((phase) => phase.charts);
  const body = html`${renderHead(result, verdict, [
    ...(sizing === null ? [] : [html`<a href="#sizing">Sizing</a>`]),
    ...(retest === null ? [] : [html`<a href="#claims">The article's claims</a>`]),
  ])}
<main id="main">
${renderTroubles(
  "troubles",
  troubles.filter(({ isAside }) => !isAside),
)}
<section id="glance" aria-labelledby="glance-title"><h2 id="glance-title">The phases at a glance</h2>
<p class="lead">${describeBasis(result)}</p>
${renderGlance(sections, result.plan, verdict.items, colors)}</section>
${renderTroubles(
  "warnings",
  troubles.filter(({ isAside }) => isAside),
)}
${renderVerdict(verdict)}
${sizing === null ? null : renderSizing(sizing)}
${retest === null ? null : renderClaims(retest)}
${phases.map(({ markup }) => markup)}
<section id="contenders"><h2>Contenders</h2><p class="lead">What each declares of itself, and what it was built with.</p>${renderContenders(result, colors)}</section>
<section id="conditions"><h2>Machine and plan</h2>${renderConditions(result)}</section>
<section id="rounds"><h2>All rounds</h2><p class="lead">In the order in which they ran; nothing is left out.</p>${renderRounds(result, colors)}</section>
<section id="glossary"><h2>What the figures mean</h2>
<p class="lead">Figures are medians over the rounds that ended well, never the best of several. Counts of lost and other bad deliveries are sums over all rounds.</p>
<details><summary>Every column explained</summary>${renderGlossary(meanings)}</details></section>
</main>
<footer><p>${result.environment.tool}. Figures marked as the article's are from “${article.title}” (${article.source}), measured on another machine by another method; they are shown for orientation and compared with nothing.</p></footer>
<script type="application/json" id="charts">${embedJson(charts)}</script>`;
  return renderDocument({
    title: `${result.id}: WebSocket showdown`,
    body,
    assets: await loadAssets("report"),
  });
}

function renderHead(result: Result, verdict: Verdict, links: readonly Markup[]): Markup {
  const status = result.status === "finished" ? "good" : "warning";
  return html`<header class="top"><p class="brand">WebSocket showdown</p>
<h1>${describeHeadline(verdict, result)}</h1>
<p class="meta"><span class="pill ${status}">${describeStatus(result)}</span> <time datetime="${result.startedAt}">${result.startedAt.slice(0, 16).replace("T", " ")} UTC</time> <span>${result.id}</span></p>
${verdict.remarks.map((remark) => html`<p class="remark">${remark}</p>`)}
<nav aria-label="Contents"><a href="#glance">At a glance</a><a href="#verdict">Verdict</a>${links}${listSections(
    result,
  ).map(
    (section) => html`<a href="#phase-${section.index}">${titleOf(section)}</a>`,
  )}<a href="#contenders">Contenders</a><a href="#conditions">Machine and plan</a><a href="#rounds">All rounds</a><a href="#glossary">Glossary</a></nav></header>`;
}

function describeBasis({ plan, environment }: Result): string {
  const rounds =
    plan.rounds === 1
      ? "One round each: no intervals."
      : `Medians of ${format.formatCount(plan.rounds)} rounds each${plan.rounds < 3 ? ", too few for intervals" : ", with the 95 % interval as a line"}.`;
  return `${rounds} ${format.plural(plan.connections, "connection")}, messages of ${format.formatCount(plan.messageBytes)} bytes, the same plan for everyone, on ${environment.cpuModel} (${format.plural(environment.cpuCount, "CPU")}).`;
}

/** Who is missing or failed is said before the figures, what to know of the machine behind them. */
function renderTroubles(id: string, troubles: readonly Troubles[]): Markup | null {
  if (troubles.length === 0) return null;
  return html`<section id="${id}" aria-label="What to be wary of">${troubles.map(
    ({ title, style, entries }) =>
      html`<div class="alert ${style}"><h2>${title}</h2><ul>${entries.map(
        ({ text, output }) =>
          html`<li>${text}${output.length === 0 ? null : html`<details><summary>The end of what it printed</summary><pre tabindex="0">${output.join("\n")}</pre></details>`}</li>`,
      )}</ul></div>`,
  )}</section>`;
}

function renderVerdict({ items, declared }: Verdict): Markup {
  return html`<section id="verdict" aria-labelledby="verdict-title"><h2 id="verdict-title">Which one for which use</h2>
${
  items.length === 0
    ? html`<p>There is nothing to judge.</p>`
    : html`<dl class="verdict">${items.map(
        ({ use, choice, text }) =>
          html`<div><dt>${uses[use]}</dt><dd>${choice === null ? null : html`<b>${choice}</b> `}${text}</dd></div>`,
      )}${declared.map((text) => html`<div><dt>Deployment</dt><dd>${text}</dd></div>`)}</dl>`
}</section>`;
}

const uses = {
  connections: "Most connections",
  burst: "Bursts",
  sustained: "Sustained load",
  tail: "Predictable latency",
  memory: "Small memory",
  cpu: "Little CPU",
  faults: "Faults kept to themselves",
  recovery: "Back after a kill",
} as const satisfies Record<Verdict["items"][number]["use"], string>;
