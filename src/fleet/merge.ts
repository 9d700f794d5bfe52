import { type AttackEvidence, describeAttack } from "../attack/attack-figures.ts";
import { type Ending, judge, noneOpened, ok } from "../attack/start-attack.ts";
import { countOwn, indexOf, type Share } from "../engine/places.ts";
import type { AttackPlan } from "../plan/attack/plan.ts";
import type { AttackResult, FleetFacts } from "../result/attack.ts";
import { reasonSchema } from "../result/reasons.ts";
import { TimelineBuilder } from "../run/phases/timeline.ts";
import { mergeHistograms } from "../stats/histogram.ts";
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

/** The workers of an agent, and their connections. */
export function shareOf(plan: AttackPlan, share: Share): { workers: number; connections: number } {
  const workers = countOwn(share, plan.workers);
  const all = Array.from({ length: workers }, (_, at) =>
    countOwn({ worker: indexOf(share, at), workers: plan.workers }, plan.connections),
  );
  return { workers, connections: all.reduce((sum, own) => sum + own, 0) };
}

/**
 * Adds the parts up as those of one machine: the reports of all workers, whoever's they are. Each agent's part is judged
 * by itself as well, since a slow generator among many would not be seen in the whole.
 *
 * @param decided how the attack ended, where that was not its agents' doing
 */
export function mergeParts(
  plan: AttackPlan,
  parts: readonly Part[],
  decided: Ending | null,
): Partial<AttackResult> & { readonly agents: readonly AgentFacts[] } {
  const finals = parts.flatMap(({ final }) => final ?? []);
  const figures = describeAttack(evidenceOf(plan, finals));
  const agents = parts.map((part) => describeAgent(plan, part, decided));
  const ending = decided ?? judgeAgents(finals, agents);
  return { ...judge(plan, figures, ending), ...figures, agents };
}

function evidenceOf(plan: AttackPlan, finals: readonly FinalResult[]): AttackEvidence {
  const timeline = new TimelineBuilder();
  for (const final of finals) timeline.addParts(final.timeline);
  return {
    plan,
    opens: finals.flatMap(({ opens }) => opens),
    loads: finals.flatMap(({ loads }) => loads),
    latency: mergeHistograms(finals.map(({ latency }) => latency)),
    timeline: timeline.build(),
    // Each counts from its own start, on its own clock.
    startUs: finals.some(({ hasStarted }) => hasStarted) ? 0 : null,
    elapsedMs: Math.max(0, ...finals.map(({ elapsedMs }) => elapsedMs)),
  };
}

function describeAgent(plan: AttackPlan, { facts, final, loss }: Part, decided: Ending | null): AgentFacts {
  if (final === null)
    return { ...facts, status: "lost", reason: loss ?? decided?.reason ?? null, figures: null };
  const own = { ...plan, workers: facts.workers, connections: facts.connections };
  const figures = describeAttack(evidenceOf(own, [final]));
  const { connections, messages, latencyUs, sendLagUs, generator } = figures;
  const { curve: _, ...quantiles } = latencyUs;
  return {
    ...facts,
    ...judge(own, figures, { status: final.status, reason: final.reason }),
    figures: {
      ...{ opened: connections.opened, failed: connections.failed, died: connections.died },
      ...{ planned: messages.planned, sent: messages.sent },
      ...{ expected: messages.expected, answered: messages.answered },
      ...{ latencyUs: quantiles, sendLagUs, generator },
    },
  };
}

/** As of one machine: that some connections closed makes no attack invalid, that a generator failed does. */
function judgeAgents(finals: readonly FinalResult[], agents: readonly AgentFacts[]): Ending {
  const lost = agents.find(({ status }) => status === "lost");
  if (lost !== undefined) return { status: "invalid", reason: lost.reason };
  const opens = finals.flatMap((final) => final.opens);
  if (opens.every(({ opened }) => opened === 0)) return noneOpened(opens);
  const bad = agents.find(({ status }) => status === "invalid" || status === "aborted");
  if (bad !== undefined) {
    const { agent, name } = bad;
    const reason = reasonSchema.parse(bad.reason);
    return { status: "invalid", reason: { kind: "agent-part", agent, name, reason } };
  }
  const [first] = agents;
  const haveAllFailed = first !== undefined && agents.every(({ status }) => status === "failed");
  return haveAllFailed ? { status: "failed", reason: first.reason } : ok;
}
