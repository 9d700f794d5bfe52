import { UsageError } from "../../errors.ts";
import type { Change } from "./change.ts";
import { type Comparison, formatChange, listChanges, plannedContenders } from "./comparison.ts";
import { phasesOf } from "./measures.ts";
import { type Parsed, parseSelector, type Scope, type Selector } from "./selector.ts";

/** A change that must not be. */
export interface FailOn {
  /** As it was given. */
  readonly expression: string;
  readonly selector: Selector;
  /** The ratio of B to A from which on it fails: 0.95 for `-5%`, 1.1 for `+10%`. */
  readonly limit: number;
}

/**
 * `failed`: the change is at least as large as was said and beyond doubt, or B has no value where A had one.
 * `undecided`: the two can't be judged, so that neither "passed" nor "failed" would be true.
 */
export interface FailOnOutcome {
  readonly expression: string;
  readonly contender: string;
  readonly phase: string;
  readonly measure: string;
  readonly outcome: "passed" | "failed" | "undecided";
  readonly text: string;
}

const grammar =
  'expected "[CONTENDER] [PHASE] MEASURE -N%" (or +N%), such as "go-gorilla burst-echo throughput -5%"';

/**
 * Reads what a comparison is to fail on.
 *
 * @throws UsageError telling everything that is wrong with any of them, with the nearest names
 */
export function parseFailOns(expressions: readonly string[], comparison: Comparison): FailOn[] {
  const { before, after } = comparison;
  const phases = new Map(
    [...phasesOf(before.plan.phases), ...phasesOf(after.plan.phases)].map((phase) => [phase.name, phase]),
  );
  const scope: Scope = { contenders: plannedContenders(comparison), phases: [...phases.values()] };
  const parsed = expressions.map((expression) => ({ expression, outcome: parseFailOn(expression, scope) }));
  const problems = parsed.flatMap(({ expression, outcome }) =>
    "problem" in outcome ? [`--fail-on "${expression}": ${outcome.problem}`] : [],
  );
  if (problems.length > 0) throw new UsageError(problems.join("\n       "), { hint: grammar });
  return parsed.flatMap(({ outcome }) => ("value" in outcome ? [outcome.value] : []));
}

function parseFailOn(expression: string, scope: Scope): Parsed<FailOn> {
  const match = /^(.*\S)\s+([+\-−])\s*(\d+(?:\.\d+)?)\s*%$/.exec(expression.trim());
  if (match === null)
    return { problem: "expected a change in per cent with its sign at the end, such as -5%" };
  const [, left = "", sign, number = ""] = match;
  const selector = parseSelector(left, scope);
  if ("problem" in selector) return selector;
  const { measure } = selector.value;
  const rises = sign === "+";
  if (rises === (measure.measure.better === "higher")) {
    return {
      problem: `${measure.name} is better when it is ${measure.measure.better}, so this would fail on an improvement; expected ${rises ? "-" : "+"}${number}%`,
    };
  }
  if (!rises && Number(number) >= 100)
    return { problem: `nothing can fall by ${number} %; expected less than 100` };
  const limit = rises ? 1 + Number(number) / 100 : 1 - Number(number) / 100;
  return { value: { expression, selector: selector.value, limit } };
}

/** Holds a comparison against them: each against every contender and phase that it points at. */
export function checkFailOns(comparison: Comparison, failOns: readonly FailOn[]): FailOnOutcome[] {
  return failOns.flatMap((failOn): FailOnOutcome[] => {
    const { expression, selector } = failOn;
    const { contender, phases, measure } = selector;
    const checked = listChanges(comparison).filter(
      (change) =>
        change.measure === measure &&
        phases.includes(change.phase) &&
        (contender === null || change.contender === contender),
    );
    if (checked.length === 0) {
      const phase = phases.join(", ");
      const about = { expression, contender: contender ?? "every contender", phase, measure: measure.name };
      return [
        {
          ...about,
          outcome: "undecided",
          text: `${measure.name} of ${about.contender} in ${phase} is not in both runs`,
        },
      ];
    }
    return checked.map((change) => ({
      expression,
      contender: change.contender,
      phase: change.phase,
      measure: measure.name,
      ...decide(change, failOn),
    }));
  });
}

function decide(change: Change, { limit }: FailOn): Pick<FailOnOutcome, "outcome" | "text"> {
  const { kind, ratio, limits, measure } = change;
  const what = `${measure.name} of ${change.contender} in ${change.phase}`;
  if (kind === "missing" && change.before !== null) {
    return { outcome: "failed", text: `${what} has no value any more (${change.reason})` };
  }
  if (kind === "no-ratio" && change.before === change.after) {
    return { outcome: "passed", text: `${what} is ${measure.measure.format(change.after)} in both` };
  }
  if (ratio === null || limits === null) {
    return { outcome: "undecided", text: `${what} can't be judged: ${change.reason}` };
  }
  const reached = limit < 1 ? ratio <= limit : ratio >= limit;
  const text = `${what} changed by ${formatChange(ratio)} (${formatLimits(limits)})`;
  if (kind === "worse" && reached) return { outcome: "failed", text };
  const why =
    kind === "worse"
      ? "less than that"
      : kind === "better"
        ? "for the better"
        : reached
          ? "not beyond doubt"
          : "no clear change";
  return { outcome: "passed", text: `${text}: ${why}` };
}

export function formatLimits([low, high]: readonly [number, number]): string {
  return `${formatChange(low)} to ${formatChange(high)}`;
}
