import type { Connection } from "../connection.ts";
import { goodbyeMs } from "../goodbye.ts";

interface LeavingOptions {
  readonly isOpening: (connection: Connection) => boolean;
  readonly isAwaited: (connection: Connection) => boolean;
  /** It is told goodbye: nothing that comes from now on counts. */
  readonly onGoodbye: (connection: Connection) => void;
  readonly patienceMs: number;
}

/** Connections that the stages have closed: each is heard until its replies have come, and then told goodbye. */
export class LeavingConnections {
  readonly #options: LeavingOptions;
  /** With the moment at which patience ends. */
  readonly #leaving = new Map<Connection, number>();
  #goodbyes: { readonly connection: Connection; readonly untilUs: number }[] = [];

  constructor(options: LeavingOptions) {
    this.#options = options;
  }

  get size(): number {
    return this.#leaving.size;
  }

  /** Those that were told goodbye and are not gone. */
  get closing(): Connection[] {
    return this.#goodbyes.map(({ connection }) => connection);
  }

  has(connection: Connection): boolean {
    return this.#leaving.has(connection);
  }

  /** One that is being opened leaves when it is open. */
  add(connection: Connection, nowUs: number): void {
    this.#leaving.set(connection, nowUs + this.#options.patienceMs * 1000);
  }

  /** It ended by itself. @returns whether it was leaving */
  delete(connection: Connection): boolean {
    return this.#leaving.delete(connection);
  }

  tend(nowUs: number): void {
    for (const [connection, untilUs] of this.#leaving) {
      if (nowUs >= untilUs || !this.#options.isAwaited(connection)) this.#sayGoodbye(connection, nowUs);
    }
    if (this.#goodbyes.length === 0) return;
    for (const { connection, untilUs } of this.#goodbyes) {
      if (nowUs >= untilUs && connection.state === "closing") connection.abandon();
    }
    this.#goodbyes = this.#goodbyes.filter(({ connection }) => connection.state === "closing");
  }

  #sayGoodbye(connection: Connection, nowUs: number): void {
    if (this.#options.isOpening(connection)) return;
    this.#leaving.delete(connection);
    this.#options.onGoodbye(connection);
    connection.close();
    this.#goodbyes.push({ connection, untilUs: nowUs + goodbyeMs * 1000 });
  }
}
