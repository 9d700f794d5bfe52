import type { Duplex } from "node:stream";
import type { WebSocket } from "ws";
import { frameText } from "./frame.ts";

/** A client: its WebSocket, the socket underneath, and the names of the rooms it is in. */
export interface Connection {
  readonly webSocket: WebSocket;
  readonly socket: Duplex;
  readonly rooms: Set<string>;
}

/** A client that has left this many bytes unread, beyond what the kernel holds, gets nothing more until it reads. */
export const backlogLimitBytes = 1024 * 1024;

/**
 * Hands text messages to clients and counts what becomes of them: `sent` when the socket reports the write done,
 * `dropped` when the client has too much unread, is closing, or breaks before the write is done.
 */
export abstract class Delivery {
  sent = 0;
  dropped = 0;

  abstract deliver(message: Buffer, receivers: Iterable<Connection>): void;

  /** One callback for all messages: a closure each would be most of a message's garbage. */
  protected readonly written = (error?: Error | null): void => {
    if (error) this.dropped++;
    else this.sent++;
  };
}

/** As the documentation of `ws` broadcasts: the same buffer to each client's `send`. */
export class PlainDelivery extends Delivery {
  override deliver(message: Buffer, receivers: Iterable<Connection>): void {
    for (const { webSocket } of receivers) {
      if (webSocket.bufferedAmount > backlogLimitBytes) this.dropped++;
      else webSocket.send(message, { binary: false }, this.written);
    }
  }
}

/**
 * Frames a message once for all its receivers, and lets each socket collect what a turn of the event loop brings
 * for it, so that it leaves with one system call.
 */
export class FramedDelivery extends Delivery {
  readonly #corked = new Set<Duplex>();

  override deliver(message: Buffer, receivers: Iterable<Connection>): void {
    const frame = frameText(message);
    for (const { webSocket, socket } of receivers) {
      // Past `ws`, its rule has to be kept here: nothing follows a close frame (RFC 6455 §5.5.1).
      if (webSocket.readyState !== webSocket.OPEN || socket.writableLength > backlogLimitBytes) {
        this.dropped++;
        continue;
      }
      this.#cork(socket);
      socket.write(frame, this.written);
    }
  }

  #cork(socket: Duplex): void {
    if (this.#corked.has(socket)) return;
    if (this.#corked.size === 0) setImmediate(() => this.#uncorkAll());
    this.#corked.add(socket);
    socket.cork();
  }

  #uncorkAll(): void {
    for (const socket of this.#corked) socket.uncork();
    this.#corked.clear();
  }
}
