import type { Ending } from "../../result/phase.ts";
import type { PhaseView } from "../events.ts";
import { poolEnding, type RoundContext, stopped } from "./context.ts";

const viewIntervalMs = 250;
/** Workers report every 200 ms. */
const unheardMs = 700;

/** Where a load is, from outside. */
export interface LoadState {
  readonly nowUs: number;
  readonly delivered: number;
  readonly expected: number;
  readonly errors: number;
  readonly finishedSending: boolean;
  /** Deliveries are owed, and for so long none came. */
  readonly quietMs: number;
  /** Not even a byte came for so long. */
  readonly silentMs: number;
  /** For so long in all nobody looked: this process stood still, as on a machine that was suspended. No load's doing. */
  readonly stoodStillMs: number;
}

export interface Observed {
  /** On the run's epoch. */
  readonly startUs: number;
  readonly pollMs: number;
  /** Asked at each look; what it returns ends the observation. */
  readonly judge: (state: LoadState) => Ending | null | Promise<Ending | null>;
  readonly view: (state: LoadState) => PhaseView;
}

/** Watches a load from its start until it is judged over, the user stops it, or a worker is gone. */
export async function observeLoad(
  context: RoundContext,
  { startUs, pollMs, judge, view }: Observed,
): Promise<Ending> {
  const { board, pool, signal, clockUs, onView } = context;
  let before = { delivered: -1, finishedSending: false, lastArrivalUs: 0 };
  let quietSinceUs = startUs;
  let silentSinceUs = startUs;
  let viewedUs = 0;
  let lookedUs = clockUs();
  let stoodStillMs = 0;
  for (;;) {
    await Bun.sleep(pollMs);
    const nowUs = clockUs();
    const gapMs = (nowUs - lookedUs) / 1000;
    if (gapMs >= unheardMs) stoodStillMs += gapMs;
    lookedUs = nowUs;
    const totals = board.phaseTotals();
    const { delivered, expected, finishedSending, lastArrivalUs, errors } = totals;
    // Of a worker that got no CPU nobody knows what has arrived: that is no silence of the server.
    const isUnheard = board.longestUnheardMs() >= unheardMs;
    // What was sent last has its time too.
    const isNews = delivered !== before.delivered || finishedSending !== before.finishedSending;
    if (isNews || isUnheard || delivered >= expected) quietSinceUs = Math.max(nowUs, startUs);
    if (isNews || isUnheard || lastArrivalUs !== before.lastArrivalUs) {
      silentSinceUs = Math.max(nowUs, startUs);
    }
    before = totals;
    const state: LoadState = {
      nowUs,
      delivered,
      expected,
      errors,
      finishedSending,
      quietMs: Math.max(0, nowUs - quietSinceUs) / 1000,
      silentMs: Math.max(0, nowUs - Math.max(quietSinceUs, silentSinceUs)) / 1000,
      stoodStillMs,
    };
    if (nowUs - viewedUs >= viewIntervalMs * 1000) {
      viewedUs = nowUs;
      onView(view(state));
    }
    const gone = poolEnding(pool);
    if (gone !== null) return gone;
    const ending = await judge(state);
    if (ending !== null) return ending;
    if (signal.aborted) return stopped;
  }
}
