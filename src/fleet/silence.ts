import type { Bus } from "./bus.ts";

/** Beats, as everyone of a fleet counts on. */
export const beatMs = 1000;
/** So many beats missed, and some time for the last of them. */
export const lostMs = 3 * beatMs + 500;
/** After the bus came back: agents come back to it a little later. */
const returnMs = 2500;

const lookMs = 250;
const heldUpMs = 1000;
let lookedMs = performance.now();
let attentiveSinceMs = lookedMs;

/** Notices that this program itself was held up: what others said meanwhile it has yet to hear, as they what it had to say. */
function look(): void {
  const nowMs = performance.now();
  if (nowMs - lookedMs > heldUpMs) attentiveSinceMs = nowMs;
  lookedMs = nowMs;
}
setInterval(look, lookMs).unref();

/** How long somebody was silent whom this program listened to. */
export function silenceSince(heardMs: number): number {
  look();
  return performance.now() - Math.max(heardMs, attentiveSinceMs);
}

/** How long somebody was silent; not at all while the bus is away, since that says nothing of anybody. */
export function silenceOf({ connectedMs }: Pick<Bus, "connectedMs">, heardMs: number): number {
  if (connectedMs === null) return 0;
  return silenceSince(Math.max(heardMs, connectedMs + returnMs - lostMs));
}
