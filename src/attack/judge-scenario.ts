import type { AttackReason, AttackResult } from "../result/attack.ts";

/** Why a scenario that ran to its end came to nothing; null where some of it did. */
export function judgeScenario({
  connections,
  scenario,
}: Pick<AttackResult, "connections" | "scenario">): AttackReason | null {
  if (connections.requested > 0 && connections.opened === 0) {
    return { kind: "no-connection-opened", failure: connections.failures[0]?.failure ?? null };
  }
  if (scenario === null || scenario.iterations.finished > 0 || scenario.iterations.failed === 0) return null;
  return scenario.iterations.unended === 0 ? { kind: "no-iteration-finished" } : null;
}
