/**
 * What a module of `showdown attack scenario.ts` exports, and what it is given. This file imports nothing: as it stands it
 * is what such a module is type-checked against where the package is not installed beside it.
 */

/** What each user does, again and again until the time is over. */
export interface Scenario {
  /** Whom to load where the command line names nobody. */
  readonly url?: string;
  /**
   * One iteration. When it ends, connections that it left open are closed. What it throws is counted by its message and
   * line, and the user begins again a little later.
   */
  run(user: User): Promise<void> | void;
}

/** A module's default export. It hands back what it is given, and lets an editor know the types. */
export function scenario(one: Scenario): Scenario {
  return one;
}

/** One of `--connections` users, in one iteration. None of its functions needs `this`. */
export interface User {
  /** Its number, from 0. */
  readonly user: number;
  /** Of this user, from 1. */
  readonly iteration: number;
  /** Its row of `--data`; empty without. */
  readonly row: Readonly<Record<string, string>>;
  /**
   * Opens a connection to the server of the attack.
   *
   * @param path with its query; that of the URL where absent
   * @throws {Error} where it does not open within `--connect-timeout`
   */
  connect(path?: string, options?: ConnectOptions): Promise<UserConnection>;
  wait(ms: number): Promise<void>;
  /** Where users of one worker meet, by its name. */
  room(name: string): Room;
  /** Adds a time in milliseconds to the figures of that name. @throws {TypeError} where it is no number from 0 on */
  measure(name: string, ms: number): void;
  /** Counts whether it was true. @returns the condition */
  check(name: string, condition: boolean): boolean;
}

export interface ConnectOptions {
  /** Sent with the upgrade, beside those of the command line. */
  readonly headers?: Readonly<Record<string, string>>;
}

export interface UserConnection {
  /**
   * Sends text, bytes as they are, or anything else as JSON.
   *
   * @throws {Error} where the connection is closed, or the server has not read for too long
   */
  send(message: string | Uint8Array | object): void;
  /**
   * The first message that fits and that nobody has taken, whether it comes or has come before.
   *
   * @throws {Error} where none comes in time, or the connection closes
   */
  expect(what?: Expected, options?: ExpectOptions): Promise<Message>;
  /** Says goodbye. What comes afterwards is nobody's concern. */
  close(): void;
}

/** Text that the message contains, a pattern that it matches, or what says whether it fits; any message where absent. */
export type Expected = string | RegExp | ((message: Message) => boolean);

export interface ExpectOptions {
  /** `--reply-timeout` where absent. */
  readonly timeoutMs?: number;
}

export interface Message {
  /** Of a binary message its bytes read as UTF-8. */
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly isText: boolean;
  /** What it says as JSON. @throws {SyntaxError} where it is none */
  json<T>(): T;
}

export interface Room {
  /** Puts a connection into it, until it closes. */
  join(connection: UserConnection): void;
  /** Waits until so many users, this one among them, have come here since the last meeting. */
  meet(users: number): Promise<void>;
  /**
   * A message that fits from each connection that is in it, as `expect` of each would take.
   *
   * @returns how many there were
   */
  expect(what?: Expected, options?: ExpectOptions): Promise<number>;
}
