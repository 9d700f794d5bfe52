import type { PhaseKind, Plan } from "../../../plan/plan.ts";
import * as format from "../../../text/format.ts";
import { articleFigures } from "../article/article.ts";
import { lowerBound } from "../capacity.ts";
import { headlineOf } from "../headline-columns.ts";
import { measures } from "../measure.ts";
import { type Section, titleOf } from "../section.ts";
import type { VerdictItem } from "../verdict/verdict.ts";
import { type Lane, laneOf, renderBars } from "./bars.ts";
import { describeUncompared } from "./capacity.ts";
import type { Colors } from "./color.ts";
import { html, type Markup } from "./markup.ts";

/** Where the measure's header alone would not say what is compared. */
const subjects: Readonly<Partial<Record<PhaseKind, string>>> = {
  connect: "connections opened",
  burst: "deliveries per second",
  endurance: "deliveries per second held",
  capacity: "the highest rate held, in deliveries per second",
  chaos: "deliveries to neighbours of a fault that came in time",
};

function describeQuestion(kind: PhaseKind): string {
  const { header, better } = measures[headlineOf({ kind })];
  return `${subjects[kind] ?? header}, ${better === "higher" ? "more" : "less"} is better`;
}

/** The phases side by side, as bars: what the page is about. */
export function renderGlance(
  sections: readonly Section[],
  plan: Plan,
  items: readonly VerdictItem[],
  colors: Colors,
): Markup {
  return html`<div class="panels">${sections.map((section) => {
    const headline = headlineOf(section);
    const item = items.find(
      ({ phaseIndex, measure }) => phaseIndex === section.index && measure === headline,
    );
    const remarks = [
      ...(item === undefined ? [] : [html`<p class="finding">${withoutPhase(item)}</p>`]),
      renderArticle(section),
    ];
    return renderPanel(section, lanesOf(section), plan, colors, {
      link: `#phase-${section.index}`,
      remarks,
    });
  })}</div>`;
}

function lanesOf({ participants }: Section): Lane[] {
  return participants.map((participant) => ({
    ...laneOf(participant),
    pending: describeUncompared(participant),
    atLeast: lowerBound(participant),
  }));
}

export interface PanelExtras {
  /** Where the title leads to. */
  readonly link?: string;
  readonly remarks?: readonly (Markup | null)[];
}

export function renderPanel(
  section: Pick<Section, "kind" | "workload">,
  lanes: readonly Lane[],
  plan: Plan,
  colors: Colors,
  { link, remarks = [] }: PanelExtras = {},
): Markup {
  const title = titleOf(section);
  const measure = measures[headlineOf(section)];
  const question = describeQuestion(section.kind);
  const full = fullScale(section.kind, plan);
  const offered = section.kind === "endurance" ? "the offered " : "";
  const ends = full === null ? null : `; a full track is ${offered}${measure.format(full)}`;
  return html`<section class="panel">
<h3>${link === undefined ? title : html`<a href="${link}">${title}</a>`}</h3>
<p class="question">${question}${ends}</p>
${renderBars(lanes, { caption: `${title}: ${question}`, measure, connections: plan.connections, colors, full })}
${remarks}
</section>`;
}

/** Of connections, of an offered rate and of a share there is a most. */
function fullScale(kind: PhaseKind, plan: Plan): number | null {
  switch (kind) {
    case "connect":
      return plan.connections;
    case "endurance":
      return plan.enduranceRatePerSecond;
    case "chaos":
      return 1;
    default:
      return null;
  }
}

/** The panel's title says which phase, and the page's beginning how many rounds. */
function withoutPhase({ text, phase }: VerdictItem): string {
  if (!text.startsWith(phase)) return text;
  const rest = text.slice(phase.length).replace(/^(\s\([^)]*\))?:\s*/, "");
  // A contender's name is written as it is.
  return rest.replace(/^(all|both|no|nobody)\b/, (word) => word.charAt(0).toUpperCase() + word.slice(1));
}

/** In words, never as a bar: it is of another machine and another method. */
function renderArticle(section: Section): Markup | null {
  const figures = articleFigures(section);
  if (figures === null) return null;
  const write = section.kind === "connect" ? format.formatCount : format.formatRate;
  return html`<p class="article"><b>The article</b> (another machine and method): Elixir ${write(figures.elixir)}, Go ${write(figures.go)}</p>`;
}
