import { connect, createServer, type Server, type Socket } from "node:net";
import { join } from "node:path";

/** Bytes before a room's name in the relay: those of all that follows (4), and of the name (1). */
const headBytes = 5;

/** What other workers said, as their clients sent it. */
type Heard = (room: string, message: Buffer) => void;

/**
 * A worker's links to all other workers, one Unix-domain socket each. Whatever is said in a turn of the event loop
 * leaves as one write per link. Every say goes to everyone, who alone knows whether it has members of the room: so a
 * join has nobody to ask before it is answered.
 */
export class Relay {
  readonly #heard: Heard;
  readonly #links = new Set<Socket>();
  #batch: Buffer[] = [];

  constructor(heard: Heard) {
    this.#heard = heard;
  }

  /** Links with those that came before, of `index` 0 and up, and waits in `folder` for those that come later. */
  async start(folder: string, index: number): Promise<void> {
    await this.#listen(join(folder, `${index}`));
    await Promise.all(Array.from({ length: index }, (_, other) => this.#connect(join(folder, `${other}`))));
  }

  say(room: string, message: Buffer): void {
    if (this.#links.size === 0) return;
    if (this.#batch.length === 0) setImmediate(() => this.#flush());
    const head = Buffer.allocUnsafe(headBytes + room.length);
    head.writeUInt32BE(1 + room.length + message.length);
    head[4] = room.length;
    head.write(room, headBytes, "latin1");
    this.#batch.push(head, message);
  }

  #flush(): void {
    const said = Buffer.concat(this.#batch);
    this.#batch = [];
    for (const link of this.#links) link.write(said);
  }

  #listen(path: string): Promise<Server> {
    const { promise, resolve, reject } = Promise.withResolvers<Server>();
    const server = createServer((socket) => {
      this.#add(socket);
      // From now on nothing that is said here misses it.
      socket.write(Buffer.alloc(1));
    });
    server.once("error", reject);
    server.listen(path, () => resolve(server.unref()));
    return promise;
  }

  #connect(path: string): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const socket = connect(path);
    socket.once("error", reject);
    socket.once("data", (hello: Buffer) => {
      this.#add(socket);
      if (hello.length > 1) socket.emit("data", hello.subarray(1));
      resolve();
    });
    return promise;
  }

  #add(socket: Socket): void {
    this.#links.add(socket.unref());
    // A worker that has died takes its members along.
    socket.on("error", () => {});
    socket.on("close", () => this.#links.delete(socket));
    let rest: Buffer = Buffer.alloc(0);
    socket.on("data", (bytes: Buffer) => {
      rest = this.#hear(rest.length === 0 ? bytes : Buffer.concat([rest, bytes]));
    });
  }

  /** Returns what is not whole yet. */
  #hear(bytes: Buffer): Buffer {
    let at = 0;
    while (bytes.length - at >= headBytes) {
      const end = at + 4 + bytes.readUInt32BE(at);
      if (end > bytes.length) break;
      const message = at + headBytes + bytes.readUInt8(at + 4);
      this.#heard(bytes.toString("latin1", at + headBytes, message), bytes.subarray(message, end));
      at = end;
    }
    return bytes.subarray(at);
  }
}
