import { countOwn } from "../../engine/places.ts";
import type { Plan } from "../../plan/plan.ts";
import type { LoadPhase } from "../../result/phase.ts";
import { agentReasonSchema, type InvalidReason, type Reason } from "../../result/reasons.ts";
import { Histogram, mergeHistograms, summarize } from "../../stats/histogram.ts";
import { describeGenerator } from "../../trust/generator-usage.ts";
import type { Generator } from "../generator.ts";
import { type RoundContext, sumOf } from "./context.ts";
import type { Offered } from "./offer-load.ts";

export type AgentParts = NonNullable<LoadPhase["agents"]>;

/** What each agent of a fleet did of a load, as if it had been alone; none where this machine made it. */
export function describeAgentParts(
  { generator, board, plan }: RoundContext,
  { reports, elapsedMs }: Pick<Offered, "reports" | "elapsedMs">,
): AgentParts {
  const agents = generator.fleet?.agents ?? [];
  return agents.map((one, agent) => {
    const own = reports.filter((_, worker) => worker % agents.length === agent);
    const latency = board.latencyOf[agent];
    const { usage } = one;
    // What its own process used is no other's.
    const seen =
      usage === null ? null : { usage: { ...usage, usedMs: usage.usedMs - usage.ownMs }, serverCpuMs: null };
    return {
      ...{ agent, name: one.name },
      sent: sumOf(own, ({ sent }) => sent),
      delivered: sumOf(own, ({ delivered }) => delivered),
      latencyUs: summarize(latency ?? new Histogram()),
      sendLagUs: summarize(mergeHistograms(own.map(({ sendLag }) => sendLag))),
      generator: describeGenerator(
        own.map((report) => report.usage),
        elapsedMs,
        planOf(plan, generator, agent),
        seen,
      ),
    };
  });
}

/** Among many a slow one would not be seen in the whole: the first agent whose own generator may have been what was measured. */
export function findAgentLimit(
  find: (part: AgentParts[number], plan: Plan) => InvalidReason | null,
  { generator, plan }: Pick<RoundContext, "generator" | "plan">,
  parts: AgentParts,
): Reason | null {
  for (const part of parts) {
    const { agent, name } = part;
    const found = find(part, planOf(plan, generator, agent));
    if (found !== null) return { kind: "agent-part", agent, name, reason: agentReasonSchema.parse(found) };
  }
  return null;
}

/** The plan as an agent alone carries it out. */
function planOf(plan: Plan, { fleet }: Generator, agent: number): Plan {
  const { agents = [] } = fleet ?? {};
  const workers = countOwn({ worker: agent, workers: agents.length }, plan.workers);
  const cpuCount = agents[agent]?.cpuCount ?? 1;
  return { ...plan, workers, agents: { count: 1, cpuCount, areHere: plan.agents?.areHere ?? true } };
}
