import type { Socket } from "./connection.ts";
import { frameSize } from "./outbox.ts";
import { error, joined, type Route } from "./protocol.ts";
import { Room } from "./room.ts";

/** A connection whose client has left this many bytes unread, beyond what the kernel holds, is dropped. */
export const backlogLimitBytes = 1024 * 1024;

/** Tells other processes what was said here. */
interface Others {
  say(room: string, text: string): void;
}

/** How often it is looked up what became of the messages. */
const settleMs = 100;

/** Rooms on uWebSockets topics, with a count of what became of every message. */
export class Chat {
  readonly sockets = new Set<Socket>();
  received = 0;
  sent = 0;
  dropped = 0;
  readonly #route: Route;
  readonly #publish: (topic: string, text: string) => void;
  readonly #others: Others | null;
  readonly #rooms = new Map<string, Room>();
  readonly #spokenIn = new Set<Room>();
  readonly #unsettledRooms = new Set<Room>();
  readonly #unsettledSockets = new Set<Socket>();
  #isSettling = false;

  constructor(route: Route, publish: (topic: string, text: string) => void, others: Others | null) {
    this.#route = route;
    this.#publish = publish;
    this.#others = others;
  }

  open(socket: Socket): void {
    this.sockets.add(socket);
  }

  receive(socket: Socket, message: string | Buffer): void {
    this.received++;
    if (typeof message !== "string") {
      this.#reply(socket, error("expected a text message, not a binary one"));
      return;
    }
    const request = this.#route(message);
    switch (request.type) {
      case "echo":
        this.#reply(socket, message);
        return;
      case "say":
        this.deliver(request.room, message);
        this.#others?.say(request.room, message);
        return;
      case "join":
        this.#join(socket, request.room);
        return;
      case "crash":
        throw new Error("a client asked for a crash");
      case "invalid":
        this.#reply(socket, error(request.reason));
    }
  }

  /** uWebSockets has answered a ping by itself; its pong takes room in the outbox. */
  ponged(socket: Socket, payloadBytes: number): void {
    socket.data.ponged(payloadBytes);
    this.#settleSoon(socket);
  }

  /** uWebSockets has got rid of bytes it held, in the middle of a turn. */
  drained(socket: Socket): void {
    this.sent += socket.data.outbox.settle(socket.getBufferedAmount());
  }

  close(socket: Socket, code: number): void {
    this.sockets.delete(socket);
    this.#unsettledSockets.delete(socket);
    const rooms = [...socket.data.rooms];
    const outcome = socket.data.close(code);
    this.sent += outcome.sent;
    this.dropped += outcome.dropped;
    for (const room of rooms) {
      if (room.memberships.size === 0) this.#rooms.delete(room.name);
    }
  }

  /** Gives a message to the members that are connected here. */
  deliver(name: string, text: string): void {
    const room = this.#rooms.get(name);
    if (room === undefined) return;
    this.#publish(name, text);
    room.noteFrame(frameSize(Buffer.byteLength(text)));
    this.#unsettledRooms.add(room);
    if (this.#spokenIn.size === 0) setImmediate(() => this.#endTurn());
    this.#spokenIn.add(room);
    this.#schedule();
  }

  #reply(socket: Socket, text: string): void {
    if (socket.data.send(socket, text)) this.#settleSoon(socket);
    else this.dropped++;
  }

  #join(socket: Socket, name: string): void {
    let room = this.#rooms.get(name);
    if (room === undefined) {
      room = new Room(name);
      this.#rooms.set(name, room);
    }
    if (socket.data.join(socket, room)) socket.subscribe(name);
    this.#reply(socket, joined(name));
  }

  #settleSoon(socket: Socket): void {
    this.#unsettledSockets.add(socket);
    this.#schedule();
  }

  /** Not after each turn: asking each member of each room costs more than anything else here. */
  #schedule(): void {
    if (this.#isSettling) return;
    this.#isSettling = true;
    setTimeout(() => this.settle(), settleMs);
  }

  /** Immediates run after uWebSockets has written the turn's topics and corks to the sockets. */
  #endTurn(): void {
    for (const room of this.#spokenIn) room.endTurn();
    this.#spokenIn.clear();
  }

  /** Brings `sent` and `dropped` up to date. */
  settle(): Promise<void> {
    return new Promise((resolve) => {
      setImmediate(() => {
        this.#settleAll();
        resolve();
      });
    });
  }

  #settle(socket: Socket): void {
    const heldBytes = socket.getBufferedAmount();
    this.sent += socket.data.settle(heldBytes);
    // Runs the close handler, which counts what is left as dropped.
    if (heldBytes > backlogLimitBytes) socket.terminate();
  }

  #settleAll(): void {
    this.#isSettling = false;
    this.#endTurn();
    for (const room of this.#unsettledRooms) {
      for (const { socket } of room.memberships) this.#settle(socket);
      room.forget();
    }
    this.#unsettledRooms.clear();
    for (const socket of this.#unsettledSockets) this.#settle(socket);
    this.#unsettledSockets.clear();
  }
}
