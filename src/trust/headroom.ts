import type { Phase, Result } from "../result/schema.ts";

/** What the generator could receive per second by itself (ceiling.ts). */
export type Ceilings = NonNullable<Result["ceilings"]>;

/** A phase with the generator's ceiling and how far it stayed below it. */
export function withHeadroom(phase: Phase, ceilings: Ceilings | null): Phase {
  if (ceilings === null || phase.generator === null || phase.workload === null) return phase;
  const ceilingPerSecond = phase.workload === "echo" ? ceilings.echoPerSecond : ceilings.broadcastPerSecond;
  const rate = phase.throughput?.deliveriesPerSecond ?? 0;
  const headroom = rate > 0 ? Math.round((ceilingPerSecond / rate) * 100) / 100 : null;
  return { ...phase, generator: { ...phase.generator, ceilingPerSecond, headroom } };
}
