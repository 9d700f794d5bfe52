import type { Phase } from "../../../result/schema.ts";
import type { RunEvent } from "../../../run/events.ts";
import type { FaultView } from "../../../run/phases/context.ts";
import * as format from "../../../text/format.ts";
import type { Painter } from "../../../text/style.ts";
import { describeCapacity } from "../../report/capacity.ts";
import { isDeath } from "../../report/fault-table.ts";
import { statusStyle } from "../../report/headline-columns.ts";
import { measures } from "../../report/measure.ts";
import {
  currentEntrant,
  currentRate,
  type ProgressState,
  phaseLeftMs,
  phaseShare,
  recentRates,
  runLeftMs,
} from "./progress-state.ts";
import { drawBar, drawSparkline } from "./sparkline.ts";

/** A piece of a line; those with the lowest rank stay longest where there is little room. */
interface Piece {
  readonly text: string;
  readonly rank: number;
}

const barWidth = 20;

/** What an event has to say for good, in one line; null when it only moves the status. */
export function describeEvent(event: RunEvent, paint: Painter): string | null {
  switch (event.kind) {
    case "preparing":
      return event.text;
    case "build-output":
      return paint(`  ${event.contender} | ${event.line}`, "dim");
    case "round-started": {
      const { position, positions, round, rounds } = event;
      const which = rounds > 1 ? `, round ${round} of ${rounds}` : "";
      return `${paint(`[${position}/${positions}]`, "dim")} ${paint(nameOf(event), "strong")}${which}`;
    }
    case "server-ready":
      return `  ready after ${format.formatCount(event.readyMs)} ms`;
    case "phase-started": {
      const lasts =
        event.expectedSeconds === null ? "" : `, ${format.formatDuration(event.expectedSeconds * 1000)}`;
      return `  ${nameOfPhase(event.phaseKind, event.workload)} (${event.index + 1} of ${event.count}${lasts})`;
    }
    case "phase-progress":
      return null;
    case "phase-ended":
      return describePhase(event.phase, paint);
    case "round-ended": {
      const { status, reason, shutdown } = event.round;
      if (status !== "ok")
        return `  ${paint(`${status}: ${reason ?? "no reason given"}`, statusStyle(status))}`;
      const stop = shutdown === null ? "" : `, stopped within ${format.formatCount(shutdown.exitMs)} ms`;
      return `  done${stop}`;
    }
    case "warning":
      return paint(`warning: ${event.text}`, "warning");
  }
}

function nameOf({ contender, variant }: { readonly contender: string; readonly variant: string }): string {
  return variant === "default" ? contender : `${contender}:${variant}`;
}

function nameOfPhase(kind: Phase["kind"], workload: Phase["workload"]): string {
  return workload === null ? kind : `${kind} ${workload}`;
}

function describePhase(phase: Phase, paint: Painter): string {
  const { status, reason, connections, connect, throughput, rate, latencyUs, messages } = phase;
  const isOk = status === "ok";
  const name = nameOfPhase(phase.kind, phase.workload).padEnd(18);
  const figures = [
    ...(isOk ? [] : [paint(`${status}: ${reason ?? "no reason given"}`, statusStyle(status))]),
    ...(phase.kind === "connect" && connections.requested > 0
      ? [`${format.formatCount(connections.opened)} of ${format.formatCount(connections.requested)} opened`]
      : []),
    ...(isOk && connect !== null ? [format.formatRate(connect.connectionsPerSecond)] : []),
    ...(phase.capacity !== null
      ? [`sustained ${describeCapacity(phase.capacity)}`]
      : rate !== null
        ? [`${format.formatRate(rate.heldPerSecond)} of ${format.formatRate(rate.offeredPerSecond)} held`]
        : throughput !== null
          ? [`${format.formatRate(throughput.deliveriesPerSecond)}`]
          : []),
    ...(isOk && latencyUs !== null
      ? [`p50 ${format.formatLatency(latencyUs.p50)}, p99 ${format.formatLatency(latencyUs.p99)}`]
      : []),
    ...(messages === null || phase.capacity !== null
      ? []
      : [`${format.formatCount(messages.delivered)} of ${format.formatCount(messages.expected)} delivered`]),
    ...(phase.chaos === null || phase.chaos.faults.length === 0
      ? []
      : [
          format.plural(phase.chaos.faults.length, "fault"),
          `others ${measures.inTime.format(measures.inTime.pick(phase))} in time`,
        ]),
    ...(phase.chaos?.faults ?? []).filter(isDeath).map(({ fault }) => paint(`died of ${fault}`, "bad")),
    ...phase.findings
      .filter(({ kind }) => kind !== "limit")
      .map(({ kind, count }) => paint(`${format.formatCount(count)} ${kind}`, "warning")),
  ];
  return `  ${paint(isOk ? "✓" : "✗", statusStyle(status))} ${name} ${figures.join(", ")}`;
}

