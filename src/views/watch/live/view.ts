import { decidingMeasures, measureOf } from "../../../measures/catalogue.ts";
import { overRounds } from "../../../measures/figures.ts";
import { formatMeasure } from "../../../measures/measure.ts";
import { listPhases, nameOfRound, titleOf } from "../../../measures/sections.ts";
import type { PhaseView } from "../../../run/events.ts";
import * as format from "../../../text/format.ts";
import { printable } from "../../../text/printable.ts";
import type { LineChart } from "../../document/block.ts";
import { renderFigure } from "../../render/chart.ts";
import { html, type Markup } from "../../render/markup.ts";
import { describeReason } from "../../text/reason-text.ts";
import { describeView, describeWork, type Place, phaseLeftMs, phaseShare } from "../place.ts";
import { describePreparation } from "../terminal/event-text.ts";
import type { LiveState, TracePoint } from "./state.ts";

/** What is to be seen now: each region of the page as markup, in which whatever came from outside is text. */
export function viewOf(state: LiveState) {
  return {
    regions: {
      headline: renderHeadline(state).markup,
      now: renderNow(state).markup,
      charts: renderCharts(state).markup,
      known: renderKnown(state).markup,
      warnings: renderWarnings(state).markup,
    },
    /** Nothing comes after this one. */
    isOver: state.ended !== null,
  };
}

/** What is going on, said anew only when that changes, since it is read aloud. */
function renderHeadline({ ended, place }: LiveState): Markup {
  const { round, preparing } = place;
  if (ended !== null) return html`${ended}`;
  if (round !== null) return html`${printable(nameOfRound(round))}: ${describeWork(place)}`;
  return html`Getting ready${preparing === null ? "" : `: ${describePreparation(preparing)}`}`;
}

function renderNow({ place, ended }: LiveState): Markup {
  const { round } = place;
  if (round === null) return html``;
  const { position, positions } = round;
  const done = ended === null ? position - 1 : positions;
  const rounds = round.rounds > 1 ? `, round ${round.round} of ${round.rounds}` : "";
  return html`<p>turn ${position} of ${positions}${rounds}</p>
<progress max="${positions}" value="${done}" aria-label="Turns done">${done} of ${positions}</progress>
${place.view === null ? null : renderNumbers(place.view, place)}`;
}

function renderNumbers(view: PhaseView, place: Place): Markup {
  const { kind, done, total, elapsedMs, errors } = view;
  const leftMs = phaseLeftMs(place);
  const what = kind === "connect" ? "connections" : "deliveries";
  const numbers = [
    [what, `${format.formatCount(done)} of ${format.formatCount(total)}`],
    ...describeView(view),
    leftMs === null
      ? ["running for", format.formatDuration(elapsedMs)]
      : ["time left", format.formatDuration(leftMs)],
  ];
  return html`<dl>${numbers.map(
    ([label, value]) =>
      html`<div class="${label === "errors" && errors > 0 ? "bad" : ""}"><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>
<progress max="100" value="${Math.round((phaseShare(place) ?? 0) * 100)}" aria-label="Progress of the phase"></progress>`;
}

/** Both of the phase that runs, everybody on the same axis: those who had their turn, and the one who has it. */
function renderCharts(state: LiveState): Markup {
  const { kind = "connect", workload = null } = state.plan.phases[state.shownPhase] ?? {};
  const title = titleOf({ kind, workload });
  const what = kind === "connect" ? "connections" : "deliveries";
  return html`${renderCourse(state, `${title}: ${what} per second`, "perSecond", (point) => point.ratePerSecond)}${
    kind === "connect"
      ? null
      : renderCourse(state, `${title}: p99 latency`, "latency", (point) => point.p99Us)
  }`;
}

function renderCourse(
  state: LiveState,
  title: string,
  unit: "perSecond" | "latency",
  pick: (point: TracePoint) => number | null,
): Markup {
  const series = state.names.map((name) => ({
    name: printable(name),
    points: state.traceOf(state.shownPhase, name).flatMap((point) => {
      const value = pick(point);
      if (value === null) return [];
      // A log axis has no zero.
      const middle = unit === "latency" ? Math.max(1, value) : value;
      return [{ x: point.second, middle, low: middle, high: middle }];
    }),
  }));
  const drawn = series.filter(({ points }) => points.length > 0);
  const last = drawn.map(
    ({ name, points }) => `${name}: ${formatMeasure({ unit }, points.at(-1)?.middle ?? 0)}`,
  );
  const chart: LineChart = {
    kind: "lines",
    title,
    unit,
    contenders: series.map(({ name }) => name),
    x: "second",
    scale: unit === "latency" ? "log" : "linear",
    series: drawn,
    level: null,
  };
  return renderFigure(chart, `last: ${last.join(", ") || "nothing yet"}`);
}

/** A table for each phase: what stands for the rounds that count, and what became of everybody else. */
function renderKnown(state: LiveState): Markup {
  return html`${listPhases(state.plan.phases).map(({ name, kind }, index) => {
    const measures = decidingMeasures[kind].map(measureOf);
    return html`<h3>${name}</h3><div class="scroll"><table>
<thead><tr><th>contender</th>${measures.map(({ header }) => html`<th class="right">${header}</th>`)}<th></th></tr></thead>
<tbody>${state.names.map((contender) => {
      const phases = state.phasesOf(index, contender);
      const figures = measures.map((measure) => formatMeasure(measure, overRounds({ phases }, measure)));
      return html`<tr><th>${printable(contender)}</th>${figures.map((text) => html`<td class="right">${text}</td>`)}<td>${describeState(state, index, contender)}</td></tr>`;
    })}</tbody></table></div>`;
  })}`;
}

/** Of several rounds the last that does not count says why. */
function describeState(state: LiveState, index: number, name: string): string {
  const { round, phase } = state.place;
  if (round !== null && nameOfRound(round) === name && phase?.index === index) return "running";
  const phases = state.phasesOf(index, name);
  if (phases.length === 0) return state.failures.get(name) ?? (state.ended === null ? "to come" : "not run");
  const failed = phases.findLast(({ reason }) => reason !== null);
  return failed?.reason ? `${failed.status}: ${describeReason(failed.reason)}` : "";
}

function renderWarnings({ warnings }: LiveState): Markup {
  if (warnings.length === 0) return html``;
  return html`<h2>Warnings</h2><ul>${warnings.map((text) => html`<li>${text}</li>`)}</ul>`;
}
