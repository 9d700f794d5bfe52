import type { Connection, Delivery } from "./delivery.ts";
import { error, joined, type Route } from "./protocol.ts";

/** Rooms and who is in them. */
export class Chat {
  readonly connections = new Set<Connection>();
  received = 0;
  readonly #route: Route;
  readonly #delivery: Delivery;
  readonly #rooms = new Map<string, Set<Connection>>();

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
      this.#delivery.deliver(error("expected a text message, not a binary one"), [connection]);
      return;
    }
    const request = this.#route(message);
    switch (request.type) {
      case "echo":
        this.#delivery.deliver(message, [connection]);
        return;
      case "say":
        this.#delivery.deliver(message, this.#rooms.get(request.room) ?? []);
        return;
      case "join":
        this.#join(connection, request.room);
        this.#delivery.deliver(joined(request.room), [connection]);
        return;
      case "crash":
        throw new Error("a client asked for a crash");
      case "invalid":
        this.#delivery.deliver(error(request.reason), [connection]);
    }
  }

  close(connection: Connection): void {
    this.connections.delete(connection);
    for (const name of connection.rooms) {
      const members = this.#rooms.get(name);
      members?.delete(connection);
      if (members?.size === 0) this.#rooms.delete(name);
    }
  }

  #join(connection: Connection, name: string): void {
    connection.rooms.add(name);
    const members = this.#rooms.get(name);
    if (members === undefined) this.#rooms.set(name, new Set([connection]));
    else members.add(connection);
  }
}
