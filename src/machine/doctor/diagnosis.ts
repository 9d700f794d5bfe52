import type { Plan } from "../../plan/plan.ts";
import { formatCount as count } from "../../text/format.ts";
import { checkBacklog } from "./checks/backlog.ts";
import { checkClockSource } from "./checks/clock-source.ts";
import { checkConntrack } from "./checks/conntrack.ts";
import { checkCores } from "./checks/cores.ts";
import { checkCpuQuota } from "./checks/cpu-quota.ts";
import { checkCpuSpeed } from "./checks/cpu-speed.ts";
import { checkDescriptors } from "./checks/descriptors.ts";
import { checkLoad } from "./checks/load.ts";
import { checkMemory } from "./checks/memory.ts";
import { checkNoise } from "./checks/noise.ts";
import { checkPorts } from "./checks/ports.ts";
import { checkSwap } from "./checks/swap.ts";
import { checkTcpMemory } from "./checks/tcp-memory.ts";
import { checkTimeWait } from "./checks/time-wait.ts";
import type { MachineFacts } from "./facts.ts";
import type { Check, Finding } from "./finding.ts";

/** First what can stop a plan, then what makes its numbers worse. */
const checks: readonly Check[] = [
  checkDescriptors,
  checkPorts,
  checkMemory,
  checkConntrack,
  checkBacklog,
  checkTcpMemory,
  checkTimeWait,
  checkSwap,
  checkCores,
  checkCpuQuota,
  checkCpuSpeed,
  checkClockSource,
  checkLoad,
  checkNoise,
];

export interface Diagnosis {
  readonly findings: readonly Finding[];
  /** What this machine can hold and what stops it first; null where nothing that limits it can be read. */
  readonly capacity: {
    readonly connections: number;
    /** The finding's id. */
    readonly stoppedBy: string;
    readonly text: string;
  } | null;
  /** Whether nothing stops the plan, as far as can be seen. */
  readonly fits: boolean;
}

/** Everything there is to say of a machine for a plan; touches nothing. */
export function diagnose(machine: MachineFacts, plan: Plan): Diagnosis {
  const findings = checks.flatMap((check) => check(machine, plan));
  const first = findings
    .flatMap(({ id, holds }) => (holds === null ? [] : [{ id, ...holds }]))
    .reduce<{ id: string; connections: number; limit: string } | null>(
      (least, one) => (least === null || one.connections < least.connections ? one : least),
      null,
    );
  return {
    findings,
    capacity:
      first === null
        ? null
        : {
            connections: first.connections,
            stoppedBy: first.id,
            text: `This machine can hold ${count(first.connections)} connections to a single-process server: ${first.limit} stops it first.`,
          },
    fits: findings.every(({ verdict }) => verdict !== "stops"),
  };
}
