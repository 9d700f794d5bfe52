/** How the sends of a phase are spread in time. */
export interface Pacer {
  /**
   * Sends what is due. Returns for how many microseconds there is nothing more to do: 0 when it wants to go on
   * as soon as arrivals were seen to, `Infinity` when all is sent or it was stopped.
   */
  turn(): number;
  /** Ends it early. */
  stop(): void;
}

/** Sends are made a few at a time, so that arrivals are read in between even when the pacer is behind. */
export const mostSendsPerTurn = 128;
/** Burst: how often it looks whether the system has taken everything, unless an arrival lets it look sooner. */
const blockedUs = 1000;

interface SteadyOptions {
  readonly count: number;
  readonly pacing: "spin" | "timer";
  /** How late a wait may end: so long before a send spinning begins. */
  readonly wakesWithinUs: number;
  /** Whether an answer may come at any time, which a sleeping process would see some tens of microseconds late. */
  readonly isOwed: () => boolean;
  readonly clockUs: () => number;
  /** When send k is due, on the same clock; never falls. */
  readonly dueUs: (send: number) => number;
  readonly send: (send: number, dueUs: number, nowUs: number) => void;
  readonly finish: () => void;
}

/**
 * Open loop: send k is made when it is due, however late the answers are; one that comes late is made at
 * once and keeps its due time (wrk2's rule against coordinated omission).
 *
 * `spin` asks the clock in every turn of the loop while answers are owed and before a send, and is late by a few
 * microseconds; at high rates it takes a whole CPU core. `timer` sleeps until the next send and is late by what the system takes to wake up: some tens
 * of microseconds on Linux (epoll_pwait2), a millisecond where only timers of milliseconds exist.
 */
export function steadyPacer(options: SteadyOptions): Pacer {
  const { count, pacing, wakesWithinUs, isOwed, clockUs, dueUs, send, finish } = options;
  let next = 0;
  let isOver = false;

  function turn(): number {
    if (isOver) return Number.POSITIVE_INFINITY;
    let waitUs = 0;
    for (let sends = 0; sends < mostSendsPerTurn && next < count; sends += 1) {
      const due = dueUs(next);
      const nowUs = clockUs();
      if (nowUs < due) {
        waitUs = due - nowUs;
        break;
      }
      send(next, due, nowUs);
      next += 1;
    }
    if (next >= count) {
      isOver = true;
      finish();
      return Number.POSITIVE_INFINITY;
    }
    if (pacing === "timer") return waitUs;
    return isOwed() ? 0 : Math.max(0, waitUs - wakesWithinUs);
  }

  return { turn, stop: () => (isOver = true) };
}

interface BurstOptions {
  readonly count: number;
  readonly batch: number;
  readonly send: (send: number) => void;
  /** Whether any connection still holds bytes that the system has not taken. */
  readonly isBlocked: () => boolean;
  readonly finish: () => void;
}

/** As fast as the system takes them, a batch at a time: the next one starts when nothing of the last is left here. */
export function burstPacer(options: BurstOptions): Pacer {
  const { count, batch, send, isBlocked, finish } = options;
  let next = 0;
  let isOver = false;

  function turn(): number {
    if (isOver) return Number.POSITIVE_INFINITY;
    if (isBlocked()) return blockedUs;
    for (const end = Math.min(count, next + batch); next < end; next += 1) send(next);
    if (next < count) return 0;
    isOver = true;
    finish();
    return Number.POSITIVE_INFINITY;
  }

  return { turn, stop: () => (isOver = true) };
}
