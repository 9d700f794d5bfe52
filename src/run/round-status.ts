import type { PhasePlan } from "../plan/plan.ts";
import type { Ending, Phase } from "../result/phase.ts";
import type { InvalidReason, Reason } from "../result/reasons.ts";
import type { Round } from "../result/schema.ts";

export function skip({ kind, workload }: PhasePlan, reason: Reason): Phase {
  if (kind === "connect") return { kind, workload: null, status: "not-run", reason };
  if (workload === undefined) throw new Error(`${kind} has a workload`);
  if (kind !== "chaos") return { kind, workload, status: "not-run", reason };
  return { kind, workload: workload === "rooms" ? "rooms" : "broadcast", status: "not-run", reason };
}

/** A round is as good as its worst phase; a phase that nobody came to, or that is invalid, makes none worse. */
export function worse(
  round: Round,
  phase: Phase,
  index: number,
): Pick<Round, "status" | "reason" | "reasonPhase"> {
  const ending = endingOf(phase);
  if (ending === null || round.status === "failed") return round;
  if (round.status === "aborted" && ending.status === "aborted" && phase.status !== "invalid") return round;
  return { ...ending, reasonPhase: index };
}

function endingOf({ status, reason }: Phase): (Pick<Round, "reason"> & { status: Round["status"] }) | null {
  switch (status) {
    case "failed":
    case "aborted":
      return { status, reason };
    case "invalid":
      // Without its workers a round can't go on, whoever's fault that is.
      return isWorkerGone(reason) ? { status: "aborted", reason } : null;
    case "not-run":
      return reason.kind === "stopped-by-user"
        ? { status: "aborted", reason }
        : reason.kind === "earlier-phase" || reason.kind === "not-our-process"
          ? null
          : { status: "failed", reason };
    case "ok":
      return null;
  }
}

/** A worker is gone, by itself or with its machine: nothing that a server did. */
export function isWorkerGone(reason: Ending["reason"]): boolean {
  return reason !== null && goneKinds.has(reason.kind);
}

const goneKinds: ReadonlySet<string> = new Set([
  ...(["worker-exited", "worker-fault", "agent-lost", "agent-failed", "bus-lost"] as const),
] satisfies readonly InvalidReason["kind"][]);
