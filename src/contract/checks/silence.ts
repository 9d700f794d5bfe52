import { describe } from "../arrival.ts";
import { BrokenRule, type Check, required } from "../check.ts";
import { expectEcho } from "../expectations.ts";

export const silenceChecks: readonly Check[] = [
  required("silence.stays-open", "contract, endpoints (120 s)", {
    rule: "A silent connection stays open for at least 120 s.",
    nextStep: "Disable idle timeouts, or set them above 120 s.",
    slow: true,
    talk: async (connection, { silenceMs }) => {
      // Saying nothing includes the answers to the server's own pings.
      connection.answersPings = false;
      const startMs = performance.now();
      const silentMs = () => performance.now() - startMs;
      while (silentMs() < silenceMs) {
        const arrival = await connection.next(silenceMs - silentMs());
        if (arrival.kind !== "close" && arrival.kind !== "end") continue;
        const expected = `an open connection after ${silenceMs} ms of silence`;
        throw new BrokenRule(expected, `${describe(arrival)}, after ${Math.round(silentMs())} ms`);
      }
      connection.answersPings = true;
      await expectEcho(connection, "awake");
    },
  }),
];
