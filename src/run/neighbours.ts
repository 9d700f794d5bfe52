import type { RanPhase } from "../result/phase.ts";
import { type RoundContext, sumOf } from "./phases/context.ts";

/** Contenders that are alive and have no load. */
export type Neighbours = readonly { readonly context: RoundContext | null }[];

/** What their servers used all the same, in some time. */
export interface Idling {
  readonly servers: number;
  readonly cpuMs: number;
  readonly elapsedMs: number;
}

/** Begins to watch them. */
export async function watchIdling(neighbours: Neighbours): Promise<() => Promise<Idling>> {
  const startMs = performance.now();
  const before = await readCpuMs(neighbours);
  return async () => {
    const after = await readCpuMs(neighbours);
    const grown = after.flatMap((ms, at) => (ms === null ? [] : Math.max(0, ms - (before[at] ?? ms))));
    return {
      servers: grown.length,
      cpuMs: sumOf(grown, (ms) => ms),
      elapsedMs: performance.now() - startMs,
    };
  };
}

/** Over all the times in which a contender had the load; nothing where it was alone. */
export function describeNeighbours(times: readonly Idling[]): Pick<RanPhase, "neighbours"> {
  const servers = Math.max(0, ...times.map((time) => time.servers));
  const elapsedMs = sumOf(times, (time) => time.elapsedMs);
  if (servers === 0 || elapsedMs === 0) return {};
  const perSecond = sumOf(times, ({ cpuMs }) => cpuMs) / (elapsedMs / 1000);
  return { neighbours: { servers, cpuMsPerSecond: Math.round(perSecond * 100) / 100 } };
}

/** Null of one whose server is not there. */
async function readCpuMs(neighbours: Neighbours): Promise<(number | null)[]> {
  return await Promise.all(
    neighbours.map(async ({ context }) => {
      const isThere = context !== null && context.target.process?.exit === null;
      return isThere ? ((await context.watch.take())?.cpuMs ?? null) : null;
    }),
  );
}
