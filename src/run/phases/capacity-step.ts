import type { Plan } from "../../plan/plan.ts";
import type { Capacity, Phase } from "../../result/schema.ts";
import { findLateness, findStarvedServer } from "../../trust/validity.ts";
import type { StepVerdict } from "./capacity-search.ts";

export interface CapacityStep {
  /** As the search asked for it. */
  readonly askedPerSecond: number;
  readonly verdict: StepVerdict;
  /** What was measured while it was offered. */
  readonly phase: Phase;
  readonly shown: Capacity["steps"][number];
}

/** Of the deliveries owed, the share that has to be made while the load lasts, but for what is under way at its end. */
const leastHeldShare = 0.99;

/** Whether the rate was held for the step; the first reason why not. */
export function judgeStep(
  phase: Phase,
  {
    askedPerSecond,
    plannedDeliveries,
    plan,
  }: {
    readonly askedPerSecond: number;
    readonly plannedDeliveries: number;
    readonly plan: Plan;
  },
): CapacityStep {
  const { capacityStepSeconds: seconds, p99LimitMs } = plan;
  const arrived = phase.timeline
    .filter(({ second }) => second < seconds)
    .reduce((all, { delivered }) => all + delivered, 0);
  const offered = { ratePerSecond: rounded(plannedDeliveries / seconds), arrived, plannedDeliveries };
  const fault = findLoss(phase);
  const slow = findBacklog(phase, offered, plan) ?? findSlowness(phase, p99LimitMs);
  const lateness = fault === null ? describeLateness(phase, plan) : null;
  // A server that held the rate beside others held it. The generator's lateness is in whatever is measured.
  const starved = fault === null && slow !== null ? describeStarved(phase, plan) : null;
  const elsewhere = lateness ?? starved;
  const reason = fault ?? elsewhere ?? slow;
  return {
    askedPerSecond,
    verdict: reason === null ? "held" : elsewhere === null ? "server" : "elsewhere",
    phase,
    shown: {
      ratePerSecond: offered.ratePerSecond,
      heldPerSecond: rounded(arrived / seconds),
      p99Us: phase.latencyUs?.p99 ?? null,
      held: reason === null,
      reason,
    },
  };
}

/** No generator makes a server lose a message. */
function findLoss({ status, reason, messages, connections }: Phase): string | null {
  if (status !== "ok") return reason ?? status;
  if (messages === null) return "nothing was sent";
  if (connections.died > 0) return `${count(connections.died)} connections were closed`;
  if (messages.unsent > 0) return `${count(messages.unsent)} messages found no way to the server`;
  if (messages.lost > 0) return `${count(messages.lost)} of ${count(messages.expected)} deliveries lost`;
  return messages.corrupted > 0 ? `${count(messages.corrupted)} deliveries corrupted` : null;
}

/** Lateness far below the limit of latency decides nothing here, however quick the server. */
function describeLateness({ sendLagUs, latencyUs }: Phase, plan: Plan): string | null {
  const lateness = findLateness({
    plan,
    sendLagP99Us: sendLagUs?.p99 ?? null,
    latencyP99Us: Math.max(latencyUs?.p99 ?? 0, plan.p99LimitMs * 1000),
  });
  return lateness === null ? null : `generator late: send lag p99 ${milliseconds(sendLagUs?.p99 ?? 0)}`;
}

function describeStarved({ server, throughput, durationMs }: Phase, plan: Plan): string | null {
  return findStarvedServer({ plan, server, spanMs: throughput?.spanMs ?? durationMs });
}

/**
 * What has not arrived by the end, and is more than what a constant latency keeps under way (Little's law:
 * rate times mean latency, as far as the limit allows it), is a queue that grows: in a longer step it would pass any limit.
 */
function findBacklog(
  { latencyUs }: Phase,
  { arrived, plannedDeliveries }: { readonly arrived: number; readonly plannedDeliveries: number },
  { capacityStepSeconds: seconds, p99LimitMs }: Plan,
): string | null {
  const heldShare = arrived / plannedDeliveries;
  const underWayShare = Math.min((latencyUs?.mean ?? 0) / 1000, p99LimitMs) / (seconds * 1000);
  if (heldShare + underWayShare >= leastHeldShare) return null;
  return `only ${(heldShare * 100).toFixed(1)} % arrived in time`;
}

function findSlowness({ latencyUs }: Phase, p99LimitMs: number): string | null {
  // Where too few were delivered for a p99, all of them have to be quick enough.
  const isFew = latencyUs?.p99 == null;
  const slowestUs = (isFew ? latencyUs?.max : latencyUs.p99) ?? Number.POSITIVE_INFINITY;
  if (slowestUs <= p99LimitMs * 1000) return null;
  return `latency ${isFew ? "max" : "p99"} ${milliseconds(slowestUs)}`;
}

function rounded(perSecond: number): number {
  return Math.round(perSecond * 10) / 10;
}

function count(value: number): string {
  return value.toLocaleString("en");
}

function milliseconds(us: number): string {
  return `${(us / 1000).toLocaleString("en", { maximumFractionDigits: us < 100_000 ? 1 : 0 })} ms`;
}
