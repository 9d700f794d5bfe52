import { nameOf, nameOfRound } from "../../../measures/sections.ts";
import type { Plan } from "../../../plan/plan.ts";
import type { Phase } from "../../../result/phase.ts";
import type { PhaseView, RunEvent } from "../../../run/events.ts";
import { describeReason } from "../../text/reason-text.ts";
import { describeNotRun, describeWarning } from "../../text/warning-text.ts";
import { advance, start } from "../place.ts";
import { addPoint } from "./parts.ts";

/** A moment of a phase. */
export interface TracePoint {
  /** Since the phase's start. */
  readonly second: number;
  /** Connections or deliveries. */
  readonly ratePerSecond: number;
  readonly p99Us: number | null;
}

const mostWarnings = 20;

/** What a run has come to, as its events tell: what somebody sees who looks now, whenever they came. */
export class LiveState {
  readonly plan: Plan;
  readonly names: readonly string[];
  place = start;
  /** The end of the run in words; null while it goes on. */
  ended: string | null = null;
  readonly warnings: string[] = [];
  /** The phase whose course is shown: the one that runs, or the last that did. */
  shownPhase = 0;
  /** Why a contender takes no part, or its round ended before its phases did. */
  readonly failures = new Map<string, string>();
  readonly #phases = new Map<string, readonly Phase[]>();
  /** Of the last round. */
  readonly #traces = new Map<string, readonly TracePoint[]>();

  constructor(plan: Plan) {
    this.plan = plan;
    this.names = plan.entrants.map(({ contender, variant }) => nameOf({ name: contender, variant }));
  }

  note(event: RunEvent): void {
    // Read before it is forgotten, where the phase ends.
    const key = this.#keyOf(event);
    this.place = advance(this.place, event);
    switch (event.kind) {
      case "warning":
        if (this.warnings.length < mostWarnings) this.warnings.push(describeWarning(event.warning));
        break;
      case "not-run":
        this.failures.set(nameOfRound(event), describeNotRun(event.reason));
        break;
      case "phase-started":
        this.shownPhase = event.index;
        this.#traces.delete(keyOf(event.index, nameOfRound(event)));
        break;
      case "phase-progress":
        this.#traces.set(key, addView(this.#traces.get(key) ?? [], event.view));
        break;
      case "phase-ended":
        this.#phases.set(key, [...(this.#phases.get(key) ?? []), event.phase]);
        break;
      case "round-ended":
        if (event.round.reason !== null)
          this.failures.set(nameOfRound(event.round), describeReason(event.round.reason));
        break;
    }
  }

  /** Of the phase that the event is of; empty where it is of none. */
  #keyOf(event: RunEvent): string {
    const phase = "position" in event ? this.place.turns.get(event.position)?.phase : null;
    return phase == null || !("position" in event) ? "" : keyOf(phase.index, nameOfRound(event));
  }

  /** Those that have ended, one for each round that came to it. */
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

/** With a moment more, at most one a second; of too many every other one goes. */
export function addView(trace: readonly TracePoint[], view: PhaseView): readonly TracePoint[] {
  // Rates are of the last whole second: before there is one, nothing is known, which is not zero.
  if (view.elapsedMs < 1000 && view.ratePerSecond === 0) return trace;
  const second = Math.round(view.elapsedMs / 10) / 100;
  const last = trace.at(-1);
  if (last !== undefined && second - last.second < 1) return trace;
  return addPoint(trace, { second, ratePerSecond: view.ratePerSecond, p99Us: view.p99Us });
}
