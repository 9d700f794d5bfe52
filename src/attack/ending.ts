import type { AttackPlan } from "../plan/attack/plan.ts";
import { type AttackPart, type AttackReason, type AttackResult, nameOfPart } from "../result/attack.ts";
import { findBottleneck, findLateness } from "../trust/validity.ts";
import type { AttackFigures } from "./attack-figures.ts";
import { judgeScenario } from "./judge-scenario.ts";

/** How an attack ended, or a part of it. */
export type Ending = Pick<AttackResult, "status"> & { readonly reason: AttackReason | null };
export const ok: Ending = { status: "ok", reason: null };
export const stopped: Ending = { status: "aborted", reason: { kind: "stopped-by-user" } };

/** Whether the figures count: those of an open loop by how late it sent, of a closed one by its CPU time. */
export function judge(plan: AttackPlan, figures: AttackFigures, ending: Ending): Ending {
  const { sendLagUs, latencyUs, generator, rate } = figures;
  if (ending.status === "ok" && plan.scenario !== null) {
    const reason = judgeScenario(figures);
    if (reason !== null) return { status: "failed", reason };
  }
  const isSound = ending.status === "ok" || ending.status === "partial";
  if (!isSound || generator === null || rate === null) return ending;
  const { pacing, workers } = plan;
  const doubt =
    plan.load.kind === "open" && plan.scenario === null
      ? findLateness({
          plan: { pacing: pacing === "spin" ? "spin" : "timer", validityRule: true },
          sendLagP99Us: sendLagUs.p99,
          latencyP99Us: latencyUs.p99,
        })
      : findBottleneck({
          plan: { workers, workerCpus: null, serverCpus: null, validityRule: true },
          generator: { ...generator, otherCpuShare: null, idleCpuShare: null },
          // Nobody knows what the server used: that the generator used all it had is enough.
          serverCpuMs: 0,
          spanMs: rate.spanMs,
        });
  if (doubt === null) return ending;
  const reason = doubt.kind === "generator-bottleneck" ? { ...doubt, serverCpuShare: null } : doubt;
  return { status: "invalid", reason };
}

/** Gravest first. */
const endings = ["invalid", "aborted", "partial", "failed"] as const;

/**
 * How an attack ended, of which these are the parts. It is as one machine's would have been: that the server let
 * nobody of one part in is in the figures, as are other connections that failed.
 *
 * @param missing why parts are missing beside those that are lost; null where none is
 */
export function judgeParts(parts: readonly AttackPart[], missing: AttackReason | null = null): Ending {
  const there = parts.filter(({ figures }) => figures !== null);
  const loss = missing ?? parts.find(({ status }) => status === "lost")?.reason ?? null;
  if (there.length === 0) return { status: "invalid", reason: loss };
  for (const status of endings) {
    const bad = there.filter((part) => part.status === status);
    const [worst] = bad;
    const areAll = bad.length === there.length;
    if (worst === undefined || (status === "failed" && !areAll)) continue;
    const { reason } = worst;
    const isOfAll = areAll && bad.every((one) => Bun.deepEquals(one.reason, reason));
    return reason === null || isOfAll
      ? { status, reason }
      : { status, reason: { kind: "part", part: nameOfPart(worst), status, reason } };
  }
  return loss === null ? ok : { status: "partial", reason: loss };
}
