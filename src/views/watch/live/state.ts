import { formatEntrant } from "../../../contenders/entrants.ts";
import type { Plan } from "../../../plan/plan.ts";
import type { Phase } from "../../../result/schema.ts";
import type { RunEvent } from "../../../run/events.ts";
import type { PhaseView } from "../../../run/phases/context.ts";
import { addView, type TracePoint, traceOf } from "./trace.ts";

export interface Turn {
  readonly name: string;
  readonly round: number;
  readonly position: number;
  readonly positions: number;
  /** Its first phase has not begun: the server starts, and is warmed up. */
  readonly isStarting: boolean;
}

export interface RunningPhase {
  readonly index: number;
  readonly expectedSeconds: number | null;
  /** Null until the first report. */
  readonly view: PhaseView | null;
}

const mostWarnings = 20;

/** What a run has come to, as its events tell: what somebody sees who looks now, whenever they came. */
export class LiveState {
  readonly plan: Plan;
  readonly names: readonly string[];
  /** What is being done before the first round. */
  preparing: string | null = null;
  turn: Turn | null = null;
  running: RunningPhase | null = null;
  /** The end of the run in words; null while it goes on. */
  ended: string | null = null;
  readonly warnings: string[] = [];
  /** The phase whose course is shown: the one that runs, or the last that did. */
  shownPhase = 0;
  /** By phase and name: one per round that came to it. */
  readonly #phases = new Map<string, Phase[]>();
  /** By phase and name: the course of the last round. */
  readonly #traces = new Map<string, readonly TracePoint[]>();
  /** Why an entrant's round ended before its phases did, by name. */
  readonly failures = new Map<string, string>();

  /** Where the report stands that goes with it; null where there is none yet. */
  readonly report: string | null;

  constructor(plan: Plan, { report = null }: { readonly report?: string | null } = {}) {
    this.plan = plan;
    this.report = report;
    this.names = plan.entrants.map(formatEntrant);
  }

  note(event: RunEvent): void {
    switch (event.kind) {
      case "preparing":
        this.preparing = event.text;
        return;
      case "warning":
        if (this.warnings.length < mostWarnings) this.warnings.push(event.text);
        return;
      case "round-started": {
        const { round, position, positions } = event;
        this.turn = { name: formatEntrant(event), round, position, positions, isStarting: true };
        this.running = null;
        this.preparing = null;
        return;
      }
      case "phase-started": {
        const { index, expectedSeconds } = event;
        this.running = { index, expectedSeconds, view: null };
        this.shownPhase = index;
        if (this.turn === null) return;
        this.turn = { ...this.turn, isStarting: false };
        this.#traces.delete(keyOf(index, this.turn.name));
        return;
      }
      case "phase-progress": {
        const { running, turn } = this;
        if (running === null || turn === null) return;
        this.running = { ...running, view: event.view };
        const key = keyOf(running.index, turn.name);
        this.#traces.set(key, addView(this.#traces.get(key) ?? [], event.view));
        return;
      }
      case "phase-ended": {
        const { running, turn } = this;
        if (running === null || turn === null) return;
        const key = keyOf(running.index, turn.name);
        this.#phases.set(key, [...this.phasesOf(running.index, turn.name), event.phase]);
        const trace = traceOf(event.phase);
        if (trace !== null) this.#traces.set(key, trace);
        this.running = null;
        return;
      }
      case "round-ended": {
        const { round } = event;
        this.running = null;
        if (round.status !== "ok") this.failures.set(formatEntrant(round), round.reason ?? round.status);
        return;
      }
      case "server-ready":
      case "build-output":
        return;
    }
  }

  phasesOf(index: number, name: string): readonly Phase[] {
    return this.#phases.get(keyOf(index, name)) ?? [];
  }

  traceOf(index: number, name: string): readonly TracePoint[] {
    return this.#traces.get(keyOf(index, name)) ?? [];
  }
}

function keyOf(index: number, name: string): string {
  return `${index} ${name}`;
}
