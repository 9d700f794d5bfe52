import type { Plan } from "../../plan/plan.ts";
import type { CapacityStep, Quantiles } from "../../result/phase.ts";
import { agentReasonSchema, type InvalidReason, type StepReason } from "../../result/reasons.ts";
import { findLateness, findServerContention } from "../../trust/validity.ts";
import type { Measured } from "./message-phase.ts";

/** One step of the search, with all that was measured in it. */
export interface MeasuredStep {
  /** As the search asked for it. */
  readonly askedPerSecond: number;
  /** What was measured while it was offered. */
  readonly measured: Measured;
  readonly step: CapacityStep;
}

export interface Offer {
  readonly askedPerSecond: number;
  readonly plannedDeliveries: number;
  readonly plan: Plan;
}

/** Of the deliveries owed, the share that has to be made while the load lasts, but for what is under way at its end. */
const leastArrivedShare = 0.99;

/** Whether the rate was sustained for the step; the first reason why not. */
export function judgeStep(measured: Measured, offer: Offer): MeasuredStep {
  const { askedPerSecond, plannedDeliveries, plan } = offer;
  const { figures, deliveredInTime } = measured;
  const seconds = plan.capacityStepSeconds;
  const loss = findLoss(measured);
  const slow = findBacklog(measured, offer) ?? findSlowness(measured, plan);
  const late = loss === null ? findLateGenerator(measured, plan) : null;
  // A server that sustained the rate beside others sustained it. The generator's lateness is in whatever is measured.
  const contention = loss === null && slow !== null ? findContention(measured, plan) : null;
  const elsewhere = late ?? contention;
  const reason = loss ?? elsewhere ?? slow;
  const isUnknown = measured.ending.status === "invalid" || elsewhere !== null;
  return {
    askedPerSecond,
    measured,
    step: {
      ratePerSecond: rounded(plannedDeliveries / seconds),
      arrivedPerSecond: rounded(deliveredInTime / seconds),
      p99Us: figures.latencyUs.p99,
      outcome: reason === null ? "sustained" : isUnknown ? "unknown" : "failed",
      reason,
    },
  };
}

/** No generator makes a server lose a message. */
function findLoss({ ending, figures }: Measured): StepReason | null {
  const { connections, messages } = figures;
  // Of a phase's reasons a load has no others.
  if (ending.reason !== null) return ending.reason as StepReason;
  if (messages.sent === 0) return { kind: "nothing-sent" };
  if (connections.died > 0) return { kind: "closed", connections: connections.died };
  if (messages.unsent > 0) return { kind: "unsent", messages: messages.unsent };
  if (messages.corrupted > 0) return { kind: "corrupted", deliveries: messages.corrupted };
  return messages.lost > 0 ? { kind: "lost", deliveries: messages.lost, expected: messages.expected } : null;
}

/** Lateness far below the limit of latency decides nothing here, however quick the server. */
function findLateGenerator({ figures }: Measured, plan: Plan): StepReason | null {
  const late = (sendLagUs: Pick<Quantiles, "p99">, latencyUs: Pick<Quantiles, "p99">) =>
    findLateness({
      plan,
      sendLagP99Us: sendLagUs.p99,
      latencyP99Us: Math.max(latencyUs.p99 ?? 0, plan.p99LimitMs * 1000),
    });
  const ofAll = late(figures.sendLagUs, figures.latencyUs);
  if (ofAll !== null) return ofAll;
  for (const { agent, name, sendLagUs, latencyUs } of figures.agents ?? []) {
    const reason = late(sendLagUs, latencyUs);
    if (reason !== null) return { kind: "agent-part", agent, name, reason: agentReasonSchema.parse(reason) };
  }
  return null;
}

function findContention({ server, spanMs, durationMs }: Measured, plan: Plan): InvalidReason | null {
  return findServerContention({ plan, server, spanMs: spanMs > 0 ? spanMs : durationMs });
}

/**
 * What has not arrived by the end, and is more than what a constant latency keeps under way (Little's law:
 * rate times mean latency, as far as the limit allows it), is a queue that grows: in a longer step it would pass any limit.
 */
function findBacklog(
  { figures, deliveredInTime }: Measured,
  { plannedDeliveries, plan }: Offer,
): StepReason | null {
  const arrivedShare = deliveredInTime / plannedDeliveries;
  const underWayMs = Math.min((figures.latencyUs.mean ?? 0) / 1000, plan.p99LimitMs);
  const underWayShare = underWayMs / (plan.capacityStepSeconds * 1000);
  if (arrivedShare + underWayShare >= leastArrivedShare) return null;
  return { kind: "backlog", arrivedShare: Math.round(arrivedShare * 1e4) / 1e4 };
}

function findSlowness({ figures }: Measured, { p99LimitMs }: Plan): StepReason | null {
  const { p99, max } = figures.latencyUs;
  // Where too few were delivered for a p99, all of them have to be quick enough.
  const latencyUs = p99 ?? max;
  if (latencyUs !== null && latencyUs <= p99LimitMs * 1000) return null;
  return latencyUs === null
    ? { kind: "backlog", arrivedShare: 0 }
    : { kind: "latency", quantile: p99 === null ? "max" : "p99", latencyUs };
}

function rounded(perSecond: number): number {
  return Math.round(perSecond * 10) / 10;
}
