/**
 * A connection, its rooms, and the messages that Deno may still hold for it.
 *
 * `bufferedAmount` tells how many bytes Deno holds, never how many messages. Messages leave in order, so their sizes
 * turn the one into the other.
 */
export class Client {
  readonly socket: WebSocket;
  readonly rooms = new Set<string>();
  #sizes: number[] = [];
  #head = 0;
  #bytes = 0;

  constructor(socket: WebSocket) {
    this.socket = socket;
  }

  get waiting(): number {
    return this.#sizes.length - this.#head;
  }

  /** False when the connection is closing, and the message goes nowhere. */
  send(text: string, bytes: number): boolean {
    if (this.socket.readyState !== WebSocket.OPEN) return false;
    this.socket.send(text);
    this.#sizes.push(bytes);
    this.#bytes += bytes;
    return true;
  }

  /** Forgets the messages that have left, and returns how many they were. */
  settle(): number {
    const held = this.socket.bufferedAmount;
    const before = this.waiting;
    if (held === 0) {
      this.#sizes = [];
      this.#head = 0;
      this.#bytes = 0;
      return before;
    }
    for (;;) {
      const size = this.#sizes[this.#head];
      if (size === undefined || this.#bytes - size < held) break;
      this.#bytes -= size;
      this.#head++;
    }
    // Cutting the array at every message would make a long backlog quadratic.
    if (this.#head > 1024 && this.#head * 2 > this.#sizes.length) {
      this.#sizes.splice(0, this.#head);
      this.#head = 0;
    }
    return before - this.waiting;
  }
}
