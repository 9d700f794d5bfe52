import { nameOf } from "../measures/sections.ts";
import type { RanPhase } from "../result/phase.ts";
import { type RoundContext, sumOf } from "./phases/context.ts";

/** Contenders that are alive and have no load. */
export type Neighbours = readonly {
  readonly options: { readonly contender: string; readonly variant: string };
  readonly context: RoundContext | null;
}[];

/** What each of them that was there used all the same, in some time. */
export interface Idling {
  readonly contenders: readonly { readonly contender: string; readonly cpuMs: number }[];
  readonly elapsedMs: number;
}

/** Begins to watch them. */
export async function watchIdling(neighbours: Neighbours): Promise<() => Promise<Idling>> {
  const startMs = performance.now();
  const before = await readCpuMs(neighbours);
  return async () => {
    const after = await readCpuMs(neighbours);
    const contenders = neighbours.flatMap(({ options: { contender: name, variant } }, at) => {
      const [first, last] = [before[at] ?? null, after[at] ?? null];
      if (last === null) return [];
      return [{ contender: nameOf({ name, variant }), cpuMs: Math.max(0, last - (first ?? last)) }];
    });
    return { contenders, elapsedMs: performance.now() - startMs };
  };
}

/** Over all the times in which a contender had the load; nothing where it was alone. */
export function describeNeighbours(times: readonly Idling[]): Pick<RanPhase, "neighbours"> {
  const servers = Math.max(0, ...times.map(({ contenders }) => contenders.length));
  const elapsedMs = sumOf(times, (time) => time.elapsedMs);
  if (servers === 0 || elapsedMs === 0) return {};
  const each = [
    ...Map.groupBy(
      times.flatMap((time) => time.contenders.map((one) => ({ ...one, elapsedMs: time.elapsedMs }))),
      ({ contender }) => contender,
    ),
  ].map(([contender, parts]) => ({ contender, cpuMsPerSecond: perSecond(parts) }));
  const cpuMs = sumOf(times, ({ contenders }) => sumOf(contenders, (one) => one.cpuMs));
  return { neighbours: { servers, cpuMsPerSecond: perSecond([{ cpuMs, elapsedMs }]), each } };
}

function perSecond(parts: readonly { readonly cpuMs: number; readonly elapsedMs: number }[]): number {
  const seconds = sumOf(parts, ({ elapsedMs }) => elapsedMs) / 1000;
  return Math.round((sumOf(parts, ({ cpuMs }) => cpuMs) / seconds) * 100) / 100;
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
