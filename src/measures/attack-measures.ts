import { ShowdownError } from "../errors.ts";
import type { AttackResult } from "../result/attack.ts";
import type { ScenarioFacts } from "../result/scenario.ts";
import { type Histogram, quantileShares } from "../stats/histogram.ts";
import { suggest } from "../text/nearest.ts";
import { printable } from "../text/printable.ts";
import type { Unit } from "./measure.ts";
import { readValue } from "./read-value.ts";

/** What is known of an attack while it goes on. */
export interface AttackSoFar {
  /** Of the last second of which anything is known. */
  readonly lastSecond: {
    readonly answered: number;
    readonly p50Us: number | null;
    readonly p90Us: number | null;
    readonly p99Us: number | null;
    readonly maxUs: number | null;
  };
  /** Owed, and not yet come. */
  readonly unanswered: number;
  readonly failed: number;
  readonly closed: number;
  /** Closed connections, messages that were unsent, duplicated or matched nothing, and iterations that failed. */
  readonly errors: number;
  /** Null without one. */
  readonly scenario: ScenarioSoFar | null;
}

/** What users did since the beginning. */
export interface ScenarioSoFar extends Pick<ScenarioFacts, "iterations" | "checks"> {
  /** In microseconds, by name. */
  readonly measures: ReadonlyMap<string, Histogram>;
}

/** A figure of an attack by its public name. */
export interface AttackMeasure {
  readonly name: string;
  readonly unit: Unit;
  /** Null where it is unknown. */
  readonly pick: (result: AttackResult) => number | null;
  /** Absent where it is only known at the end. */
  readonly live?: (soFar: AttackSoFar) => number | null;
}

const latencies: readonly AttackMeasure[] = [
  {
    name: "latency.p50",
    unit: "latency",
    pick: (one) => one.latencyUs.p50,
    live: (one) => one.lastSecond.p50Us,
  },
  {
    name: "latency.p90",
    unit: "latency",
    pick: (one) => one.latencyUs.p90,
    live: (one) => one.lastSecond.p90Us,
  },
  {
    name: "latency.p99",
    unit: "latency",
    pick: (one) => one.latencyUs.p99,
    live: (one) => one.lastSecond.p99Us,
  },
  { name: "latency.p999", unit: "latency", pick: (one) => one.latencyUs.p999 },
  {
    name: "latency.max",
    unit: "latency",
    pick: (one) => one.latencyUs.max,
    live: (one) => one.lastSecond.maxUs,
  },
];

/** All that `--threshold` and `--abort-on` may speak of, but for what a scenario names. */
const attackMeasures: readonly AttackMeasure[] = [
  ...latencies,
  { name: "send-lag.p99", unit: "latency", pick: (one) => one.sendLagUs.p99 },
  { name: "tls.p99", unit: "latency", pick: (one) => one.connections.tlsUs?.p99 ?? null },
  { name: "upgrade.p99", unit: "latency", pick: (one) => one.connections.upgradeUs.p99 },
  { name: "sent.rate", unit: "perSecond", pick: (one) => one.rate?.sentPerSecond ?? null },
  {
    name: "answered.rate",
    unit: "perSecond",
    pick: (one) => one.rate?.answeredPerSecond ?? null,
    live: (one) => one.lastSecond.answered,
  },
  { name: "answered", unit: "count", pick: (one) => one.messages.answered },
  { name: "unanswered", unit: "count", pick: (one) => one.messages.lost, live: (one) => one.unanswered },
  { name: "lost", unit: "count", pick: (one) => one.messages.lost },
  {
    name: "lost.share",
    unit: "share",
    pick: ({ messages }) => (messages.expected === 0 ? null : messages.lost / messages.expected),
  },
  { name: "duplicated", unit: "count", pick: (one) => one.messages.duplicated },
  { name: "reordered", unit: "count", pick: (one) => one.messages.reordered },
  { name: "unmatched", unit: "count", pick: (one) => one.messages.unmatched },
  { name: "unsent", unit: "count", pick: (one) => one.messages.unsent },
  {
    name: "connections.failed",
    unit: "count",
    pick: (one) => one.connections.failed,
    live: (one) => one.failed,
  },
  {
    name: "connections.closed",
    unit: "count",
    pick: (one) => one.connections.died,
    live: (one) => one.closed,
  },
  {
    name: "errors",
    unit: "count",
    pick: ({ messages, connections, scenario }) =>
      connections.died +
      messages.unsent +
      messages.duplicated +
      messages.unmatched +
      (scenario?.iterations.failed ?? 0),
    live: (one) => one.errors,
  },
  { name: "iterations", unit: "count", pick: (one) => one.scenario?.iterations.finished ?? null },
  ...(["failed", "unended", "unstarted"] as const).map(
    (which): AttackMeasure => ({
      name: `iterations.${which}`,
      unit: "count",
      pick: (one) => one.scenario?.iterations[which] ?? null,
      live: (one) => one.scenario?.iterations[which] ?? null,
    }),
  ),
  { name: "iteration.p50", unit: "latency", pick: (one) => one.scenario?.iterationUs.p50 ?? null },
  { name: "iteration.p99", unit: "latency", pick: (one) => one.scenario?.iterationUs.p99 ?? null },
  {
    name: "checks.failed",
    unit: "count",
    pick: ({ scenario }) => countFailed(scenario),
    live: ({ scenario }) => countFailed(scenario),
  },
];

