import { placeIn } from "../../machine/user-file.ts";
import type { UserSocket } from "./user-socket.ts";

/** How something that is waited for comes to its end; only the first counts. */
export interface Settle<T> {
  resolve(value: T): void;
  /** With an error that points at the call. */
  reject(message: string): void;
  /** With what the scenario's own function threw. */
  rejectWith(error: unknown): void;
}

/** One user's run through the scenario: what it waits for, and where, so that it can be ended from outside. */
export class Iteration {
  readonly startedUs: number;
  readonly sockets = new Set<UserSocket>();
  /** Of its last message on any connection; null before. */
  sentUs: number | null = null;
  readonly #file: string;
  readonly #ends = new Set<(message: string) => void>();
  #last: { readonly call: string; readonly at: Error } | null = null;
  #isOver = false;

  /** @param file whose lines are told, absolute */
  constructor(file: string, startedUs: number) {
    this.#file = file;
    this.startedUs = startedUs;
  }

  get isOver(): boolean {
    return this.#isOver;
  }

  /** What it called last, and where; the place is null where it has called nothing. */
  get last(): { readonly call: string; readonly place: string | null } {
    return { call: this.#last?.call ?? "", place: this.placeOf(this.#last?.at) };
  }

  /** The line of the scenario that an error comes from; null where it does not say. */
  placeOf(error: unknown): string | null {
    return placeIn(this.#file, error);
  }

  /** A call that ends at once. @returns the error that it may throw, made where it was called */
  note(call: string): Error {
    const at = new Error();
    this.#last = { call, at };
    return at;
  }

  /**
   * Something that takes its time. After the iteration's end it never comes: a loop that catches everything would keep
   * the process for itself otherwise.
   *
   * @param begin what it returns is called when the wait is over, however it ended
   */
  wait<T>(call: string, begin: (settle: Settle<T>) => () => void): Promise<T> {
    const at = this.note(call);
    if (this.#isOver) return new Promise(() => {});
    const { promise, resolve, reject } = Promise.withResolvers<T>();
    // Who does not await it is told by what is missing, not by the end of the process.
    promise.catch(() => {});
    let clean: (() => void) | null = null;
    let isSettled = false;
    const settle = (act: () => void) => {
      if (isSettled) return;
      isSettled = true;
      this.#ends.delete(end);
      clean?.();
      act();
    };
    const fail = (error: unknown) => {
      // In a later turn: whoever tries again at once must let others have theirs.
      settle(() => setImmediate(() => reject(error)));
    };
    const failAt = (message: string) => {
      at.message = message;
      fail(at);
    };
    const end = (message: string) => {
      at.message = message;
      settle(() => reject(at));
    };
    this.#ends.add(end);
    clean = begin({ resolve: (value) => settle(() => resolve(value)), reject: failAt, rejectWith: fail });
    if (isSettled) clean();
    return promise;
  }

  /** Whatever it still waits for fails, once. */
  end(message: string): void {
    this.#isOver = true;
    for (const end of [...this.#ends]) end(message);
  }
}
