import { decidingMeasures, measureOf } from "../../../measures/catalogue.ts";
import { overRounds } from "../../../measures/figures.ts";
import { formatMeasure } from "../../../measures/measure.ts";
import { listPhases, nameOfRound, titleOf } from "../../../measures/sections.ts";
import type { Plan } from "../../../plan/plan.ts";
import type { PhaseView, RunEvent } from "../../../run/events.ts";
import * as format from "../../../text/format.ts";
import { printable } from "../../../text/printable.ts";
import { html, type Markup } from "../../render/markup.ts";
import { describeReason } from "../../text/reason-text.ts";
import { describeView, describeWork, type Place, phaseLeftMs, phaseShare } from "../place.ts";
import { describePreparation } from "../terminal/event-text.ts";
import type { LiveUpdate, LiveView } from "./live-page.ts";
import { renderCourse, renderNumberList, renderWarnings } from "./parts.ts";
import { LiveState, type TracePoint } from "./state.ts";

/** A run. */
export function showRun(plan: Plan): LiveView<RunEvent> {
  const state = new LiveState(plan);
  return {
    sections: html`<section id="charts" class="charts" aria-label="The phase that runs"></section>
<section><h2>So far</h2>
<p>Medians of the rounds that ended well.</p>
<div id="known"></div></section>`,
    note: (event) => state.note(event),
    end: (ending) => {
      state.ended = ending;
    },
    look: () => viewOf(state),
  };
}

export function viewOf(state: LiveState): LiveUpdate {
  return {
    regions: {
      headline: renderHeadline(state).markup,
      now: renderNow(state).markup,
      charts: renderCharts(state).markup,
      known: renderKnown(state).markup,
      warnings: renderWarnings(state.warnings).markup,
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
  return html`${renderNumberList(numbers.map(([label, value]) => ({ label, value, isBad: label === "errors" && errors > 0 })))}
<progress max="100" value="${Math.round((phaseShare(place) ?? 0) * 100)}" aria-label="Progress of the phase"></progress>`;
}

/** Both of the phase that runs, everybody on the same axis: those who had their turn, and the one who has it. */
function renderCharts(state: LiveState): Markup {
  const { kind = "connect", workload = null } = state.plan.phases[state.shownPhase] ?? {};
  const title = titleOf({ kind, workload });
  const what = kind === "connect" ? "connections" : "deliveries";
  const draw = (figure: string, unit: "perSecond" | "latency", pick: (point: TracePoint) => number | null) =>
    renderCourse(
      `${title}: ${figure}`,
      unit,
      state.names.map((name) => ({
        name: printable(name),
        course: state.traceOf(state.shownPhase, name),
        pick,
      })),
    );
  return html`${draw(`${what} per second`, "perSecond", (point) => point.ratePerSecond)}${
    kind === "connect" ? null : draw("p99 latency", "latency", (point) => point.p99Us)
  }`;
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
