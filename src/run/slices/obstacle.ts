import { estimateMemory } from "../../machine/doctor/checks/memory.ts";
import { readFacts } from "../../machine/doctor/read-facts.ts";
import type { Plan } from "../../plan/plan.ts";
import type { Warning } from "../../result/reasons.ts";
import type { Environment } from "../../result/schema.ts";

/** Why the plan's contenders can't all be alive at once; null when they can, for all that is known. */
export async function findObstacle(plan: Plan, environment: Environment): Promise<Warning | null> {
  if (plan.entrants.length < 2) return null;
  if (plan.port !== 0) return { kind: "one-at-a-time", cause: { kind: "port", port: plan.port } };
  const { memory, cgroup } = await readFacts(plan, environment, 0);
  const group = cgroup.memory;
  const available = [
    memory.availableBytes ?? Number.POSITIVE_INFINITY,
    group === null ? Number.POSITIVE_INFINITY : group.limitBytes - group.usedBytes,
  ];
  const availableBytes = Math.max(0, Math.min(...available));
  const neededBytes = Math.ceil(estimateMemory(plan).leastBytes);
  return neededBytes <= availableBytes
    ? null
    : { kind: "one-at-a-time", cause: { kind: "memory", neededBytes, availableBytes } };
}
