import { describe } from "../arrival.ts";
import { BrokenRule, type Check } from "../check.ts";
import { expectEcho } from "../expectations.ts";

export const silenceChecks: readonly Check[] = [
  {
    id: "silence.stays-open",
    rule: "A silent connection stays open for at least 120 s.",
    reference: "contract, endpoints (120 s)",
    grade: "required",
    slow: true,
    nextStep: "Disable idle timeouts, or set them above 120 s.",
    run: async (context) => {
      const connection = await context.open();
      // Saying nothing includes the answers to the server's own pings.
      connection.answersPings = false;
      const deadline = performance.now() + context.silenceMs;
      for (let leftMs = context.silenceMs; leftMs > 0; leftMs = deadline - performance.now()) {
        const arrival = await connection.next(leftMs);
        if (arrival.kind === "close" || arrival.kind === "end") {
          const afterMs = Math.round(context.silenceMs - (deadline - performance.now()));
          throw new BrokenRule(
            `an open connection after ${context.silenceMs} ms of silence`,
            `${describe(arrival)}, after ${afterMs} ms`,
          );
        }
      }
      connection.answersPings = true;
      await expectEcho(connection, "awake");
    },
  },
];
