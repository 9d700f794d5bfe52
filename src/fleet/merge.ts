import { describeAttack, describeTotals } from "../attack/attack-figures.ts";
import { type Ending, judge, noEvidence, ok } from "../attack/start-attack.ts";
import { type AttackTotals, addTotals } from "../attack/totals.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import type { AttackResult, FleetFacts } from "../result/attack.ts";
import { agentReasonSchema } from "../result/reasons.ts";
import type { FinalResult } from "./final-result.ts";

type AgentFacts = FleetFacts["agents"][number];

/** An agent at the end, and what it measured. */
export interface Part {
  /** As far as it is known without its result. */
  readonly facts: Omit<AgentFacts, "status" | "reason" | "figures">;
  /** Null where it is lost. */
  readonly final: FinalResult | null;
  /** Why it is. */
  readonly loss: AttackResult["reason"];
}

/**
 * Adds the parts up as those of one machine. Each agent's part is judged by itself as well, since a slow generator among
 * many would not be seen in the whole.
 *
 * @param decided how the attack ended, where that was not its agents' doing
 * @param clockErrorUs of what one agent heard of another; null where it is not known
 */
export function mergeParts(
  plan: AttackPlan,
  parts: readonly Part[],
  { decided, clockErrorUs }: { readonly decided: Ending | null; readonly clockErrorUs: number | null },
): Partial<AttackResult> & { readonly agents: readonly AgentFacts[] } {
  const totals = parts.flatMap(({ final }) => final?.totals ?? []);
  const figures =
    totals.length === 0
      ? describeAttack(noEvidence(plan))
      : describeTotals(plan, addTotals(totals), clockErrorUs);
  const agents = parts.map((part) => describeAgent(plan, part, decided));
  const ending = decided ?? judgeAgents(totals, agents);
  // Also those of an agent that is lost were asked for.
  const connections = { ...figures.connections, requested: plan.connections };
  return { ...judge(plan, figures, ending), ...figures, connections, agents };
}

function describeAgent(plan: AttackPlan, { facts, final, loss }: Part, decided: Ending | null): AgentFacts {
  if (final === null)
    return { ...facts, status: "lost", reason: loss ?? decided?.reason ?? null, figures: null };
  const { totals, status, reason } = final;
  const figures = describeTotals(plan, totals);
  const { connections, messages, latencyUs, sendLagUs, generator } = figures;
  const { curve: _, ...quantiles } = latencyUs;
  return {
    ...facts,
    ...judge({ ...plan, workers: facts.workers }, figures, { status, reason }),
    figures: {
      ...{ opened: connections.opened, failed: connections.failed, died: connections.died },
      ...{ planned: messages.planned, sent: messages.sent },
      ...{ expected: messages.expected, answered: messages.answered },
      ...{ latencyUs: quantiles, sendLagUs, generator },
    },
  };
}

/** As of one machine: that some connections closed makes no attack invalid, that a generator failed does. */
function judgeAgents(totals: readonly AttackTotals[], agents: readonly AgentFacts[]): Ending {
  const lost = agents.find(({ status }) => status === "lost");
  if (lost !== undefined) return { status: "invalid", reason: lost.reason };
  if (totals.every(({ connections }) => connections.opened === 0)) {
    const failure = totals.flatMap(({ connections }) => connections.failures)[0]?.failure ?? null;
    return { status: "failed", reason: { kind: "no-connection-opened", failure } };
  }
  const bad = agents.find(({ status }) => status === "invalid" || status === "aborted");
  if (bad !== undefined) {
    const { agent, name } = bad;
    const reason = agentReasonSchema.parse(bad.reason);
    return { status: "invalid", reason: { kind: "agent-part", agent, name, reason } };
  }
  const [first] = agents;
  const haveAllFailed = first !== undefined && agents.every(({ status }) => status === "failed");
  return haveAllFailed ? { status: "failed", reason: first.reason } : ok;
}
