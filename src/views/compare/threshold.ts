import { formatEntrant } from "../../contenders/entrants.ts";
import { UsageError } from "../../errors.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Result } from "../../result/schema.ts";
import { listFigures, phasesOf, type Unit } from "./measures.ts";
import { type Parsed, parseSelector, type Scope, type Selector } from "./selector.ts";

type Operator = "<" | "<=" | ">" | ">=" | "=";

export interface Threshold {
  /** As it was given. */
  readonly expression: string;
  readonly selector: Selector;
  readonly operator: Operator;
  /** In the unit of the measure. */
  readonly limit: number;
}

/** A threshold held against one contender in one phase. */
export interface ThresholdOutcome {
  readonly expression: string;
  readonly contender: string;
  readonly phase: string;
  readonly measure: string;
  /** In the measure's own unit (`unit`); null where there is none, which does not meet a threshold. */
  readonly value: number | null;
  readonly unit: Unit;
  readonly ok: boolean;
  /** `latency.p99 of go-gorilla in endurance-echo is 62 ms, expected < 50ms` */
  readonly text: string;
}

/** What may follow a number, and by what it is multiplied. */
const units: Readonly<Record<Unit, Readonly<Record<string, number>>>> = {
  latency: { µs: 1, us: 1, ms: 1e3, s: 1e6 },
  cpu: { µs: 1, us: 1, ms: 1e3, s: 1e6 },
  bytes: {
    B: 1,
    kB: 1e3,
    KB: 1e3,
    MB: 1e6,
    GB: 1e9,
    KiB: 1024,
    MiB: 1024 ** 2,
    GiB: 1024 ** 3,
  },
  perSecond: { "/s": 1, "": 1 },
  share: { "%": 0.01 },
  count: { "": 1 },
};

const grammar = `expected "[CONTENDER] [PHASE] MEASURE < VALUE", such as "endurance-echo latency.p99 < 50ms"`;

/**
 * Reads thresholds before anything starts.
 *
 * @throws UsageError telling everything that is wrong with any of them, with the nearest names
 */
export function parseThresholds(
  expressions: readonly string[],
  plan: Pick<Plan, "entrants" | "phases">,
): Threshold[] {
  const scope: Scope = { contenders: plan.entrants.map(formatEntrant), phases: phasesOf(plan.phases) };
  const parsed = expressions.map((expression) => ({
    expression,
    outcome: parseThreshold(expression, scope),
  }));
  const problems = parsed.flatMap(({ expression, outcome }) =>
    "problem" in outcome ? [`--threshold "${expression}": ${outcome.problem}`] : [],
  );
  if (problems.length > 0) throw new UsageError(problems.join("\n       "), { hint: grammar });
  return parsed.flatMap(({ outcome }) => ("value" in outcome ? [outcome.value] : []));
}

function parseThreshold(expression: string, scope: Scope): Parsed<Threshold> {
  const match = /^([^<>=]*)(<=|>=|<|>|=)([^<>=]*)$/.exec(expression);
  if (match === null) return { problem: "expected one of <, <=, >, >=, = between a measure and a value" };
  const [, left = "", operator, right = ""] = match;
  if (left.trim() === "") return { problem: "no measure is named before the operator" };
  const selector = parseSelector(left, scope);
  if ("problem" in selector) return selector;
  const limit = parseLimit(right.trim(), selector.value.measure.unit);
  if ("problem" in limit) return limit;
  return {
    value: { expression, selector: selector.value, operator: operator as Operator, limit: limit.value },
  };
}

function parseLimit(text: string, unit: Unit): Parsed<number> {
  const known = units[unit];
  const names = Object.keys(known).filter((name) => name !== "" && name !== "us");
  const expected =
    names.length === 0
      ? "a number without a unit"
      : `a number with ${names.length === 1 ? "the unit" : "one of the units"} ${names.join(", ")}`;
  const match = /^(\d{1,3}(?:[_,]\d{3})+|\d+)(\.\d+)?\s*(\D*)$/.exec(text);
  // The Greek letter and the micro sign look the same, and keyboards have either.
  const factor = match === null ? undefined : known[(match[3] ?? "").trim().replace("μ", "µ")];
  if (match === null || factor === undefined) return { problem: `value "${text}": expected ${expected}` };
  const value = Number(`${match[1]?.replaceAll(/[_,]/g, "")}${match[2] ?? ""}`) * factor;
  if (unit === "share" && value > 1) return { problem: `value "${text}": expected at most 100 %` };
  return { value };
}

/**
 * Holds a result against thresholds: each against every contender and phase that it points at. The median of the
 * rounds counts, of faults (lost, duplicated, …) and of `latency.max` the worst round.
 */
export function checkThresholds(result: Result, thresholds: readonly Threshold[]): ThresholdOutcome[] {
  const figures = listFigures(result);
  return thresholds.flatMap(({ expression, selector, operator, limit }) => {
    const { contender, phases, measure } = selector;
    const checked = figures.filter(
      (figure) =>
        figure.measure === measure &&
        phases.includes(figure.phase) &&
        (contender === null || figure.contender === contender),
    );
    // One that never ran has no figure, and has not met anything either.
    const absent = checked.length > 0 ? [] : [contender ?? "every contender"];
    const about = { expression, measure: measure.name, unit: measure.unit };
    return [
      ...checked.map((figure) => {
        const ok = figure.value !== null && holds(figure.value, operator, limit);
        const what = `${measure.name} of ${figure.contender} in ${figure.phase}`;
        const is =
          figure.value === null
            ? `is unknown (${figure.missing})`
            : `is ${measure.measure.format(figure.value)}`;
        const text = `${what} ${is}, ${ok ? "as expected" : "expected"}: ${operator} ${measure.measure.format(limit)}`;
        return { ...about, contender: figure.contender, phase: figure.phase, value: figure.value, ok, text };
      }),
      ...absent.map((name) => ({
        ...about,
        contender: name,
        phase: phases.join(", "),
        value: null,
        ok: false,
        text: `${measure.name} of ${name} is unknown (it did not run), expected: ${operator} ${measure.measure.format(limit)}`,
      })),
    ];
  });
}

function holds(value: number, operator: Operator, limit: number): boolean {
  switch (operator) {
    case "<":
      return value < limit;
    case "<=":
      return value <= limit;
    case ">":
      return value > limit;
    case ">=":
      return value >= limit;
    case "=":
      return value === limit;
  }
}
