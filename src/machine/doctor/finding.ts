import type { Plan } from "../../plan/plan.ts";
import type { MachineFacts } from "./facts.ts";

/**
 * `ok`: the plan has what it needs. `tight`: it runs, but the numbers suffer or could. `stops`: the plan can't be
 * carried out in full. `unknown`: this machine does not say.
 */
export type Verdict = "ok" | "tight" | "stops" | "unknown";

export interface PerSystem<T> {
  readonly linux?: T;
  readonly macos?: T;
}

/** A kernel setting and the value it should have; the value is as the kernel takes it. */
export type Setting =
  | { readonly kind: "sysctl"; readonly name: string; readonly value: string }
  /** A file of sysfs. */
  | { readonly kind: "file"; readonly path: string; readonly value: string };

/** How to change what a finding is about. */
export interface Remedy {
  /** Commands to type, in order. */
  readonly commands: PerSystem<readonly string[]>;
  /** Whether what the commands do outlives a reboot; null where there is nothing to change. */
  readonly survivesReboot: boolean | null;
  /** How to make it outlive one. */
  readonly permanently: PerSystem<string>;
  /** Whether somebody has to type a password here: not as root, nor where sudo asks for none. */
  readonly needsPassword: boolean;
  /** What `--apply` writes on this machine: only what can be put back. */
  readonly changes: readonly Setting[];
}

/** What one look at the machine found for one plan. */
export interface Finding extends Remedy {
  readonly id: string;
  readonly title: string;
  readonly current: string;
  /** What the plan needs. */
  readonly needed: string;
  readonly verdict: Verdict;
  /** Why it matters, and what follows from the current value. */
  readonly explanation: string;
  /** Most connections that this allows, and the limit's name with its number; null where it limits none. */
  readonly holds: { readonly connections: number; readonly limit: string } | null;
}

/** One topic of the diagnosis; empty where the machine has no such thing. */
export type Check = (machine: MachineFacts, plan: Plan) => readonly Finding[];
