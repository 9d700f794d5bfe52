import { sumOf } from "../phases/context.ts";
import type { SlicedPart } from "./sliced-part.ts";

/** Messages of a first probe: some milliseconds for the slow, too few to tell anything of the fast. */
const firstDeliveries = 1000;
const mostGrowth = 8;
const mostProbes = 8;
/** A probe this long, as a share of a slice, tells how long a slice takes. */
const tellingShare = 0.5;
/** Of a server that still gets quicker the first such probe tells too little; one that takes longer is no fastest. */
const tellingProbes = 2;
const slowShare = 2;

/**
 * How many messages make a slice: as many as the fastest contender delivers in the time of one. Found by probes that
 * grow until they last; the last one is of a whole slice, since a short one is mostly beginning and end.
 *
 * @param dismiss takes out who fails in its probe
 * @returns null where nobody delivered anything
 */
export async function findSliceWork(
  parts: readonly SlicedPart[],
  othersOf: (part: SlicedPart) => readonly SlicedPart["live"][],
  dismiss: (part: SlicedPart) => Promise<void>,
): Promise<number | null> {
  const rates: number[] = [];
  for (const part of parts) {
    rates.push(await probeRate(part, othersOf(part)));
    // At once: what it has left to do would be in the next one's probe.
    if (part.ending !== null) await dismiss(part);
  }
  const [first] = parts;
  const fastest = Math.max(0, ...rates);
  if (first === undefined || fastest === 0) return null;
  return roundUp((fastest * first.context.plan.sliceMs) / 1000, first.unit);
}

/** Messages per second, as fast as this contender goes; 0 where none came. */
async function probeRate(part: SlicedPart, others: readonly SlicedPart["live"][]): Promise<number> {
  const { sliceMs } = part.context.plan;
  let sends = roundUp(firstDeliveries / part.deliveriesPerSend, part.unit);
  let [ratePerSecond, telling] = [0, 0];
  for (let probe = 0; probe < mostProbes && part.ending === null; probe += 1) {
    const { spanMs, reports } = await part.probe(sends, others);
    const delivered = sumOf(reports, (one) => one.delivered);
    if (delivered === 0 || spanMs <= 0) return ratePerSecond;
    ratePerSecond = Math.max(ratePerSecond, (sends * 1000) / spanMs);
    if (spanMs >= sliceMs * tellingShare) telling += 1;
    if (telling >= tellingProbes || spanMs >= sliceMs * slowShare) break;
    sends = roundUp(sends * Math.min(mostGrowth, sliceMs / spanMs), part.unit);
  }
  return ratePerSecond;
}

function roundUp(value: number, unit: number): number {
  return Math.max(unit, Math.ceil(value / unit) * unit);
}
