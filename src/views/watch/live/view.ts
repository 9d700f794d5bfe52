import { decidingMeasures, measureOf } from "../../../measures/catalogue.ts";
import { formatMeasure } from "../../../measures/measure.ts";
import { listPhases, nameOfRound, titleOf } from "../../../measures/sections.ts";
import type { PhaseView } from "../../../run/events.ts";
import { median } from "../../../stats/intervals.ts";
import * as format from "../../../text/format.ts";
import { printable } from "../../../text/printable.ts";
import { html, type Markup } from "../../render/markup.ts";
import { describeView, describeWork, type Place, phaseLeftMs, phaseShare } from "../place.ts";
import { describePreparation } from "../terminal/event-text.ts";
import type { LiveUpdate } from "./broadcast.ts";
import { renderLiveChart } from "./chart.ts";
import type { LiveState, TracePoint } from "./state.ts";

/** What is to be seen now: each region of the page as markup, in which whatever came from outside is text. */
export function viewOf(state: LiveState): LiveUpdate {
  return {
    regions: {
      headline: renderHeadline(state).markup,
      now: renderNow(state).markup,
      charts: renderCharts(state).markup,
      known: renderKnown(state).markup,
      warnings: renderWarnings(state).markup,
    },
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

function renderNow({ place, ended, report }: LiveState): Markup {
  const { round } = place;
  if (round === null) return html``;
  const { position, positions } = round;
  const done = ended === null ? position - 1 : positions;
  const rounds = round.rounds > 1 ? `, round ${round.round} of ${round.rounds}` : "";
  const link = ended === null ? "Report so far" : "Full report";
  return html`<p>turn ${position} of ${positions}${rounds}</p>
<progress max="${positions}" value="${done}" aria-label="Turns done">${done} of ${positions}</progress>
${place.view === null ? null : renderNumbers(place.view, place)}${report === null ? null : html`<p><a href="${report}">${link}</a></p>`}`;
}

function renderNumbers(view: PhaseView, place: Place): Markup {
  const { kind, done, total, elapsedMs, errors } = view;
  const leftMs = phaseLeftMs(place);
  const numbers: readonly (readonly [label: string, value: string])[] = [
    [
      kind === "connect" ? "connections" : "deliveries",
      `${format.formatCount(done)} of ${format.formatCount(total)}`,
    ],
    ...describeView(view),
    leftMs === null
      ? ["running for", format.formatDuration(elapsedMs)]
      : ["time left", format.formatDuration(Math.ceil(leftMs / 1000) * 1000)],
  ];
  return html`<dl>${numbers.map(
    ([label, value]) =>
      html`<div class="${label === "errors" && errors > 0 ? "bad" : ""}"><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>
<progress max="100" value="${Math.round((phaseShare(place) ?? 0) * 100)}" aria-label="Progress of the phase"></progress>`;
}

/** Both of the phase that runs, everybody on the same axis: those who had their turn, and the one who has it. */
function renderCharts(state: LiveState): Markup {
  const index = state.shownPhase;
  const { kind = "connect", workload = null } = state.plan.phases[index] ?? {};
  const title = titleOf({ kind, workload });
  const series = (pick: (point: TracePoint) => number | null) =>
    state.names.map((name) => ({
      name: printable(name),
      points: state.traceOf(index, name).flatMap((point): [number, number][] => {
        const value = pick(point);
        return value === null ? [] : [[point.second, value]];
      }),
    }));
  return html`${renderLiveChart({
    title: `${title}: ${kind === "connect" ? "connections" : "deliveries"} per second`,
    scale: "linear",
    format: format.formatRate,
    series: series(({ ratePerSecond }) => ratePerSecond),
  })}${
    kind === "connect"
      ? null
      : renderLiveChart({
          title: `${title}: p99 latency`,
          scale: "log",
          format: format.formatLatency,
          series: series(({ p99Us }) => (p99Us === null ? null : Math.max(1, p99Us))),
        })
  }`;
}

/** A table for each phase: medians of the rounds that count, and what became of everybody else. */
function renderKnown(state: LiveState): Markup {
  return html`${listPhases(state.plan.phases).map(({ name, kind }, index) => {
    const measures = decidingMeasures[kind].map(measureOf);
    return html`<h3>${name}</h3><div class="scroll"><table>
<thead><tr><th>contender</th>${measures.map(({ header }) => html`<th class="right">${header}</th>`)}<th></th></tr></thead>
<tbody>${state.names.map((contender) => {
      const known = state.knownOf(index, contender);
      return html`<tr><th>${printable(contender)}</th>${measures.map((measure, at) => {
        const values = known?.figures[at] ?? [];
        return html`<td class="right">${formatMeasure(measure, values.length === 0 ? null : median(values))}</td>`;
      })}<td>${describeState(state, index, contender)}</td></tr>`;
    })}</tbody></table></div>`;
  })}`;
}

function describeState(state: LiveState, index: number, name: string): string {
  const { round, phase } = state.place;
  if (round !== null && nameOfRound(round) === name && phase?.index === index) return "running";
  const known = state.knownOf(index, name);
  if (known !== null) return known.ending ?? "";
  return state.failures.get(name) ?? (state.ended === null ? "to come" : "not run");
}

function renderWarnings({ warnings }: LiveState): Markup {
  if (warnings.length === 0) return html``;
  return html`<h2>Warnings</h2><ul>${warnings.map((text) => html`<li>${text}</li>`)}</ul>`;
}
