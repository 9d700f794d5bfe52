import { phaseName } from "../../plan/phases.ts";
import type { PhasePlan } from "../../plan/plan.ts";
import { nameAgent } from "../../result/attack.ts";
import type { Reason, StepReason } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { describeExit, describeFailure } from "./failure-text.ts";
import { quote, type Texts, tell } from "./tell.ts";

const sharedTexts: Texts<Reason & StepReason> = {
  "generator-late": ({ sendLagP99Us, allowedUs }) =>
    `the generator sent late: p99 ${format.formatLatency(sendLagP99Us)}, ${format.formatLatency(allowedUs)} allowed`,
  "generator-contention": ({ otherCpuShare }) => describeContention("generator", otherCpuShare),
  "generator-paused": ({ pauseMs, spanMs }) =>
    `the generator paused for ${format.formatDuration(pauseMs)} of ${format.formatDuration(spanMs)}`,
  "generator-bottleneck": ({ generatorCpuShare, serverCpuShare }) =>
    `the generator was the bottleneck: it used ${format.formatShare(generatorCpuShare)} of its CPU${serverCpuShare === null ? "; give --workers" : `, the server ${format.formatShare(serverCpuShare)}`}`,
  "server-contention": ({ otherCpuShare }) => describeContention("server", otherCpuShare),
  "worker-exited": ({ worker, exit }) => {
    const hint = exit.signal === "SIGKILL" ? ", most likely for lack of memory" : "";
    return `generator worker ${worker} ${describeExit(exit)}${hint}`;
  },
  "worker-fault": ({ worker, message }) => `generator worker ${worker} failed: ${quote(message)}`,
  "agent-lost": ({ silentMs, cameBack, ...agent }) => {
    const back = cameBack ? "; it came back, and is in no figure" : ", and its part is in no figure";
    return `nothing was heard of ${nameAgent(agent)} for ${format.formatDuration(silentMs)}${back}`;
  },
  "agent-failed": ({ problem, ...agent }) => `${nameAgent(agent)} could not do its part: ${quote(problem)}`,
  "agent-part": ({ reason, ...agent }) => `of ${nameAgent(agent)}: ${describeReason(reason)}`,
  "bus-lost": ({ silentMs }) => `the bus was away for ${format.formatDuration(silentMs)}`,
  "server-exited": ({ exit, connections }) => {
    const at = connections === null ? "" : ` at ${format.plural(connections, "connection")}`;
    return `the server ${describeExit(exit)}${at}`;
  },
  "server-hung": ({ quietMs, missing }) =>
    `the server hung: nothing arrived for ${format.formatDuration(quietMs)}, ${format.formatCount(missing)} deliveries missing`,
  "server-not-ready": ({ problem }) => `the server did not become ready: ${quote(problem)}`,
  "server-not-restarted": ({ problem }) => `the server could not be restarted: ${quote(problem)}`,
  "server-busy": ({ afterMs }) =>
    `the server still used CPU ${format.formatDuration(afterMs)} after the load ended`,
  "no-connection-opened": ({ failure }) =>
    `no connection opened${failure === null ? "" : `: ${describeFailure(failure)}`}`,
  "all-connections-closed": () => "all connections were closed",
  "too-many-errors": ({ errors, allowed }) =>
    `${format.formatCount(errors)} errors, ${format.formatCount(allowed)} allowed`,
  "stopped-by-user": () => "stopped by the user",
};

function describeContention(whose: string, share: number): string {
  return `other processes used ${format.formatShare(share)} of the ${whose}'s CPU; stop them and run again`;
}

const stepTexts: Texts<StepReason> = {
  ...sharedTexts,
  "nothing-sent": () => "nothing was sent",
  closed: ({ connections }) => `${format.plural(connections, "connection")} closed`,
  unsent: ({ messages }) => `${format.plural(messages, "message")} could not be sent`,
  lost: ({ deliveries, expected }) =>
    `${format.formatCount(deliveries)} of ${format.formatCount(expected)} deliveries lost`,
  corrupted: ({ deliveries }) => `${format.formatCount(deliveries)} deliveries corrupted`,
  backlog: ({ arrivedShare }) => `only ${format.formatShare(arrivedShare)} arrived in time`,
  latency: ({ quantile, latencyUs }) => `${quantile} ${format.formatLatency(latencyUs)}`,
};

/**
 * Why a phase or a round did not end as `ok`, as the end of a sentence: `the server exited with code 2`.
 *
 * @param phases of the plan, to name the phase that a reason speaks of
 */
export function describeReason(reason: Reason, phases: readonly PhasePlan[] = []): string {
  const texts: Texts<Reason> = {
    ...sharedTexts,
    "not-our-process": () => "only who started the server can start it again",
    "no-valid-step": () => "no rate could be judged: the generator or other processes disturbed every step",
    "earlier-phase": ({ phase }) => {
      const earlier = phases[phase];
      return earlier === undefined ? "an earlier phase failed" : `${phaseName(earlier)} failed before`;
    },
  };
  return tell(texts, reason);
}

/** Why a rate of a capacity search was not sustained, for a table: `p99 212 ms`. */
export function describeStepReason(reason: StepReason): string {
  return tell(stepTexts, reason);
}
