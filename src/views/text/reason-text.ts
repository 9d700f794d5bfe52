import { phaseName } from "../../plan/phases.ts";
import type { PhasePlan } from "../../plan/plan.ts";
import type { Reason, StepReason } from "../../result/reasons.ts";
import * as format from "../../text/format.ts";
import { printable } from "../../text/printable.ts";
import { describeExit, describeFailure } from "./failure-text.ts";

const most = 240;

/**
 * Why a phase or a round did not end as `ok`, as the end of a sentence: `the server exited with code 2`.
 *
 * @param phases of the plan, to name the phase that a reason speaks of
 */
export function describeReason(reason: Reason, phases: readonly PhasePlan[] = []): string {
  switch (reason.kind) {
    case "no-valid-step":
      return "no rate could be judged: the generator or other processes disturbed every step";
    case "earlier-phase": {
      const phase = phases[reason.phase];
      return phase === undefined ? "an earlier phase failed" : `${phaseName(phase)} failed before`;
    }
    default:
      return describeShared(reason);
  }
}

/** Why a rate of a capacity search was not sustained, for a table: `p99 212 ms`. */
export function describeStepReason(reason: StepReason): string {
  switch (reason.kind) {
    case "nothing-sent":
      return "nothing was sent";
    case "closed":
      return `${format.plural(reason.connections, "connection")} closed`;
    case "unsent":
      return `${format.plural(reason.messages, "message")} could not be sent`;
    case "lost":
      return `${format.formatCount(reason.deliveries)} of ${format.formatCount(reason.expected)} deliveries lost`;
    case "corrupted":
      return `${format.formatCount(reason.deliveries)} deliveries corrupted`;
    case "backlog":
      return `only ${format.formatShare(reason.arrivedShare)} arrived in time`;
    case "latency":
      return `${reason.quantile} ${format.formatLatency(reason.latencyUs)}`;
    default:
      return describeShared(reason);
  }
}

function describeShared(reason: Reason & StepReason): string {
  switch (reason.kind) {
    case "generator-late":
      return `the generator sent late: p99 ${format.formatLatency(reason.sendLagP99Us)}, ${format.formatLatency(reason.allowedUs)} allowed`;
    case "generator-contention":
      return `other processes used ${format.formatShare(reason.otherCpuShare)} of the generator's CPU; stop them and run again`;
    case "generator-paused":
      return `the generator paused for ${format.formatDuration(reason.pauseMs)} of ${format.formatDuration(reason.spanMs)}`;
    case "generator-bottleneck":
      return `the generator was the bottleneck: it used ${format.formatShare(reason.generatorCpuShare)} of its CPU, the server ${format.formatShare(reason.serverCpuShare)}`;
    case "server-contention":
      return `other processes used ${format.formatShare(reason.otherCpuShare)} of the server's CPU; stop them and run again`;
    case "worker-exited": {
      const hint = reason.exit.signal === "SIGKILL" ? ", most likely for lack of memory" : "";
      return `generator worker ${reason.worker} ${describeExit(reason.exit)}${hint}`;
    }
    case "worker-fault":
      return `generator worker ${reason.worker} failed: ${printable(reason.message, { most })}`;
    case "server-exited": {
      const at = reason.connections === null ? "" : ` at ${format.plural(reason.connections, "connection")}`;
      return `the server ${describeExit(reason.exit)}${at}`;
    }
    case "server-hung":
      return `the server hung: nothing arrived for ${format.formatDuration(reason.quietMs)}, ${format.formatCount(reason.missing)} deliveries missing`;
    case "server-not-ready":
      return `the server did not become ready: ${printable(reason.problem, { most })}`;
    case "server-not-restarted":
      return `the server could not be restarted: ${printable(reason.problem, { most })}`;
    case "server-busy":
      return `the server still used CPU ${format.formatDuration(reason.afterMs)} after the load ended`;
    case "no-connection-opened":
      return reason.failure === null
        ? "no connection opened"
        : `no connection opened: ${describeFailure(reason.failure)}`;
    case "all-connections-closed":
      return "all connections were closed";
    case "too-many-errors":
      return `${format.formatCount(reason.errors)} errors, ${format.formatCount(reason.allowed)} allowed`;
    case "stopped-by-user":
      return "stopped by the user";
  }
}
