import type { Connection } from "../connection.ts";
import type { AttackStart } from "../worker-protocol.ts";

/** What is said over the connections of a worker: as it is, or by an adapter. */
export interface Talk {
  /** Seconds between two calls of `heartbeat`; null where it needs none. */
  readonly heartbeatSeconds: number | null;
  /** Before the first message. */
  begin(start: AttackStart): void;
  /** The upgrade has succeeded: what is said before the first message. */
  opened(connection: Connection): void;
  /**
   * Sends its next message.
   *
   * @returns false where the connection can't take it
   */
  send(connection: Connection, dueUs: number, nowUs: number): boolean;
  received(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void;
  pong(connection: Connection, payload: Uint8Array): void;
  /** Messages whose reply is awaited. */
  waiting(connection: Connection): number;
  /** @returns how many replies it still owed */
  closed(connection: Connection): number;
  /** Gives up what was due before `dueUs` and has no answer. */
  giveUp(connection: Connection, dueUs: number): void;
  heartbeat(connection: Connection): void;
}

/** What a talk tells of its connections. */
export interface TalkListener {
  /** Microseconds on the attack's epoch, of the arrival that is being read. */
  readonly arrivedUs: number;
  /** Messages may be sent on it. */
  onReady(connection: Connection): void;
  /** It has not become ready, for this reason. */
  onRefused(connection: Connection, reason: string): void;
  /** A message that was awaited has come: there is room for another. */
  onAnswered(connection: Connection): void;
}
