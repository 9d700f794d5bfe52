import type { Connection } from "../connection.ts";

/** Those of a worker's connections that messages may be sent on: a byte for each, by place. */
export class ReadyConnections implements Iterable<Connection> {
  /** Null before its first attempt. */
  readonly #connections: readonly (Connection | null)[];
  readonly #isReady: Uint8Array;
  #count = 0;

  /** @param connections of the worker, by place */
  constructor(connections: readonly (Connection | null)[]) {
    this.#connections = connections;
    this.#isReady = new Uint8Array(connections.length);
  }

  get count(): number {
    return this.#count;
  }

  has(place: number): boolean {
    return this.#isReady[place] === 1;
  }

  add(place: number): void {
    this.#isReady[place] = 1;
    this.#count += 1;
  }

  delete(place: number): void {
    this.#count -= this.#isReady[place] as number;
    this.#isReady[place] = 0;
  }

  /** How many are in each room: connection i is in room i modulo `rooms`. */
  countByRoom(rooms: number): number[] {
    const counts = new Array<number>(rooms).fill(0);
    for (const { index } of this) counts[index % rooms] = (counts[index % rooms] as number) + 1;
    return counts;
  }

  *[Symbol.iterator](): Iterator<Connection> {
    for (const [place, isReady] of this.#isReady.entries()) {
      if (isReady === 1) yield this.#connections[place] as Connection;
    }
  }
}
