import { expect, test } from "bun:test";
import type { PhaseView } from "../events.ts";
import type { RoundContext } from "./context.ts";
import { type LoadState, observeLoad } from "./observe-load.ts";

/** A context whose clock is set, in which nothing arrives and nobody is missing. */
function contextAt(clockUs: () => number): RoundContext {
  const totals = { delivered: 0, expected: 1, errors: 0, finishedSending: false, lastArrivalUs: 0 };
  const board = { phaseTotals: () => totals, longestUnheardMs: () => 0 };
  const seen: Partial<Record<keyof RoundContext, unknown>> = {
    ...{ board, clockUs, pool: { failed: null }, onView: () => {} },
    signal: new AbortController().signal,
  };
  return seen as unknown as RoundContext;
}

test("while a machine was suspended nobody looked, and that is told apart from a load that takes long", async () => {
  let looks = 0;
  // Looks every 100 ms, but for a minute before the third.
  const clockUs = () => looks * 100_000 + (looks >= 3 ? 60_000_000 : 0);
  const states: LoadState[] = [];
  await observeLoad(
    contextAt(() => {
      const nowUs = clockUs();
      looks += 1;
      return nowUs;
    }),
    {
      startUs: 0,
      pollMs: 0,
      judge: (state) => {
        states.push(state);
        return states.length === 5 ? { status: "ok", reason: null } : null;
      },
      view: () => ({}) as PhaseView,
    },
  );
  expect(states.map(({ stoodStillMs }) => Math.round(stoodStillMs / 1000))).toEqual([0, 0, 60, 60, 60]);
});
