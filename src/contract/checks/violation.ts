import { describe } from "../arrival.ts";
import { BrokenRule, type Check, type CheckContext, required, strict } from "../check.ts";
import { expectFailure } from "../expectations.ts";
import type { RawConnection } from "../raw-connection.ts";

/** One way to violate a rule. */
export type Attempt = readonly [
  /** In words, to follow "after". */
  after: string,
  /** Bytes for an open connection, or what to do on it. */
  send: Uint8Array | ((connection: RawConnection) => Promise<void>),
  /** Where it breaks another rule too: the close codes that will do instead of the violation's. */
  codes?: readonly number[],
];

interface Violation {
  readonly rule: string;
  readonly nextStep: string;
  /** The close codes that RFC 6455 7.4.1 has for it. Default 1002. */
  readonly codes?: readonly number[];
  readonly attempts: readonly Attempt[];
}

/**
 * Two checks of one violation. Required: the connection is failed in whatever way (RFC 6455 7.1.7) and the server
 * lives. Strict, as `<id>-code`: the close frame with the right code is sent before.
 */
export function violation(id: string, reference: string, violated: Violation): Check[] {
  const { rule, nextStep, codes = [1002], attempts } = violated;
  return [
    required(id, reference, {
      rule,
      nextStep,
      run: async (context) => {
        for (const attempt of attempts) await failureOf(context, attempt);
      },
    }),
    strict(`${id}-code`, `${reference}; RFC 6455 7.1.7, 7.4.1`, {
      rule: `${rule} The close frame gives the right code.`,
      nextStep: `Send a close frame with ${codes.join(" or ")} before closing the TCP connection.`,
      run: async (context) => {
        for (const attempt of attempts) {
          const [after, , accepted = codes] = attempt;
          const failure = await failureOf(context, attempt);
          if (failure.kind === "close" && failure.code !== undefined && accepted.includes(failure.code))
            continue;
          const expected = `a close frame with code ${accepted.join(" or ")}`;
          throw new BrokenRule(expected, `after ${after}: ${describe(failure)}`);
        }
      },
    }),
  ];
}

async function failureOf(context: CheckContext, [after, send]: Attempt) {
  const connection = await context.open();
  if (typeof send === "function") await send(connection);
  else connection.send(send);
  return expectFailure(context, connection, after);
}
