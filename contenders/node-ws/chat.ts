import type { Connection, Delivery, Room } from "./delivery.ts";
import { error, joined, type Route } from "./protocol.ts";

/** Rooms and who is in them. */
export class Chat {
  readonly connections = new Set<Connection>();
  received = 0;
  readonly #route: Route;
  readonly #delivery: Delivery;
  readonly #rooms = new Map<string, Room>();

  constructor(route: Route, delivery: Delivery) {
    this.#route = route;
    this.#delivery = delivery;
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
      case "say": {
        const room = this.#rooms.get(request.room);
        if (room !== undefined) this.#delivery.toRoom(message, room);
        return;
      }
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
