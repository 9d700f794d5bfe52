import { ShowdownError } from "../errors.ts";
import type { AttackResult } from "../result/attack.ts";
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
  /** Closed connections, and messages that were unsent, duplicated or matched nothing. */
  readonly errors: number;
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

/** All that `--threshold` and `--abort-on` may speak of. */
export const attackMeasures: readonly AttackMeasure[] = [
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
    pick: ({ messages, connections }) =>
      connections.died + messages.unsent + messages.duplicated + messages.unmatched,
    live: (one) => one.errors,
  },
];

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
    hint: `expected such as "latency.p99 ${onlyLive ? ">" : "<"} 500ms", of ${known.map(({ name }) => name).join(", ")}`,
  });
}

function parseLimit(expression: string, known: readonly AttackMeasure[]): AttackLimit | string {
  const [, name = "", operator, right = ""] =
    /^([^<>=]+?)\s*(<=|>=|<|>|=)([^<>=]+)$/.exec(expression.trim()) ?? [];
  if (operator === undefined) return "expected MEASURE, one of < <= > >= =, and a value";
  const measure = known.find((one) => one.name === name.trim());
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
