import type { Phase } from "../../../result/schema.ts";
import type { PhaseView } from "../../../run/phases/context.ts";
import * as format from "../../../text/format.ts";
import type { Lane } from "../../report/html/bars.ts";
import type { LineChart, LineSeries } from "../../report/html/chart-model.ts";
import { assignColors } from "../../report/html/color.ts";
import { describeChart, shortTitle } from "../../report/html/figure.ts";
import { renderPanel } from "../../report/html/glance.ts";
import { html, type Markup } from "../../report/html/markup.ts";
import { type Ending, titleOf } from "../../report/section.ts";
import { faultWindows } from "../terminal/progress-line.ts";
import type { LiveState } from "./state.ts";
import type { TracePoint } from "./trace.ts";
import type { LiveUpdate } from "./update.ts";

export function viewOf(state: LiveState): LiveUpdate {
  return {
    regions: {
      headline: renderHeadline(state).markup,
      now: renderNow(state).markup,
      panels: renderPanels(state).markup,
      warnings: renderWarnings(state).markup,
    },
    charts: buildLiveCharts(state).map((chart) => ({
      chart,
      title: shortTitle(chart.title),
      description: describeChart(chart),
    })),
    isOver: state.ended !== null,
  };
}

/** What is going on, said anew only when that changes, since it is read aloud. */
function renderHeadline({ ended, preparing, turn, running, plan }: LiveState): Markup {
  if (ended !== null) return html`${ended}`;
  if (turn === null) return html`${preparing === null ? "Getting ready" : `Getting ready: ${preparing}`}`;
  const phase = running === null ? undefined : plan.phases[running.index];
  const what =
    phase === undefined
      ? turn.isStarting
        ? "starting and warming up"
        : "between two phases"
      : titleOf({ kind: phase.kind, workload: phase.workload ?? null }).toLowerCase();
  return html`${turn.name}: ${what}`;
}

function renderNow({ turn, running, plan, ended, report }: LiveState): Markup {
  if (turn === null) return html``;
  const done = ended === null ? turn.position - 1 : turn.positions;
  const rounds = plan.rounds > 1 ? `, round ${turn.round} of ${plan.rounds}` : "";
  return html`<p class="meta"><span>turn ${turn.position} of ${turn.positions}${rounds}</span></p>
<progress class="run" max="${turn.positions}" value="${done}" aria-label="Turns done">${done} of ${turn.positions}</progress>
${running?.view ? renderNumbers(running.view, running.expectedSeconds) : null}${report === null ? null : html`<p><a href="${report}">The report ${ended === null ? "as it would be now" : "with everything"}</a></p>`}`;
}

function renderNumbers(view: PhaseView, expectedSeconds: number | null): Markup {
  const isConnect = view.kind === "connect";
  const left = expectedSeconds === null ? null : Math.max(0, expectedSeconds * 1000 - view.elapsedMs);
  const numbers: [label: string, value: Markup | string][] = [
    [
      isConnect ? "connections opened" : "deliveries",
      html`${format.formatCount(view.done)} <small>of ${format.formatCount(view.total)}</small>`,
    ],
    ["now", format.formatRate(Math.round(view.ratePerSecond))],
    ...(isConnect
      ? []
      : ([
          ["p50", format.formatLatency(view.p50Us)],
          ["p99", format.formatLatency(view.p99Us)],
        ] as [string, string][])),
    ...describeSearch(view),
    ["errors", format.formatCount(view.errors)],
    left === null
      ? ["running for", format.formatDuration(view.elapsedMs)]
      : ["time left", format.formatDuration(Math.ceil(left / 1000) * 1000)],
  ];
  return html`<dl class="numbers">${numbers.map(
    ([label, value]) =>
      html`<div class="${label === "errors" && view.errors > 0 ? "bad" : ""}"><dt>${label}</dt><dd>${value}</dd></div>`,
  )}</dl>
<progress max="${Math.max(1, view.total)}" value="${view.done}" aria-label="Progress of the phase"></progress>`;
}

/** Capacity and chaos: what is being tried. */
function describeSearch({ step, fault }: PhaseView): [label: string, value: Markup | string][] {
  return [
    ...(step === undefined
      ? []
      : ([
          [`step ${step.number}`, format.formatRate(Math.round(step.ratePerSecond))],
          [
            "held so far",
            step.highestHeldPerSecond === null
              ? format.unknown
              : format.formatRate(Math.round(step.highestHeldPerSecond)),
          ],
        ] as [string, string][])),
    ...(fault === undefined
      ? []
      : ([
          [
            "fault",
            html`${fault.name} <small>${fault.number} of ${fault.count}, ${faultWindows[fault.window]}</small>`,
          ],
        ] as [string, Markup][])),
  ];
}

function renderPanels(state: LiveState): Markup {
  const colors = assignColors(state.names);
  return html`${state.plan.phases.map(({ kind, workload = null }, index) =>
    renderPanel(
      { kind, workload },
      state.names.map((name) => laneOf(state, index, name)),
      state.plan,
      colors,
    ),
  )}`;
}

function laneOf(state: LiveState, index: number, name: string): Lane {
  const phases = state.phasesOf(index, name);
  const isRunning = state.turn?.name === name && state.running?.index === index;
  const endings = phases.flatMap(({ status, reason }): Ending[] =>
    status === "ok" ? [] : [{ status, reason }],
  );
  const failure = state.failures.get(name);
  const pending = isRunning ? "running" : phases.length === 0 && state.ended === null ? "to come" : null;
  return {
    name,
    phases,
    endings: phases.length === 0 && failure !== undefined ? [{ status: "failed", reason: failure }] : endings,
    pending: failure !== undefined && !isRunning ? null : pending,
    atLeast: null,
  };
}

function renderWarnings({ warnings }: LiveState): Markup {
  return warnings.length === 0
    ? html``
    : html`<div class="alert warning"><h2>Warnings</h2><ul>${warnings.map((text) => html`<li>${text}</li>`)}</ul></div>`;
}

/** Both of the phase that runs, everybody on the same axis: those who had their turn, and the one who has it. */
export function buildLiveCharts(state: LiveState): LineChart[] {
  const index = state.shownPhase;
  const { kind = "connect", workload = null } = state.plan.phases[index] ?? {};
  const title = titleOf({ kind, workload });
  const series = (pick: (point: TracePoint) => number | null) =>
    state.names.map(
      (name, color): LineSeries => ({
        name,
        color,
        status: statusOf(state.phasesOf(index, name).at(-1)),
        points: state.traceOf(index, name).flatMap((point) => {
          const value = pick(point);
          return value === null ? [] : [{ x: point.second, middle: value, low: value, high: value }];
        }),
      }),
    );
  const offered = kind === "endurance" ? { name: "offered", value: state.plan.enduranceRatePerSecond } : null;
  const common = { kind: "lines", x: "second" } as const;
  return [
    {
      ...common,
      id: "live-rate",
      title: `${title}: ${kind === "connect" ? "connections" : "deliveries"} per second`,
      unit: "perSecond",
      scale: "linear",
      level: offered,
      series: series(({ ratePerSecond }) => ratePerSecond),
    },
    {
      ...common,
      id: "live-latency",
      title: `${title}: p99 latency`,
      unit: "us",
      scale: "log",
      level: null,
      series: series(({ p99Us }) => (p99Us === null ? null : Math.max(1, p99Us))),
    },
  ];
}

function statusOf(phase: Phase | undefined): Phase["status"] {
  return phase?.status ?? "ok";
}
