import type { Phase } from "../../../result/schema.ts";
import type { PhaseView } from "../../../run/phases/context.ts";

/** A moment of a phase. */
export interface TracePoint {
  /** Since the phase's start. */
  readonly second: number;
  /** Connections or deliveries. */
  readonly ratePerSecond: number;
  readonly p99Us: number | null;
}

/** More would only make each update longer. */
const mostPoints = 240;
/** Closer together than the page is updated. */
const leastStepSeconds = 0.2;

/** With a moment more; of too many every other one goes. */
export function addView(trace: readonly TracePoint[], view: PhaseView): readonly TracePoint[] {
  // Rates are of the last whole second: before there is one, nothing is known, which is not zero.
  if (view.elapsedMs < 1000 && view.ratePerSecond === 0) return trace;
  const second = Math.round(view.elapsedMs / 10) / 100;
  const last = trace.at(-1);
  if (last !== undefined && second - last.second < leastStepSeconds) return trace;
  const longer = [...trace, { second, ratePerSecond: view.ratePerSecond, p99Us: view.p99Us }];
  return longer.length > mostPoints ? longer.filter((_, index) => index % 2 === 0) : longer;
}

/** As the phase's result has it, second by second; null where the phase was too short for that. */
export function traceOf({ timeline, durationMs }: Phase): readonly TracePoint[] | null {
  const whole = timeline.filter(({ second }) => (second + 1) * 1000 <= durationMs);
  return whole.length < 3
    ? null
    : whole.map(({ second, delivered, p99Us }) => ({ second: second + 1, ratePerSecond: delivered, p99Us }));
}
