import { connect, type Socket } from "node:net";
import { ArrivalReader } from "../../src/contract/arrival.ts";
import { textFrame } from "../../src/contract/frame.ts";
import { handshakeRequest, type Target } from "../../src/contract/http.ts";
import { join, joined } from "../../src/contract/messages.ts";

/** A client over a socket of its own, so that a test decides whether anything is read. */
export class Client {
  readonly socket: Socket;
  readonly #reader = new ArrivalReader();
  readonly #messages: string[] = [];
  #head: Buffer | null = Buffer.alloc(0);
  #isOver = false;
  /** Of the server's close frame; null where none came. */
  closeCode: number | null = null;
  #wake: () => void = () => {};

  private constructor({ host, port }: Target) {
    this.socket = connect(port, host);
    this.socket.on("data", (bytes: Buffer) => this.#take(bytes));
    this.socket.on("error", () => {});
    this.socket.on("close", () => {
      this.#isOver = true;
      this.#wake();
    });
  }

  static async open(target: Target): Promise<Client> {
    const client = new Client(target);
    client.socket.write(handshakeRequest(target));
    while (client.#head !== null && !client.#isOver) await client.#change();
    return client;
  }

  send(text: string): void {
    this.socket.write(textFrame(text));
  }

  /** The next message, however many share a frame; `undefined` when the connection has ended. */
  async next(): Promise<string | undefined> {
    while (this.#messages.length === 0 && !this.#isOver) await this.#change();
    return this.#messages.shift();
  }

  async join(room: string): Promise<void> {
    this.send(join(room));
    const answer = await this.next();
    if (answer !== joined(room)) throw new Error(`expected joined, got ${answer}`);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(bytes: Buffer): void {
    let frames = bytes;
    if (this.#head !== null) {
      this.#head = Buffer.concat([this.#head, bytes]);
      const end = this.#head.indexOf("\r\n\r\n");
      if (end === -1) return;
      frames = this.#head.subarray(end + 4);
      this.#head = null;
    }
    for (const arrival of this.#reader.push(frames)) {
      if (arrival.kind === "message") this.#messages.push(arrival.bytes.toString());
      // 1005: a close frame without a code.
      if (arrival.kind === "close") {
        this.closeCode = arrival.code ?? 1005;
        this.socket.end();
      }
    }
    this.#wake();
  }
}
