import { greet } from "../process/greeting.ts";
import { isValidCloseCode } from "../websocket/frame.ts";
import { type Arrival, describe, excerpt } from "./arrival.ts";
import { BrokenRule, type CheckContext } from "./check.ts";
import { pingFrame, textFrame } from "./frame.ts";
import { isResponse, type ResponseHead } from "./http.ts";
import { errorReason, join, joined } from "./messages.ts";
import type { RawConnection } from "./raw-connection.ts";

type ArrivalOf<Kind extends Arrival["kind"]> = Extract<Arrival, { kind: Kind }>;

/** The answer is plain HTTP with one of the statuses; a refused handshake is one. */
export async function expectStatus(
  connection: RawConnection,
  expected: string,
  accepts: (status: number) => boolean,
): Promise<ResponseHead> {
  const answer = await connection.response();
  if (isResponse(answer) && answer.status !== null && accepts(answer.status)) return answer;
  throw new BrokenRule(expected, answer);
}

export const isClientError = (status: number): boolean => status >= 400 && status < 500;

/** The next arrival is a text message of these very bytes. */
export async function expectMessage(
  connection: RawConnection,
  message: string | Uint8Array,
  what = "the identical bytes",
): Promise<void> {
  const wanted = Buffer.from(message);
  const arrival = await connection.next();
  if (arrival.kind === "message" && !arrival.binary && arrival.bytes.equals(wanted)) return;
  throw new BrokenRule(`${what}: ${excerpt(wanted)}`, arrival);
}

/** Each message comes next, in this order. */
export async function expectMessages(
  connection: RawConnection,
  messages: readonly string[],
  what: string,
): Promise<void> {
  for (const [i, message] of messages.entries()) {
    const place = messages.length === 1 ? "" : ` (${i + 1} of ${messages.length})`;
    await expectMessage(connection, message, `${what}${place}`);
  }
}

/** A message that comes back to its sender: an echo, or a say to a room that it is in. */
export async function expectReturned(connection: RawConnection, message: string): Promise<void> {
  connection.send(textFrame(message));
  await expectMessage(connection, message);
}

export async function expectPong(connection: RawConnection, payload: string | Uint8Array): Promise<void> {
  const wanted = Buffer.from(payload);
  const arrival = await connection.next();
  if (arrival.kind === "pong" && arrival.payload.equals(wanted)) return;
  const isAlike = arrival.kind === "pong" && arrival.payload.length === wanted.length;
  throw new BrokenRule(
    `a pong with the ping's ${wanted.length} bytes of payload`,
    isAlike ? "a pong with another payload of the same length" : arrival,
  );
}

/** The connection still works and nothing unasked came before the answer. */
export async function expectEcho(connection: RawConnection, from = "still-there"): Promise<void> {
  const { text, isAnswer } = greet(connection.protocol, from);
  connection.send(textFrame(text));
  const arrival = await connection.next();
  if (arrival.kind === "message" && !arrival.binary && isAnswer(arrival.bytes.toString())) return;
  throw new BrokenRule(`the connection to stay open and answer the next message, ${text}`, arrival);
}

/** Nothing more comes. To be called after a barrier, since silence cannot be awaited. */
export async function expectNothing(
  { settleMs }: CheckContext,
  connection: RawConnection,
  what: string,
): Promise<void> {
  const arrival = await connection.next(settleMs);
  if (arrival.kind !== "silence") throw new BrokenRule(what, arrival);
}

/** The TCP connection ends, with no frame before. */
export async function expectEnd(connection: RawConnection, what: string): Promise<void> {
  const arrival = await connection.next();
  if (arrival.kind !== "end") throw new BrokenRule(what, arrival);
}

/** A new connection can be opened and served: the server lives. */
export async function expectAlive(context: CheckContext): Promise<void> {
  await expectEcho(await context.open(), "alive");
}

export async function joinRoom(connection: RawConnection, room: string): Promise<void> {
  connection.send(textFrame(join(room)));
  await expectMessage(connection, joined(room), "the answer to join");
}

/** New connections that have joined a room. */
export async function openMembers(
  context: CheckContext,
  room: string,
  count: number,
): Promise<RawConnection[]> {
  const connections = await Promise.all(Array.from({ length: count }, () => context.open()));
  await Promise.all(connections.map((connection) => joinRoom(connection, room)));
  return connections;
}

/** The server is asked whether it took the violation for good after so many milliseconds of silence. */
const PROBE_AFTER_MS = 300;

/**
 * Waits until the server fails the connection (RFC 6455 7.1.7): a close frame, or the end of the TCP connection.
 * A server that still answers a ping has not, and is found out without waiting the whole time.
 */
export async function expectFailure(
  context: CheckContext,
  connection: RawConnection,
  after: string,
): Promise<ArrivalOf<"close" | "end">> {
  const expected = "the connection to be failed: a close frame, or the end of the TCP connection";
  const cause = `after ${after}: `;
  let arrival = await connection.next(Math.min(PROBE_AFTER_MS, context.waitMs));
  if (arrival.kind === "silence") {
    connection.send(pingFrame("probe"));
    arrival = await connection.next();
  }
  // An error reply may go ahead of the end, but does not stand for it.
  while (arrival.kind === "message" && errorReason(arrival.bytes.toString()) !== undefined) {
    const reply = arrival;
    connection.send(pingFrame("probe"));
    arrival = await connection.next();
    if (arrival.kind === "pong")
      throw new BrokenRule(expected, `${cause}${describe(reply)}, and the connection stays open`);
  }
  switch (arrival.kind) {
    case "close":
      expectLegalCode(arrival, cause);
      return arrival;
    case "end":
      // What ends without a word may have died.
      await expectAlive(context);
      return arrival;
    case "pong":
      throw new BrokenRule(expected, `${cause}the connection stays open and answers a ping`);
    default:
      throw new BrokenRule(expected, `${cause}${describe(arrival)}`);
  }
}

function expectLegalCode(arrival: ArrivalOf<"close">, cause: string): void {
  if (arrival.code === undefined || isValidCloseCode(arrival.code)) return;
  throw new BrokenRule("a close code that may be sent (RFC 6455 7.4.1)", `${cause}${describe(arrival)}`);
}

/** The close frame in answer to ours. */
export async function expectClose(connection: RawConnection, after: string): Promise<ArrivalOf<"close">> {
  const cause = `after ${after}: `;
  const arrival = await connection.next();
  if (arrival.kind !== "close")
    throw new BrokenRule("a close frame in answer", `${cause}${describe(arrival)}`);
  expectLegalCode(arrival, cause);
  return arrival;
}