/** The status on a terminal: at most two lines of fewer than `columns` characters. */
export function statusLines(state: ProgressState, columns: number, nowMs: number, paint: Painter): string[] {
  const { round, phase, building } = state;
  if (building !== null) return [paint(cut(`  ${building}`, columns), "dim")];
  if (round === null) return [];
  const left = runLeftMs(state, nowMs);
  const place = [
    { text: currentEntrant(state), rank: 0 },
    ...(phase === null
      ? [{ text: describePause(state), rank: 1 }]
      : [
          { text: nameOfPhase(phase.phaseKind, phase.workload), rank: 1 },
          ...describeStep(state),
          { text: `phase ${phase.index + 1} of ${phase.count}`, rank: 5 },
        ]),
    ...(round.rounds > 1 ? [{ text: `round ${round.round} of ${round.rounds}`, rank: 4 }] : []),
    { text: `${round.position} of ${round.positions}`, rank: 3 },
    ...(left === null
      ? []
      : [{ text: `about ${format.formatDuration(roughly(left))} left in all`, rank: 2 }]),
  ];
  const first = fit(place, " · ", columns);
  return phase === null ? [first] : [first, fit(phasePieces(state, nowMs, true), "  ", columns)];
}

export const faultWindows = {
  before: "about to strike",
  under: "striking",
  after: "over",
} as const satisfies Record<FaultView["window"], string>;

function describeFaultView({ name, number, count, window }: FaultView): string {
  return `${name} ${faultWindows[window]} (${number} of ${count})`;
}

/** Capacity: what is being tried, and what is known so far. Chaos: which fault. */
function describeStep({ view }: ProgressState): Piece[] {
  if (view?.fault !== undefined) return [{ text: describeFaultView(view.fault), rank: 2 }];
  if (view?.step === undefined) return [];
  const { number, ratePerSecond, highestHeldPerSecond } = view.step;
  return [
    { text: `step ${number} at ${format.formatRate(Math.round(ratePerSecond))}`, rank: 2 },
    ...(highestHeldPerSecond === null
      ? []
      : [{ text: `${format.formatRate(Math.round(highestHeldPerSecond))} held`, rank: 4 }]),
  ];
}

function describePause({ phasesEnded, timing }: ProgressState): string {
  if (phasesEnded === 0) return "starting and warming up";
  return phasesEnded < (timing?.plan.phases.length ?? 0) ? "between phases" : "stopping";
}

/** The same in one line, for a log. */
export function describeProgress(state: ProgressState, nowMs: number): string {
  const { phase } = state;
  const name = phase === null ? "" : nameOfPhase(phase.phaseKind, phase.workload);
  const left = runLeftMs(state, nowMs);
  const pieces = phasePieces(state, nowMs, false).map(({ text }) => text);
  const run = left === null ? [] : [`about ${format.formatDuration(roughly(left))} in all`];
  const step = describeStep(state).map(({ text }) => text);
  return `  … ${[`${currentEntrant(state)} ${name}`, ...step, ...pieces, ...run].join(", ")}`;
}

function phasePieces(state: ProgressState, nowMs: number, isDrawn: boolean): Piece[] {
  const { view } = state;
  const share = phaseShare(state);
  const left = phaseLeftMs(state, nowMs);
  const rate = currentRate(state);
  return [
    ...(isDrawn ? [{ text: drawBar(share, barWidth), rank: 2 }] : []),
    { text: `${String(Math.floor(share * 100)).padStart(isDrawn ? 3 : 0)} %`, rank: 0 },
    ...(rate === null
      ? []
      : [{ text: format.formatRate(Math.round(rate)).padStart(isDrawn ? 9 : 0), rank: 1 }]),
    ...(isDrawn ? [{ text: drawSparkline(recentRates(state)), rank: 6 }] : []),
    ...(view?.p50Us == null ? [] : [{ text: `p50 ${format.formatLatency(view.p50Us)}`, rank: 5 }]),
    ...(view?.p99Us == null ? [] : [{ text: `p99 ${format.formatLatency(view.p99Us)}`, rank: 4 }]),
    ...(view === null || view.errors === 0 ? [] : [{ text: format.plural(view.errors, "error"), rank: 1 }]),
    ...(left === null ? [] : [{ text: `${format.formatDuration(roughly(left))} left`, rank: 3 }]),
  ].filter(({ text }) => text !== "");
}

/** Tenths of a second would only flicker. */
function roughly(ms: number): number {
  return Math.ceil(ms / 1000) * 1000;
}

/** Leaves out pieces, the least important first, until the rest fits; the last one is cut. */
function fit(pieces: readonly Piece[], between: string, columns: number): string {
  const text = pieces.map((piece) => piece.text).join(between);
  if (Bun.stringWidth(text) < columns) return text;
  if (pieces.length <= 1) return cut(text, columns);
  const last = Math.max(...pieces.map(({ rank }) => rank));
  return fit(
    pieces.filter(({ rank }) => rank < last),
    between,
    columns,
  );
}

/** One column stays free: a terminal breaks a line that fills it. */
function cut(text: string, columns: number): string {
  return Bun.sliceAnsi(text, 0, Math.max(0, columns - 1));
}
