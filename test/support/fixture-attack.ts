import { describeAttack } from "../../src/attack/attack-figures.ts";
import { noEvidence } from "../../src/attack/start-attack.ts";
import type { AttackEvidence } from "../../src/attack/totals.ts";
import type { AttackSettings } from "../../src/plan/attack/parameters.ts";
import { type AttackPlan, resolveAttack } from "../../src/plan/attack/plan.ts";
import { type AttackResult, attackResultSchema } from "../../src/result/attack.ts";
import { schemaVersion } from "../../src/result/schema.ts";
import { fixtureResult } from "./fixture-result.ts";

/** The plan of an attack on a server of two addresses. */
export function fixtureAttackPlan(
  settings: AttackSettings = {},
  target: Partial<AttackPlan["target"]> = {},
): AttackPlan {
  return resolveAttack({
    target: {
      url: "ws://example.test/chat",
      host: "example.test",
      port: 80,
      path: "/chat",
      address: "192.0.2.7",
      addresses: ["192.0.2.7", "192.0.2.8"],
      tls: null,
      subprotocols: [],
      headers: [],
      ...target,
    },
    settings,
    messageFile: null,
    data: null,
    adapter: null,
    sourceAddresses: [],
    cpus: 2,
    descriptorLimit: null,
  });
}

/** The result of an attack that went well. @param evidence what was seen; nothing where it is left out */
export function fixtureAttack(
  changes: Partial<AttackResult> = {},
  evidence: AttackEvidence = noEvidence(changes.plan ?? fixtureAttackPlan()),
): AttackResult {
  const { plan } = evidence;
  return attackResultSchema.parse({
    schema: schemaVersion,
    id: "2026-11-29T00-00-00-000-attack",
    startedAt: "2026-11-29T00:00:00.000Z",
    kind: "attack",
    finishedAt: "2026-11-29T00:00:10.000Z",
    progress: "ended",
    command: ["showdown", "attack", plan.target.url],
    plan,
    environment: fixtureResult().environment,
    warnings: [],
    status: "ok",
    reason: null,
    ...describeAttack(evidence),
    ...changes,
  });
}
