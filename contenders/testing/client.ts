import { connect, createServer, type Socket } from "node:net";

/** Resolves to a port nobody listens on. */
export function freePort(): Promise<number> {
  const { promise, resolve, reject } = Promise.withResolvers<number>();
  const probe = createServer().once("error", reject);
  probe.listen(0, "127.0.0.1", () => {
    const address = probe.address();
    probe.close(() =>
      typeof address === "object" && address ? resolve(address.port) : reject(new Error("no port")),
    );
  });
  return promise;
}

/** A frame from the server, opcode as in RFC 6455 §5.2. */
export interface Frame {
  readonly opcode: number;
  readonly payload: Buffer;
}

/** A client over raw bytes, so that a test decides what goes out and whether anything is read. */
export class Client {
  readonly socket: Socket;
  /** Everything the server said before the first frame. */
  head = "";
  readonly #frames: Frame[] = [];
  #bytes = Buffer.alloc(0);
  #wake: () => void = () => {};
  #ended = false;

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on("data", (bytes: Buffer) => this.#take(bytes));
    socket.on("error", () => {});
    socket.on("close", () => {
      this.#ended = true;
      this.#wake();
    });
  }

  /** Sends an HTTP request and waits for the answer's head. */
  static async request(port: number, lines: readonly string[]): Promise<Client> {
    const client = new Client(connect(port, "127.0.0.1"));
    client.socket.write(`${lines.join("\r\n")}\r\n\r\n`);
    while (client.head === "" && !client.#ended) await client.#change();
    return client;
  }

  static async open(port: number): Promise<Client> {
    const client = await Client.request(port, handshake());
    if (!client.head.startsWith("HTTP/1.1 101 ")) throw new Error(`expected 101, got: ${client.head}`);
    return client;
  }

  send(text: string): void {
    this.frame(1, Buffer.from(text));
  }

  /** Sends one masked frame; `fin` false leaves the message open. */
  frame(opcode: number, payload: Uint8Array, fin = true): void {
    this.socket.write(maskedFrame(opcode, payload, fin));
  }

  /** The next frame, or `undefined` when the connection has ended. */
  async next(): Promise<Frame | undefined> {
    while (this.#frames.length === 0 && !this.#ended) await this.#change();
    return this.#frames.shift();
  }

  async text(): Promise<string> {
    const frame = await this.next();
    if (frame?.opcode !== 1) throw new Error(`expected a text frame, got ${JSON.stringify(frame)}`);
    return frame.payload.toString();
  }

  /** The code of the close frame that comes next: 1005 when it has none, 1006 when there is no such frame. */
  async closeCode(): Promise<number> {
    for (;;) {
      const frame = await this.next();
      if (frame === undefined) return 1006;
      if (frame.opcode === 8) return frame.payload.length === 0 ? 1005 : frame.payload.readUInt16BE(0);
    }
  }

  async join(room: string): Promise<void> {
    this.send(`{"type":"join","room":"${room}"}`);
    const answer = await this.text();
    if (answer !== `{"type":"joined","room":"${room}"}`) throw new Error(`expected joined, got ${answer}`);
  }

  #change(): Promise<void> {
    return new Promise((resolve) => {
      this.#wake = resolve;
    });
  }

  #take(bytes: Buffer): void {
    this.#bytes = Buffer.concat([this.#bytes, bytes]);
    if (this.head === "") {
      const end = this.#bytes.indexOf("\r\n\r\n");
      if (end === -1) return;
      this.head = this.#bytes.subarray(0, end).toString();
      this.#bytes = this.#bytes.subarray(end + 4);
    }
    while (this.#bytes.length >= 2) {
      const short = this.#bytes.readUInt8(1);
      const start = short < 126 ? 2 : short === 126 ? 4 : 10;
      if (this.#bytes.length < start) break;
      const length =
        short < 126 ? short : short === 126 ? this.#bytes.readUInt16BE(2) : this.#bytes.readUIntBE(4, 6);
      if (this.#bytes.length < start + length) break;
      const payload = this.#bytes.subarray(start, start + length);
      this.#frames.push({ opcode: this.#bytes.readUInt8(0) & 15, payload });
      this.#bytes = this.#bytes.subarray(start + length);
    }
    this.#wake();
  }
}

/** The lines of a valid handshake, with some of its headers replaced or (by `undefined`) left out. */
export function handshake(changed: Readonly<Record<string, string | undefined>> = {}): string[] {
  const headers = {
    Host: "127.0.0.1",
    Upgrade: "websocket",
    Connection: "Upgrade",
    "Sec-WebSocket-Key": "dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version": "13",
    ...changed,
  };
  const lines = Object.entries(headers).filter(([, value]) => value !== undefined);
  return ["GET /ws HTTP/1.1", ...lines.map(([name, value]) => `${name}: ${value}`)];
}

function maskedFrame(opcode: number, payload: Uint8Array, fin: boolean): Buffer {
  const long = payload.length > 65_535 ? 8 : payload.length > 125 ? 2 : 0;
  const frame = Buffer.alloc(6 + long + payload.length);
  frame[0] = (fin ? 0x80 : 0) | opcode;
  frame[1] = 0x80 | (long === 8 ? 127 : long === 2 ? 126 : payload.length);
  if (long === 8) frame.writeUIntBE(payload.length, 4, 6);
  else if (long === 2) frame.writeUInt16BE(payload.length, 2);
  const mask = [0x1b, 0x2d, 0x3f, 0x41];
  frame.set(mask, 2 + long);
  for (let i = 0; i < payload.length; i++) {
    frame[6 + long + i] = (payload[i] ?? 0) ^ (mask[i % 4] ?? 0);
  }
  return frame;
}