function countFailed(scenario: Pick<ScenarioFacts, "checks"> | null): number | null {
  return scenario?.checks.reduce((all, { failed }) => all + failed, 0) ?? null;
}

/** By its public name. */
export function findAttackMeasure(name: string): AttackMeasure | undefined {
  return attackMeasures.find((one) => one.name === name) ?? findOwnMeasure(name);
}

/** Those whose names a scenario chose: `measure.NAME.p99`, `checks.NAME.failed`. */
function findOwnMeasure(text: string): AttackMeasure | undefined {
  const [, name = "", figure] = /^measure\.(.+)\.(p50|p90|p99|p999|max|mean|count)$/.exec(text) ?? [];
  if (figure !== undefined)
    return ownTime(text, name, figure as keyof typeof quantileShares | "mean" | "count");
  const [, check = "", what] = /^checks\.(.+)\.(passed|failed|failed\.share)$/.exec(text) ?? [];
  return what === undefined ? undefined : ownCheck(text, check, what as keyof typeof checkFigures);
}

function ownTime(
  text: string,
  name: string,
  figure: keyof typeof quantileShares | "mean" | "count",
): AttackMeasure {
  return {
    name: text,
    unit: figure === "count" ? "count" : "latency",
    pick: ({ scenario }) => scenario?.measures.find((one) => one.name === name)?.valueUs[figure] ?? null,
    live: ({ scenario }) => {
      const values = scenario?.measures.get(name);
      if (values === undefined || figure === "count") return values?.count ?? null;
      return figure === "mean" ? values.sum / values.count : values.valueAt(quantileShares[figure]);
    },
  };
}

type Counted = Pick<ScenarioFacts["checks"][number], "passed" | "failed">;
const checkFigures = {
  passed: ({ passed }: Counted) => passed,
  failed: ({ failed }: Counted) => failed,
  "failed.share": ({ passed, failed }: Counted) => failed / (passed + failed),
};

function ownCheck(text: string, name: string, what: keyof typeof checkFigures): AttackMeasure {
  const pick = ({ scenario }: { readonly scenario: Pick<ScenarioFacts, "checks"> | null }) => {
    const check = scenario?.checks.find((one) => one.name === name);
    return check === undefined ? null : checkFigures[what](check);
  };
  return { name: text, unit: what === "failed.share" ? "share" : "count", pick, live: pick };
}

/** `latency.p99 > 500ms` */
export interface AttackLimit {
  /** As it was given. */
  readonly expression: string;
  readonly measure: AttackMeasure;
  readonly operator: "<" | "<=" | ">" | ">=" | "=";
  /** In the unit of the measure. */
  readonly value: number;
}

/**
 * @param option that they are of
 * @param onlyLive they are asked while the attack goes on
 * @throws {ShowdownError} `usage` telling everything that is wrong with any of them
 */
export function parseAttackLimits(
  option: string,
  expressions: readonly string[],
  onlyLive = false,
): AttackLimit[] {
  const known = attackMeasures.filter(({ live }) => !onlyLive || live !== undefined);
  const limits = expressions.map((expression) => parseLimit(expression, known));
  const problems = limits.flatMap((limit, at) =>
    typeof limit === "string" ? [`${option} "${printable(expressions[at] ?? "")}": ${printable(limit)}`] : [],
  );
  if (problems.length === 0) return limits.filter((limit) => typeof limit !== "string");
  throw new ShowdownError("usage", problems.join("\n       "), {
    hint: `expected such as "latency.p99 ${onlyLive ? ">" : "<"} 500ms", of ${known.map(({ name }) => name).join(", ")}; of a scenario also measure.NAME.p99 and checks.NAME.failed`,
  });
}

function parseLimit(expression: string, known: readonly AttackMeasure[]): AttackLimit | string {
  const [, name = "", operator, right = ""] =
    /^([^<>=]+?)\s*(<=|>=|<|>|=)([^<>=]+)$/.exec(expression.trim()) ?? [];
  if (operator === undefined) return "expected MEASURE, one of < <= > >= =, and a value";
  const measure = known.find((one) => one.name === name.trim()) ?? findOwnMeasure(name.trim());
  if (measure === undefined) {
    const names = known.map((one) => one.name);
    return `no measure "${name}"${suggest(name, names)}`;
  }
  const value = readValue(right.trim(), measure.unit);
  if (typeof value === "string") return value;
  return { expression, measure, operator: operator as AttackLimit["operator"], value };
}

export function holds({ operator, value }: Pick<AttackLimit, "operator" | "value">, figure: number): boolean {
  if (figure === value) return operator === "=" || operator.length === 2;
  return operator !== "=" && figure < value === operator.startsWith("<");
}
