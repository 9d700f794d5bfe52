import type { Socket, SocketAddress, SocketError, SocketOwner, Sockets } from "../engine/sockets/socket.ts";
import { opcode } from "../websocket/frame.ts";
import { parseHead } from "../websocket/handshake.ts";

/** One step of what a client and a server say to each other. */
export interface Step {
  /** Since the connection was begun. */
  readonly afterUs: number;
  /** `note`: neither said it, it happened. */
  readonly from: "client" | "server" | "note";
  /** What kind of thing it is: `GET / HTTP/1.1`, `text`, `close 1000`. */
  readonly title: string;
  /** Bytes of payload; null where it has none. */
  readonly bytes: number | null;
  /** Headers or payload as they came; binary in hexadecimal. */
  readonly lines: readonly string[];
}

/** Of a payload, so many bytes are told. */
const mostBytes = 2000;
const names: Readonly<Record<number, string>> = {
  [opcode.continuation]: "continuation",
  [opcode.text]: "text",
  [opcode.binary]: "binary",
  [opcode.close]: "close",
  [opcode.ping]: "ping",
  [opcode.pong]: "pong",
};

/** Sockets whose whole exchange is told, step by step. */
export class TracedSockets implements Sockets {
  readonly #sockets: Sockets;
  readonly #clockUs: () => number;
  readonly #tell: (step: Step) => void;

  constructor(sockets: Sockets, clockUs: () => number, tell: (step: Step) => void) {
    this.#sockets = sockets;
    this.#clockUs = clockUs;
    this.#tell = tell;
  }

  get wakesWithinUs(): number {
    return this.#sockets.wakesWithinUs;
  }

  open(target: SocketAddress, sourceAddress: string | null, owner: SocketOwner): Socket {
    const startUs = this.#clockUs();
    const tell = (from: Step["from"]) => (title: string, bytes: number | null, lines: readonly string[]) =>
      this.#tell({ afterUs: this.#clockUs() - startUs, from, title, bytes, lines });
    const note = tell("note");
    note(`connecting to ${target.host} port ${target.port}`, null, []);
    const sent = new StreamReader(tell("client"));
    const received = new StreamReader(tell("server"));
    const socket = this.#sockets.open(target, sourceAddress, {
      onSocketHandshake: () => {
        note("TCP is established, the TLS handshake begins", null, []);
        owner.onSocketHandshake?.();
      },
      onSocketOpen: () => {
        note(target.tls == null ? "TCP is established" : "TLS is established", null, []);
        owner.onSocketOpen();
      },
      onSocketData: (bytes, end) => {
        received.push(bytes.slice(0, end));
        owner.onSocketData(bytes, end);
      },
      onSocketDrain: () => owner.onSocketDrain(),
      onSocketClose: (error: SocketError | null) => {
        received.end();
        note(error === null ? "the server ended TCP" : `TCP failed: ${error.code}`, null, []);
        owner.onSocketClose(error);
      },
    });
    return {
      write: (bytes, start, end) => {
        const written = socket.write(bytes, start, end);
        sent.push(bytes.slice(start, start + written));
        return written;
      },
      end: () => {
        received.end();
        socket.end();
      },
      reset: () => {
        received.end();
        socket.reset();
      },
      pauseReading: () => socket.pauseReading(),
      resumeReading: () => socket.resumeReading(),
      segmentsIn: () => socket.segmentsIn(),
    };
  }

  /** Each step is told when it happens. */
  readLater(): void {}

  arrivalUs(): number {
    return this.#sockets.arrivalUs();
  }

  canBind(address: string): boolean {
    return this.#sockets.canBind(address);
  }

  pace(turn: () => number, arrivalsPerTurn: number): void {
    this.#sockets.pace(turn, arrivalsPerTurn);
  }

  rest(): void {
    this.#sockets.rest();
  }
}

type Tell = (title: string, bytes: number | null, lines: readonly string[]) => void;

/** One direction: a head of HTTP, then frames, or a body where it refuses the upgrade. Judges nothing. */
class StreamReader {
  readonly #tell: Tell;
  #kept: Buffer = Buffer.alloc(0);
  #part: "head" | "body" | "frames" = "head";

  constructor(tell: Tell) {
    this.#tell = tell;
  }

  push(bytes: Uint8Array): void {
    this.#kept = Buffer.concat([this.#kept, bytes]);
    if (this.#part === "head") this.#readHead();
    if (this.#part === "frames") while (this.#readFrame());
  }

  end(): void {
    if (this.#part !== "frames" && this.#kept.length > 0) {
      this.#tell(this.#part, this.#kept.length, [this.#kept.toString("utf8", 0, mostBytes)]);
      this.#kept = Buffer.alloc(0);
    }
  }

  #readHead(): void {
    const end = this.#kept.indexOf("\r\n\r\n");
    if (end < 0) return;
    const head = this.#kept.toString("latin1", 0, end);
    const [title = "", ...lines] = head.split("\r\n");
    this.#tell(title, null, lines);
    this.#kept = this.#kept.subarray(end + 4);
    const isAnswer = title.startsWith("HTTP/");
    this.#part = !isAnswer || parseHead(head).status === 101 ? "frames" : "body";
  }

  #readFrame(): boolean {
    const bytes = this.#kept;
    if (bytes.length < 2) return false;
    const [first = 0, second = 0] = bytes;
    const short = second & 0x7f;
    const isMasked = (second & 0x80) !== 0;
    const lengthEnd = short < 126 ? 2 : short === 126 ? 4 : 10;
    const start = lengthEnd + (isMasked ? 4 : 0);
    if (bytes.length < start) return false;
    const length =
      short < 126 ? short : short === 126 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (bytes.length < start + length) return false;
    const payload = Buffer.from(bytes.subarray(start, start + length));
    if (isMasked) {
      for (let at = 0; at < length; at += 1) {
        payload[at] = (payload[at] as number) ^ (bytes[lengthEnd + (at & 3)] as number);
      }
    }
    this.#kept = bytes.subarray(start + length);
    this.#tellFrame(first, payload);
    return true;
  }

  #tellFrame(first: number, payload: Buffer): void {
    const code = first & 0x0f;
    const name = names[code] ?? `opcode ${code}`;
    const isFinal = (first & 0x80) !== 0;
    if (code === opcode.close && payload.length >= 2) {
      const reason = payload.toString("utf8", 2);
      this.#tell(`close ${payload.readUInt16BE(0)}`, null, reason === "" ? [] : [reason]);
      return;
    }
    const isCompressed = (first & 0x40) !== 0;
    const isText = !isCompressed && (code === opcode.text || code === opcode.continuation);
    const text = payload.toString(isText ? "utf8" : "hex", 0, mostBytes);
    const more = payload.length > mostBytes ? ["…"] : [];
    const title = `${name}${isCompressed ? ", compressed" : ""}${isFinal ? "" : ", to be continued"}`;
    this.#tell(title, payload.length, payload.length === 0 ? [] : [text, ...more]);
  }
}
