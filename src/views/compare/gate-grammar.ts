import { ShowdownError } from "../../errors.ts";
import { readValue } from "../../measures/read-value.ts";
import { listPhases, type NamedPhase, nameOf } from "../../measures/sections.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Result } from "../../result/schema.ts";
import { parseSelector, type Scope, type Selector } from "./selector.ts";

/** An expression of the command line that decides the exit code. */
export interface Gate {
  /** As it was given. */
  readonly expression: string;
  readonly selector: Selector;
  readonly operator: "<" | "<=" | ">" | ">=" | "=" | "worse by";
  /** A limit in the unit of the measure; after `worse by` the share of A's value. */
  readonly value: number;
}

type PlanScope = Pick<Plan, "entrants" | "phases">;

/**
 * Reads `--threshold`, limits for one run: `[CONTENDER] [PHASE] MEASURE < 50ms`.
 *
 * @throws ShowdownError telling everything that is wrong with any of them, with the nearest names
 */
export function parseThresholds(expressions: readonly string[], plan: PlanScope): Gate[] {
  return parseGates(expressions, [plan], {
    option: "--threshold",
    pattern: /^([^<>=]*)(<=|>=|<|>|=)([^<>=]*)$/,
    expected: "[CONTENDER] [PHASE] MEASURE < VALUE, such as: endurance-echo latency.p99 < 50ms",
  });
}

/**
 * Reads `--fail-on`, changes that must not be: `[CONTENDER] [PHASE] MEASURE worse by 5%`.
 *
 * @throws ShowdownError likewise, and where both runs are one: of a run against itself nothing ever gets worse
 */
export function parseFailOns(
  expressions: readonly string[],
  { before, after }: { readonly before: Result; readonly after: Result },
): Gate[] {
  if (expressions.length > 0 && before.id === after.id) {
    throw new ShowdownError("usage", `A and B are the same run (${after.id}): --fail-on could never fail`, {
      hint: "compare two different runs",
    });
  }
  return parseGates(expressions, [before.plan, after.plan], {
    option: "--fail-on",
    pattern: /^(.*?)\b(worse by)\b(.*)$/,
    expected:
      "[CONTENDER] [PHASE] MEASURE worse by N%, such as: go-gorilla burst-echo throughput worse by 5%",
  });
}

interface Grammar {
  readonly option: string;
  /** Its groups: what is pointed at, the operator, the value. */
  readonly pattern: RegExp;
  readonly expected: string;
}

function parseGates(expressions: readonly string[], plans: readonly PlanScope[], grammar: Grammar): Gate[] {
  const scope = scopeOf(plans);
  const gates = expressions.map((expression) => parseGate(expression, scope, grammar));
  const problems = gates.flatMap((gate, at) =>
    typeof gate === "string" ? [`${grammar.option} "${expressions[at]}": ${gate}`] : [],
  );
  if (problems.length === 0) return gates.filter((gate) => typeof gate !== "string");
  const hint = `expected ${grammar.expected}`;
  throw new ShowdownError("usage", problems.join("\n       "), { hint });
}

function parseGate(expression: string, scope: Scope, { pattern, expected }: Grammar): Gate | string {
  const match = pattern.exec(expression.trim().replaceAll(/\s+/g, " "));
  if (match === null) return `expected ${expected}`;
  const [, left = "", operator, right = ""] = match;
  const selector = parseSelector(left, scope);
  if (typeof selector === "string") return selector;
  const value = parseValue(right.trim(), operator as Gate["operator"], selector);
  if (typeof value === "string") return value;
  return { expression, selector, operator: operator as Gate["operator"], value };
}

/** Whoever was planned to take part, so that a misspelt name can be told from an absent one. */
function scopeOf(plans: readonly PlanScope[]): Scope {
  const phases = new Map<string, NamedPhase>(
    plans.flatMap((plan) => listPhases(plan.phases).map((phase) => [phase.name, phase])),
  );
  const names = plans.flatMap(({ entrants }) =>
    entrants.map(({ contender, variant }) => nameOf({ name: contender, variant })),
  );
  return { contenders: [...new Set(names)], phases: [...phases.values()] };
}

function parseValue(text: string, operator: Gate["operator"], { measure }: Selector): number | string {
  const isChange = operator === "worse by";
  const unit = isChange ? "share" : measure.unit;
  const value = readValue(text, unit);
  if (typeof value === "string") return value;
  if (!isChange && unit === "share" && value > 1) {
    return `value "${text}": expected at most 100 %`;
  }
  if (isChange && measure.better === "higher" && value >= 1) {
    return `nothing can fall by ${text}; expected less than 100 %`;
  }
  return value;
}
