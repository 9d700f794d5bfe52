import { type Figure, listFigures } from "../../measures/figures.ts";
import { formatMeasure, type Unit } from "../../measures/measure.ts";
import type { Result } from "../../result/schema.ts";
import { printable } from "../../text/printable.ts";
import type { Change } from "./change.ts";
import { describeMissing, explainChange, formatChange, formatLimits } from "./change-text.ts";
import { type Comparison, listChanges } from "./comparison.ts";
import type { Gate } from "./gate-grammar.ts";
import type { Selector } from "./selector.ts";

/**
 * A gate held against one contender in one phase. `undecided`: a change that can't be judged, so that neither
 * "passed" nor "failed" would be true.
 */
export interface GateOutcome {
  readonly expression: string;
  readonly contender: string;
  readonly phase: string;
  readonly measure: string;
  readonly unit: Unit;
  /** In `unit`, of the run that was measured last; null where there is none. */
  readonly value: number | null;
  readonly outcome: "passed" | "failed" | "undecided";
  /** `latency.p99 of go-gorilla in endurance-echo is 62 ms; the limit is < 50 ms` */
  readonly text: string;
}

/**
 * Holds a result against thresholds: each against every contender and phase that it points at. The median of the
 * rounds counts, of faults (lost, duplicated, …) and of `latency.max` the worst round. What is unknown does not pass.
 */
export function checkThresholds(result: Result, gates: readonly Gate[]): GateOutcome[] {
  const figures = listFigures(result);
  return gates.flatMap((gate) => {
    const expected = `the limit is ${gate.operator} ${formatMeasure(gate.selector.measure, gate.value)}`;
    const checked = figures.filter((figure) => isMeant(gate.selector, figure));
    if (checked.length === 0) return [absent(gate, "failed", `is unknown (it did not run); ${expected}`)];
    return checked.map((figure): GateOutcome => {
      const { value, measure } = figure;
      const is = value === null ? `unknown (${describeMissing(figure)})` : formatMeasure(measure, value);
      const outcome = value !== null && holds(value, gate) ? "passed" : "failed";
      return { ...about(gate, figure), outcome, text: `${nameFigure(figure)} is ${is}; ${expected}` };
    });
  });
}

/** Holds a comparison against what it is to fail on: each against every contender and phase that it points at. */
export function checkFailOns(comparison: Comparison, gates: readonly Gate[]): GateOutcome[] {
  return gates.flatMap((gate) => {
    const checked = listChanges(comparison).filter(({ after }) => isMeant(gate.selector, after));
    if (checked.length === 0) return [absent(gate, "undecided", "is not in both runs")];
    return checked.map((change) => ({ ...about(gate, change.after), ...decide(change, gate) }));
  });
}

/** `failed`: the change is at least as large as was said and beyond doubt, or B has no value where A had one. */
function decide(change: Change, { value: share }: Gate): Pick<GateOutcome, "outcome" | "text"> {
  const { kind, ratio, limits, before, after } = change;
  const what = nameFigure(after);
  const isGone = before.value !== null && after.value === null;
  if ((kind === "missing" || kind === "not-reached") && isGone) {
    return { outcome: "failed", text: `${what} has no value any more (${explainChange(change)})` };
  }
  if (ratio === null && kind === "worse") {
    return { outcome: "failed", text: `${what} is ${describeMissing(after)}, and was reached before` };
  }
  if (ratio === null && kind === "better") {
    return { outcome: "passed", text: `${what} was ${describeMissing(before)}, and is reached now` };
  }
  if (kind === "no-ratio" && before.value === after.value) {
    return { outcome: "passed", text: `${what} is ${formatMeasure(after.measure, after.value)} in both` };
  }
  if (ratio === null || limits === null) {
    return { outcome: "undecided", text: `${what} can't be judged: ${explainChange(change)}` };
  }
  const reached = after.measure.better === "higher" ? ratio <= 1 - share : ratio >= 1 + share;
  const text = `${what} changed by ${formatChange(ratio)} (95 % CI ${formatLimits(limits)})`;
  if (kind === "worse")
    return reached ? { outcome: "failed", text } : { outcome: "passed", text: `${text}: less` };
  if (kind === "better") return { outcome: "passed", text: `${text}: better` };
  return { outcome: "passed", text: `${text}: ${reached ? "not beyond doubt" : "no clear change"}` };
}

function isMeant({ contender, phases, measure }: Selector, figure: Figure): boolean {
  return (
    figure.measure === measure &&
    phases.includes(figure.phase) &&
    (contender === null || figure.contender === contender)
  );
}

type Named = Pick<Figure, "measure" | "contender" | "phase" | "value">;

function nameFigure({ measure, contender, phase }: Named): string {
  return `${measure.name} of ${contender} in ${phase}`;
}

function about({ expression }: Gate, { contender, phase, measure, value }: Named) {
  return { expression, contender, phase, measure: measure.name, unit: measure.unit, value };
}

/** One that never ran has no figure, and has not met anything either. */
function absent(gate: Gate, outcome: GateOutcome["outcome"], what: string): GateOutcome {
  const { measure, contender, phases } = gate.selector;
  const name = { measure, contender: contender ?? "every contender", phase: phases.join(", "), value: null };
  return { ...about(gate, name), outcome, text: `${nameFigure(name)} ${what}` };
}

function holds(figure: number, { operator, value }: Gate): boolean {
  if (operator === "=") return figure === value;
  if (figure === value) return operator.endsWith("=");
  return figure < value === operator.startsWith("<");
}

/** `failed: "…": …`, as the commands print it. */
export function describeOutcome({ outcome, expression, text }: GateOutcome): string {
  return printable(`${outcome}: "${expression}": ${text}`);
}
