import type { Bus } from "./bus.ts";

/** Beats, as everyone of a fleet counts on. */
export const beatMs = 1000;
/** So many beats missed, and some time for the last of them. */
export const lostMs = 3 * beatMs + 500;
/** After the bus came back, or this process after it was suspended: others are heard again a little later. */
const returnMs = 2500;
/** Nobody waits for ever for a bus that went away. */
export const mostAwayMs = 30_000;

/** Between two looks: more, and this process was suspended. */
const longestLookMs = 2 * beatMs;

/** How long others were silent, for whoever looks at it about each second. */
export class Silence {
  readonly #bus: Pick<Bus, "connectedMs">;
  #lookedMs = performance.now();
  #awakeMs = performance.now();

  constructor(bus: Pick<Bus, "connectedMs">) {
    this.#bus = bus;
  }

  /** Null while the bus is away, since that says nothing of anybody. */
  since(heardMs: number): number | null {
    const nowMs = performance.now();
    // What they said while nobody looked has not been read yet.
    if (nowMs - this.#lookedMs > longestLookMs) this.#awakeMs = nowMs;
    this.#lookedMs = nowMs;
    const { connectedMs } = this.#bus;
    if (connectedMs === null) return null;
    return nowMs - Math.max(heardMs, Math.max(connectedMs, this.#awakeMs) + returnMs - lostMs);
  }
}
