import type { Plan } from "../../plan/plan.ts";
import type { MachineFacts } from "./facts.ts";

export const checkIds = [
  "server-descriptors",
  "generator-descriptors",
  "system-descriptors",
  "port-range",
  "memory",
  "memory-limit",
  "conntrack",
  "backlog",
  "tcp-memory",
  "time-wait",
  "cores",
  "cpu-quota",
  "governor",
  "load",
  "noise",
] as const;

export type CheckId = (typeof checkIds)[number];

/**
 * `ok`: the plan has what it needs. `tight`: it runs, but the numbers suffer or could. `insufficient`: the plan can't
 * be carried out in full. `unknown`: this machine does not say.
 */
export type CheckState = "ok" | "tight" | "insufficient" | "unknown";

export type CheckValues = Readonly<Record<string, string | number | null>>;

/** What one look at the machine found for one plan: facts, whose sentences are made by a view. */
export interface CheckResult {
  readonly check: CheckId;
  readonly state: CheckState;
  readonly values: CheckValues;
  /** Most connections that this allows; null where it limits none. */
  readonly holds: number | null;
  /** What to type on this system to change it, in order. Lost at the next start of the machine. */
  readonly commands: readonly string[];
}

/** A result without what limits connections and what changes that, where there is no such thing. */
export type Finding = Omit<CheckResult, "holds" | "commands"> & Partial<CheckResult>;

/** One topic of the diagnosis; empty where the machine has no such thing. */
export type Check = (machine: MachineFacts, plan: Plan) => Finding | readonly Finding[];

/** The command that sets kernel settings on this machine's system, if it has them. */
export function setSysctls(
  { system }: MachineFacts,
  settings: { readonly [System in "linux" | "macos"]?: Readonly<Record<string, string | number>> },
): string[] {
  const values = Object.entries((system === "other" ? undefined : settings[system]) ?? {});
  const words = values.map(([name, value]) => `${name}=${/\s/.test(`${value}`) ? `"${value}"` : value}`);
  return words.length === 0 ? [] : [`sudo sysctl -w ${words.join(" ")}`];
}

/** A kernel setting as a number; null where the machine has no such setting. */
export function readNumber(machine: MachineFacts, name: string | null): number | null {
  const value = name === null ? undefined : machine.sysctls[name];
  return value === undefined || !/^\d+$/.test(value.trim()) ? null : Number(value);
}
