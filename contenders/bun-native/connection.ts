import type { ServerWebSocket } from "bun";
import { frameSize, Outbox } from "./outbox.ts";
import type { Membership, Room } from "./room.ts";

export type Socket = ServerWebSocket<Connection>;

/** How many messages have met their end, one way or the other. */
export interface Outcome {
  readonly sent: number;
  readonly dropped: number;
}

/** The books of one connection: which rooms it is in and what is still on its way to it. */
export class Connection {
  readonly outbox = new Outbox();
  readonly #memberships = new Map<Room, Membership>();

  /** False when it already was a member. */
  join(socket: Socket, room: Room): boolean {
    if (this.#memberships.has(room)) return false;
    this.#memberships.set(room, room.join(socket));
    return true;
  }

  /** Sends to this connection alone; false when uWebSockets threw the message away. */
  send(socket: Socket, text: string): boolean {
    // uWebSockets writes what was published before this ahead of it, so the books do too.
    this.#record();
    if (socket.send(text) === 0) return false;
    this.outbox.pushMessage(frameSize(Buffer.byteLength(text)));
    return true;
  }

  /** Enters a pong that uWebSockets has sent by itself, behind what was published before it. */
  ponged(payloadBytes: number): void {
    this.#record();
    this.outbox.pushControl(frameSize(payloadBytes));
  }

  /**
   * Settles the books between two turns, when everything published has been written or is among the bytes
   * uWebSockets still holds, and returns how many messages the kernel took.
   */
  settle(heldBytes: number): number {
    this.#record();
    return this.outbox.settle(heldBytes);
  }

  /** Closes the books: leaves all rooms and says what became of everything not settled yet. */
  close(code: number): Outcome {
    const recorded = this.outbox.messages;
    let written = 0;
    let published = 0;
    for (const membership of this.#memberships.values()) {
      const { room } = membership;
      written += Math.max(0, room.written - membership.recorded);
      published += room.published - Math.max(room.written, membership.recorded);
      membership.room.memberships.delete(membership);
    }
    this.#memberships.clear();
    // The held bytes can't be asked for any more, but there are only three cases. Behind a backlog nothing more
    // was written. Without one, replies left with the read that caused them, and what was published in earlier
    // turns left with those. Messages published in this turn leave ahead of a close frame, but are thrown away
    // when the connection broke (1006).
    if (this.outbox.backlogged) return { sent: 0, dropped: recorded + written + published };
    if (code === 1006) return { sent: recorded + written, dropped: published };
    return { sent: recorded + written + published, dropped: 0 };
  }

  get rooms(): Iterable<Room> {
    return this.#memberships.keys();
  }

  #record(): void {
    for (const membership of this.#memberships.values()) membership.room.record(membership);
  }
}
