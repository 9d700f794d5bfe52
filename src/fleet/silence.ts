import type { Bus } from "./bus.ts";

/** Beats, as everyone of a fleet counts on. */
export const beatMs = 1000;
/** So many beats missed, and some time for the last of them. */
export const lostMs = 3 * beatMs + 500;
/** After the bus came back: agents come back to it a little later. */
const returnMs = 2500;

/** How long somebody was silent; not at all while the bus is away, since that says nothing of anybody. */
export function silenceOf({ connectedMs }: Pick<Bus, "connectedMs">, heardMs: number): number {
  if (connectedMs === null) return 0;
  return performance.now() - Math.max(heardMs, connectedMs + returnMs - lostMs);
}
