import { decidingMeasures, measureOf } from "../../../measures/catalogue.ts";
import { isRan, nameOf, nameOfRound } from "../../../measures/sections.ts";
import type { Plan } from "../../../plan/plan.ts";
import type { Phase, RanPhase } from "../../../result/phase.ts";
import type { PhaseView, RunEvent } from "../../../run/events.ts";
import { describeReason } from "../../text/reason-text.ts";
import { describeNotRun, describeWarning } from "../../text/warning-text.ts";
import { advance, start } from "../place.ts";

/** A moment of a phase. */
export interface TracePoint {
  /** Since the phase's start. */
  readonly second: number;
  /** Connections or deliveries. */
  readonly ratePerSecond: number;
  readonly p99Us: number | null;
}

/** What is known of a phase of one contender: figures of the rounds that count, in the order of `decidingMeasures`. */
export interface Known {
  readonly figures: readonly (readonly number[])[];
  /** Why the last round that doesn't count does not. */
  readonly ending: string | null;
}

const mostWarnings = 20;
/** More would only make each update longer. */
const mostPoints = 240;

/** What a run has come to, as its events tell: what somebody sees who looks now, whenever they came. */
export class LiveState {
  readonly plan: Plan;
  readonly names: readonly string[];
  /** Where the report stands that goes with it; null where there is none yet. */
  readonly report: string | null;
  place = start;
  /** The end of the run in words; null while it goes on. */
  ended: string | null = null;
  readonly warnings: string[] = [];
  /** The phase whose course is shown: the one that runs, or the last that did. */
  shownPhase = 0;
  /** Why a contender takes no part, or its round ended before its phases did. */
  readonly failures = new Map<string, string>();
  readonly #known = new Map<string, Known>();
  /** Of the last round. */
  readonly #traces = new Map<string, readonly TracePoint[]>();

  constructor(plan: Plan, { report = null }: { readonly report?: string | null } = {}) {
    this.plan = plan;
    this.report = report;
    this.names = plan.entrants.map(({ contender, variant }) => nameOf({ name: contender, variant }));
  }

  note(event: RunEvent): void {
    const { round, phase } = this.place;
    const key = round === null || phase === null ? null : keyOf(phase.index, nameOfRound(round));
    this.place = advance(this.place, event);
    switch (event.kind) {
      case "warning":
        if (this.warnings.length < mostWarnings) this.warnings.push(describeWarning(event.warning));
        return;
      case "not-run":
        this.failures.set(nameOfRound(event), describeNotRun(event.reason));
        return;
      case "phase-started":
        this.shownPhase = event.index;
        if (round !== null) this.#traces.delete(keyOf(event.index, nameOfRound(round)));
        return;
      case "phase-progress":
        if (key !== null) this.#traces.set(key, addView(this.#traces.get(key) ?? [], event.view));
        return;
      case "phase-ended": {
        if (key === null) return;
        this.#known.set(key, addPhase(this.#known.get(key), event.phase));
        const trace = isRan(event.phase) ? traceOf(event.phase) : null;
        if (trace !== null) this.#traces.set(key, trace);
        return;
      }
      case "round-ended": {
        const { reason } = event.round;
        if (reason !== null) this.failures.set(nameOfRound(event.round), describeReason(reason));
        return;
      }
      default:
        return;
    }
  }

  knownOf(index: number, name: string): Known | null {
    return this.#known.get(keyOf(index, name)) ?? null;
  }

  traceOf(index: number, name: string): readonly TracePoint[] {
    return this.#traces.get(keyOf(index, name)) ?? [];
  }
}

function keyOf(index: number, name: string): string {
  return `${index} ${name}`;
}

function addPhase(known: Known | undefined, phase: Phase): Known {
  const before = known?.figures ?? [];
  const { status, reason } = phase;
  if (reason !== null) return { figures: before, ending: `${status}: ${describeReason(reason)}` };
  const figures = decidingMeasures[phase.kind].map((name, at) => {
    const value = isRan(phase) ? measureOf(name).pick(phase) : null;
    return value === null ? (before[at] ?? []) : [...(before[at] ?? []), value];
  });
  return { figures, ending: known?.ending ?? null };
}

/** With a moment more, at most one a second; of too many every other one goes. */
export function addView(trace: readonly TracePoint[], view: PhaseView): readonly TracePoint[] {
  // Rates are of the last whole second: before there is one, nothing is known, which is not zero.
  if (view.elapsedMs < 1000 && view.ratePerSecond === 0) return trace;
  const second = Math.round(view.elapsedMs / 10) / 100;
  const last = trace.at(-1);
  if (last !== undefined && second - last.second < 1) return trace;
  const longer = [...trace, { second, ratePerSecond: view.ratePerSecond, p99Us: view.p99Us }];
  return longer.length > mostPoints ? longer.filter((_, index) => index % 2 === 0) : longer;
}

/** As the phase's result has it; null where the phase was too short for that. */
function traceOf(phase: RanPhase): readonly TracePoint[] | null {
  if (!("timeline" in phase)) return null;
  const { bucketSeconds, buckets } = phase.timeline;
  const whole = buckets.filter((_, at) => (at + 1) * bucketSeconds * 1000 <= phase.durationMs);
  if (whole.length < 3) return null;
  return whole.map(({ delivered, p99Us }, at) => ({
    second: (at + 1) * bucketSeconds,
    ratePerSecond: delivered / bucketSeconds,
    p99Us,
  }));
}
