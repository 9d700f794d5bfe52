/** How the sends of a phase are spread in time; `start` begins, `stop` ends it early. */
export interface Pacer {
  start(): void;
  stop(): void;
}

/** Sends are made a few at a time, so that arrivals are read in between even when the pacer is behind. */
const mostSendsPerTurn = 128;

export interface SteadyOptions {
  readonly count: number;
  readonly pacing: "spin" | "timer";
  readonly clockUs: () => number;
  /** When send k is due, on the same clock; never falls. */
  readonly dueUs: (send: number) => number;
  readonly send: (send: number, dueUs: number) => void;
  readonly finish: () => void;
}

/**
 * Open loop: send k is made when it is due, however late the answers are; one that comes late is made at
 * once and keeps its due time (wrk2's rule against coordinated omission).
 *
 * `spin` asks the clock in every turn of the event loop, which takes a whole processor and is late by a few
 * tens of microseconds. `timer` sleeps until the next send, which on most systems is late by a millisecond.
 */
export function steadyPacer(options: SteadyOptions): Pacer {
  const { count, pacing, clockUs, dueUs, send, finish } = options;
  let next = 0;
  let stopped = false;

  function turn(): void {
    if (stopped) return;
    let due = 0;
    for (let sends = 0; sends < mostSendsPerTurn && next < count; sends += 1) {
      due = dueUs(next);
      if (clockUs() < due) break;
      send(next, due);
      next += 1;
    }
    if (next >= count) {
      finish();
      return;
    }
    const waitMs = (due - clockUs()) / 1000;
    if (waitMs <= 0) setImmediate(turn);
    else if (pacing === "timer") setTimeout(turn, Math.ceil(waitMs));
    // A timer fires up to a millisecond late: the last two milliseconds are spun.
    else if (waitMs > 2) setTimeout(turn, waitMs - 2);
    else setImmediate(turn);
  }

  return { start: turn, stop: () => (stopped = true) };
}

export interface BurstOptions {
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
  let stopped = false;

  function turn(): void {
    if (stopped) return;
    if (!isBlocked()) {
      for (const end = Math.min(count, next + batch); next < end; next += 1) send(next);
      if (next >= count) {
        finish();
        return;
      }
    }
    setImmediate(turn);
  }

  return { start: turn, stop: () => (stopped = true) };
}
