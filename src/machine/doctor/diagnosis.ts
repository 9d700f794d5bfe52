import type { Plan } from "../../plan/plan.ts";
import type { Check, CheckId, CheckResult } from "./check.ts";
import { checkCores, checkCpuQuota, checkGovernor, checkLoad, checkNoise } from "./checks/cpu.ts";
import { checkDescriptors } from "./checks/descriptors.ts";
import { checkMemory } from "./checks/memory.ts";
import { checkBacklog, checkConntrack, checkPorts, checkTcpMemory, checkTimeWait } from "./checks/network.ts";
import type { MachineFacts } from "./facts.ts";

/** First what can stop a plan, then what makes its numbers worse. */
const all: readonly Check[] = [
  checkDescriptors,
  checkPorts,
  checkMemory,
  checkConntrack,
  checkBacklog,
  checkTcpMemory,
  checkTimeWait,
  checkCores,
  checkCpuQuota,
  checkGovernor,
  checkLoad,
  checkNoise,
];

export interface Diagnosis {
  readonly checks: readonly CheckResult[];
  /** What this machine can hold and what stops it first; null where nothing that limits it can be read. */
  readonly capacity: { readonly connections: number; readonly stoppedBy: CheckId } | null;
  /** Whether nothing stops the plan, as far as can be seen. */
  readonly fits: boolean;
}

/** Everything there is to say of a machine for a plan; touches nothing. */
export function diagnose(machine: MachineFacts, plan: Plan): Diagnosis {
  const checks = all
    .flatMap((check) => check(machine, plan))
    .map((finding): CheckResult => ({ holds: null, commands: [], ...finding }));
  const limits = checks.flatMap(({ check, holds }) =>
    holds === null ? [] : [{ connections: holds, stoppedBy: check }],
  );
  return {
    checks,
    capacity: limits.toSorted((a, b) => a.connections - b.connections)[0] ?? null,
    fits: checks.every(({ state }) => state !== "insufficient"),
  };
}
