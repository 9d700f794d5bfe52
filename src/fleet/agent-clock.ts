import { nowUs } from "../machine/clock.ts";
import type { Bus } from "./bus.ts";
import { type Start, say, subjects } from "./messages.ts";

/** An agent's clock against the coordinator's, in microseconds: its time is the coordinator's and `offsetUs`. */
export interface ClockEstimate {
  readonly offsetUs: number;
  /** Half the quickest round trip: the two ways of it may be of any length. */
  readonly errorUs: number;
  readonly roundTripUs: number;
}

/** Asked so often at a time, of which the quickest counts. */
const exchanges = 8;
const answerMs = 1000;
/** Whatever else holds, a start reaches everyone within … */
const leastLeadMs = 1000;
/** … and within so many of the slowest round trips. */
const leadRoundTrips = 10;
/**
 * A quartz is good to it: how far a clock may have run away, per microsecond since an exchange or until it. What all agents
 * have in common, the coordinator's own clock, is in no comparison of two of them.
 */
const driftUs = 50e-6;
/** Between one agent's turn and the next one's: asked all at once, hundreds wait for each other, and their clocks seem as far off. */
const turnMs = 2;

/** By the exchange of NTP (RFC 5905, section 8) over the bus. Also tells the agent that it is still wanted. */
export class AgentClock {
  best: ClockEstimate | null = null;
  /** Of the last reading: one that was slow an hour ago delays no start. */
  worstRoundTripUs = 0;
  readonly #isSame: boolean;
  readonly #exchanges: (ClockEstimate & { readonly atUs: number })[] = [];

  /** @param isSame as the coordinator's: then there is nothing to estimate */
  constructor(isSame = false) {
    this.#isSame = isSame;
  }

  /** @returns whether it answered */
  async ask(bus: Bus, start: Start, id: string, times: number): Promise<boolean> {
    let hasAnswered = false;
    if (times > 1) this.worstRoundTripUs = 0;
    for (let left = times; left > 0; left -= 1) {
      const askedUs = nowUs();
      const answer = await bus.ask(subjects.agent(id), say(start, { kind: "clock" }), answerMs);
      const answeredUs = nowUs();
      if (answer?.kind !== "answer" || answer.problem !== null) return hasAnswered;
      hasAnswered = true;
      this.#note(askedUs, answeredUs, answer.clockUs);
    }
    return hasAnswered;
  }

  /** What is known of it at a moment of the coordinator's clock: by the quickest exchange near enough. */
  at(momentUs: number): ClockEstimate | null {
    return this.#exchanges
      .map(({ atUs, errorUs, ...rest }) => ({
        ...rest,
        errorUs: this.#isSame ? 0 : errorUs + driftUs * Math.abs(momentUs - atUs),
      }))
      .reduce<ClockEstimate | null>(
        (best, one) => (best === null || one.errorUs < best.errorUs ? one : best),
        null,
      );
  }

  #note(askedUs: number, answeredUs: number, clockUs: number): void {
    const roundTripUs = answeredUs - askedUs;
    this.worstRoundTripUs = Math.max(this.worstRoundTripUs, roundTripUs);
    const atUs = (askedUs + answeredUs) / 2;
    const estimate = this.#isSame
      ? { offsetUs: 0, errorUs: 0, roundTripUs }
      : { offsetUs: clockUs - atUs, errorUs: roundTripUs / 2, roundTripUs };
    this.#exchanges.push({ ...estimate, atUs });
    if (this.best === null || roundTripUs < this.best.roundTripUs) this.best = estimate;
  }
}

/** Each one's clock, one agent after another. */
export async function readClocks(
  bus: Bus,
  start: Start,
  members: readonly { readonly id: string; readonly clock: AgentClock }[],
  times = exchanges,
): Promise<void> {
  await Promise.all(
    members.map(async ({ id, clock }, place) => {
      await Bun.sleep(place * turnMs);
      await clock.ask(bus, start, id, times);
    }),
  );
}

/** From a start's announcement to the start, in milliseconds: so that it reaches everybody, however slow the way was last. */
export function leadMsOf(members: readonly { readonly clock: AgentClock }[]): number {
  const roundTripUs = Math.max(...members.map(({ clock }) => clock.worstRoundTripUs));
  return Math.max(leastLeadMs, (leadRoundTrips * roundTripUs) / 1000);
}
