import type { Phase } from "../result/phase.ts";
import type { Ceilings } from "../result/schema.ts";

/** A phase with the generator's ceiling and how far it stayed below it. */
export function withHeadroom(phase: Phase, ceilings: Ceilings | null): Phase {
  if (ceilings === null || phase.status === "not-run" || phase.kind === "connect") return phase;
  const ceilingPerSecond = phase.workload === "echo" ? ceilings.echoPerSecond : ceilings.broadcastPerSecond;
  const rate = phase.kind === "chaos" ? 0 : (phase.throughput?.deliveriesPerSecond ?? 0);
  const headroom = rate > 0 ? Math.round((ceilingPerSecond / rate) * 100) / 100 : null;
  return { ...phase, generator: { ...phase.generator, ceilingPerSecond, headroom } };
}
