import type { Client } from "./client.ts";
import { error, joined, parse } from "./protocol.ts";

/** A client for which more is held, beyond what the kernel holds, gets nothing more until it has read enough. */
const backlogLimitBytes = 1024 * 1024;

const encoder = new TextEncoder();
const scratch = new Uint8Array(3 * 64 * 1024);
const byteLength = (text: string) => encoder.encodeInto(text, scratch).written;

/** Rooms, their members, and what became of every message. */
export class Chat {
  readonly clients = new Set<Client>();
  received = 0;
  #sent = 0;
  #dropped = 0;
  readonly #rooms = new Map<string, Set<Client>>();

  receive(client: Client, message: unknown): void {
    this.received++;
    if (typeof message !== "string") {
      this.#deliver(error("expected a text message, not a binary one"), [client]);
      return;
    }
    const request = parse(message);
    switch (request.type) {
      case "echo":
        this.#deliver(message, [client]);
        return;
      case "say":
        this.#deliver(message, this.#rooms.get(request.room) ?? []);
        return;
      case "join":
        this.#join(client, request.room);
        this.#deliver(joined(request.room), [client]);
        return;
      case "crash":
        throw new Error("a client asked for a crash");
      case "invalid":
        this.#deliver(error(request.reason), [client]);
    }
  }

  close(client: Client, isClean: boolean): void {
    this.clients.delete(client);
    for (const name of client.rooms) {
      const members = this.#rooms.get(name);
      members?.delete(client);
      if (members?.size === 0) this.#rooms.delete(name);
    }
    // Messages leave ahead of a close frame; when the connection broke, what had not been settled may not have.
    if (isClean) this.#sent += client.waiting;
    else this.#dropped += client.waiting;
  }

  stats() {
    this.settle();
    return {
      connections: this.clients.size,
      received: this.received,
      sent: this.#sent,
      dropped: this.#dropped,
    };
  }

  settle(): void {
    for (const client of this.clients) if (client.waiting > 0) this.#sent += client.settle();
  }

  #deliver(text: string, receivers: Iterable<Client>): void {
    const bytes = byteLength(text);
    for (const client of receivers) {
      if (client.socket.bufferedAmount > backlogLimitBytes || !client.send(text, bytes)) this.#dropped++;
    }
  }

  #join(client: Client, name: string): void {
    client.rooms.add(name);
    const members = this.#rooms.get(name);
    if (members === undefined) this.#rooms.set(name, new Set([client]));
    else members.add(client);
  }
}
