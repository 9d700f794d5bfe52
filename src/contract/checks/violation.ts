import { describe } from "../arrival.ts";
import { BrokenRule, type Check, type CheckContext } from "../check.ts";
import { expectFailure } from "../expectations.ts";
import type { RawConnection } from "../raw-connection.ts";

/** One way to violate a rule. */
export interface Attempt {
  /** In words, to follow "after". */
  readonly after: string;
  /** Bytes for an open connection, or what to do on it. */
  readonly send: Uint8Array | ((connection: RawConnection) => Promise<void>);
  /** Where it breaks another rule too: the close codes that will do instead of the violation's. */
  readonly codes?: readonly number[];
}

export interface Violation {
  readonly id: string;
  readonly rule: string;
  readonly reference: string;
  readonly nextStep: string;
  /** The close codes that RFC 6455 7.4.1 has for it. */
  readonly codes: readonly number[];
  readonly attempts: readonly Attempt[];
}

/**
 * Two checks of one violation. Required: the connection is failed in whatever way (RFC 6455 7.1.7) and the server
 * lives. Strict, as `<id>-code`: the close frame with the right code is sent before.
 */
export function violation({ codes, attempts, ...about }: Violation): Check[] {
  return [
    {
      ...about,
      grade: "required",
      run: async (context) => {
        for (const attempt of attempts) await failureOf(context, attempt);
      },
    },
    {
      ...about,
      id: `${about.id}-code`,
      rule: `${about.rule} The close frame gives the right code.`,
      reference: `${about.reference}; RFC 6455 7.1.7, 7.4.1`,
      grade: "strict",
      nextStep: `Send a close frame with ${codes.join(" or ")} before closing the TCP connection.`,
      run: async (context) => {
        for (const attempt of attempts) {
          const failure = await failureOf(context, attempt);
          const accepted = attempt.codes ?? codes;
          if (failure.kind === "close" && failure.code !== undefined && accepted.includes(failure.code))
            continue;
          throw new BrokenRule(
            `a close frame with code ${accepted.join(" or ")}`,
            `after ${attempt.after}: ${describe(failure)}`,
          );
        }
      },
    },
  ];
}

async function failureOf(context: CheckContext, { after, send }: Attempt) {
  const connection = await context.open();
  if (typeof send === "function") await send(connection);
  else connection.send(send);
  return expectFailure(context, connection, after);
}
