import type { Connection, Delivery, Room } from "./delivery.ts";
import { error, joined, type Route } from "./protocol.ts";

/** Tells other processes what was said here. */
interface Others {
  say(room: string, message: Buffer): void;
}

/** Rooms and who is in them. */
export class Chat {
  readonly connections = new Set<Connection>();
  received = 0;
  readonly #route: Route;
  readonly #delivery: Delivery;
  readonly #others: Others | null;
  readonly #rooms = new Map<string, Room>();

  constructor(route: Route, delivery: Delivery, others: Others | null) {
    this.#route = route;
    this.#delivery = delivery;
    this.#others = others;
  }

  open(connection: Connection): void {
    this.connections.add(connection);
  }

  receive(connection: Connection, message: Buffer, isBinary: boolean): void {
    this.received++;
    if (isBinary) {
      this.#delivery.toOne(error("expected a text message, not a binary one"), connection);
      return;
    }
    const request = this.#route(message);
    switch (request.type) {
      case "echo":
        this.#delivery.toOne(message, connection);
        return;
      case "say":
        this.deliver(request.room, message);
        this.#others?.say(request.room, message);
        return;
      case "join":
        this.#join(connection, request.room);
        this.#delivery.toOne(joined(request.room), connection);
        return;
      case "crash":
        throw new Error("a client asked for a crash");
      case "invalid":
        this.#delivery.toOne(error(request.reason), connection);
    }
  }

  /** Gives a message to the members that are connected here. */
  deliver(name: string, message: Buffer): void {
    const room = this.#rooms.get(name);
    if (room !== undefined) this.#delivery.toRoom(message, room);
  }

  close(connection: Connection): void {
    this.connections.delete(connection);
    for (const room of connection.rooms) {
      this.#delivery.membersChange(room);
      room.members.delete(connection);
      if (room.members.size === 0) this.#rooms.delete(room.name);
    }
  }

  #join(connection: Connection, name: string): void {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = { name, members: new Set(), said: [] };
      this.#rooms.set(name, room);
    }
    if (room.members.has(connection)) return;
    this.#delivery.membersChange(room);
    room.members.add(connection);
    connection.rooms.add(room);
  }
}
