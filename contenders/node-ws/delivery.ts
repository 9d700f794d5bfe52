import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { frameText } from "./frame.ts";

/** A client: its WebSocket, the socket underneath, and the rooms it is in. */
export interface Connection {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly rooms: Set<Room>;
}

export interface Room {
  readonly name: string;
  readonly members: Set<Connection>;
  /** Frames that wait for the end of the turn. */
  said: Buffer[];
}

type Written = (error?: Error | null) => void;

/** A client that has left this many bytes unread, beyond what the kernel holds, gets nothing more until it reads. */
export const backlogLimitBytes = 1024 * 1024;

/**
 * Hands text messages to clients and counts what becomes of them: `sent` when the socket reports the write done,
 * `dropped` when the client has too much unread, is closing, or breaks before the write is done.
 */
export abstract class Delivery {
  sent = 0;
  dropped = 0;

  abstract toOne(message: Buffer, receiver: Connection): void;
  abstract toRoom(message: Buffer, room: Room): void;
  /** What was said to the room so far is for its present members only. */
  abstract membersChange(room: Room): void;

  protected count(messages: number, error?: Error | null): void {
    if (error) this.dropped += messages;
    else this.sent += messages;
  }
}

/** As the documentation of `ws` broadcasts: the same buffer to each client's `send`. */
export class PlainDelivery extends Delivery {
  /** One callback for all messages: a closure each would be most of a message's garbage. */
  readonly #written = (error?: Error | null): void => this.count(1, error);

  override toOne(message: Buffer, { webSocket }: Connection): void {
    if (webSocket.bufferedAmount > backlogLimitBytes) this.dropped++;
    else webSocket.send(message, { binary: false }, this.#written);
  }

  override toRoom(message: Buffer, room: Room): void {
    for (const member of room.members) this.toOne(message, member);
  }

  override membersChange(): void {}
}

/**
 * Frames a message once for all its receivers, and collects what a turn of the event loop brings: the frames of a
 * room become one buffer for all its members, and what is for one socket leaves with one system call.
 */
export class FramedDelivery extends Delivery {
  readonly #rooms = new Set<Room>();
  readonly #corked = new Set<Duplex>();
  #isScheduled = false;

  override toOne(message: Buffer, receiver: Connection): void {
    this.#write(receiver, frameText(message), 1, this.#written);
  }

  override toRoom(message: Buffer, room: Room): void {
    room.said.push(frameText(message));
    this.#rooms.add(room);
    this.#schedule();
  }

  override membersChange(room: Room): void {
    if (this.#rooms.delete(room)) this.#handOut(room);
  }

  /** One callback for all single messages: a closure each would be most of a message's garbage. */
  readonly #written = (error?: Error | null): void => this.count(1, error);

  #handOut(room: Room): void {
    const messages = room.said.length;
    const frames = Buffer.concat(room.said);
    room.said = [];
    const written = (error?: Error | null) => this.count(messages, error);
    for (const member of room.members) this.#write(member, frames, messages, written);
  }

  #write({ webSocket, socket }: Connection, frames: Buffer, messages: number, written: Written): void {
    // Past `ws`, its rule has to be kept here: nothing follows a close frame (RFC 6455 §5.5.1).
    if (webSocket.readyState !== webSocket.OPEN || socket.writableLength > backlogLimitBytes) {
      this.dropped += messages;
      return;
    }
    if (!this.#corked.has(socket)) {
      this.#corked.add(socket);
      socket.cork();
      this.#schedule();
    }
    socket.write(frames, written);
  }

  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    setImmediate(() => this.#endTurn());
  }

  #endTurn(): void {
    for (const room of this.#rooms) this.#handOut(room);
    this.#rooms.clear();
    for (const socket of this.#corked) socket.uncork();
    this.#corked.clear();
    this.#isScheduled = false;
  }
}
