import type { ConnectionFailure } from "../result/reasons.ts";
import { closePayload, encodeClientFrame, opcode } from "../websocket/frame.ts";
import { FrameReader, type FrameRule, type FrameSink, readMessages } from "../websocket/frame-reader.ts";
import { createKey, type Upgrades } from "../websocket/handshake.ts";
import { type Refusal, readRefusal } from "../websocket/refusal.ts";
import { type Codec, closeCodec, compressionBytes, openCodec } from "./compression.ts";
import type { Dialogue, Protocol } from "./protocols/protocol.ts";
import type { Socket, SocketError, SocketOwner, Sockets } from "./sockets/socket.ts";
import type { Target } from "./target.ts";

/** A server that keeps the contract sends 100 messages of 64 KiB in one frame at the very most. Inflated, too. */
const maxMessageBytes = 8 << 20;
/** What may wait in this process for a server that does not read; past it a message cannot be sent. */
const maxOutboxBytes = 1 << 20;
/** Set in the opcodes of control frames (RFC 6455 section 5.2), which are never compressed. */
const controlBit = 0x08;

type ConnectionState =
  | "idle"
  | "connecting"
  | "handshaking"
  | "upgrading"
  | "joining"
  | "open"
  | "closing"
  | "closed";

/** What a connection waits for before it is open. */
const awaitedStages: { readonly [S in ConnectionState]?: "tcp" | "tls" | "upgrade" | "join" } = {
  connecting: "tcp",
  handshaking: "tls",
  upgrading: "upgrade",
  joining: "join",
};

/** Microseconds on the machine's monotonic clock; 0 before it happened. */
interface ConnectTimes {
  startUs: number;
  tcpUs: number;
  /** Without TLS when TCP was. */
  tlsUs: number;
  upgradeUs: number;
  joinUs: number;
}

/** What is needed only until a connection is open. */
interface Opening extends ConnectTimes {
  key: string;
  dialogue: Dialogue | null;
  /** The part of the handshake's answer that has come. */
  response: Uint8Array | null;
  /** The server has answered with another status than 101. */
  refusal: Refusal | null;
}

/** What a connection has from the worker that owns it, and what it tells it. */
export interface ConnectionOwner {
  readonly target: Target;
  /** To the target. */
  readonly upgrades: Upgrades;
  readonly sockets: Sockets;
  readonly protocol: Pick<Protocol, "createDialogue">;
  /** Whether a refused upgrade is read to the end of its body, as far as `Refusal` keeps it. */
  readonly keepsRefusals?: boolean;
  clockUs(): number;
  /** Bytes came in; called before anything is read from them. */
  onArrival(): void;
  onOpened(connection: Connection): void;
  /** It never opened. */
  onFailed(connection: Connection, failure: ConnectionFailure, refusal: Refusal | null): void;
  /** It was open and is no more, not by this side's wish. */
  onDied(connection: Connection, failure: ConnectionFailure): void;
  onMessage(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void;
  onPong?(connection: Connection, payload: Uint8Array): void;
  onBlocked(): void;
  onUnblocked(): void;
}

/** One client connection: TCP, the upgrade, what its protocol opens with, then messages both ways. It lives once. */
export class Connection implements FrameSink, SocketOwner {
  readonly index: number;
  /** Among its worker's own. */
  readonly place: number;
  state: ConnectionState = "idle";
  readonly #owner: ConnectionOwner;
  #socket: Socket | null = null;
  /** Only while there is something beyond whole messages to read. */
  #reader: FrameReader | null = null;
  /** Null where no compression was agreed to. */
  #codec: Codec | null = null;
  /** What the system has not taken yet, in order; joined only to be written, not for each message that waits. */
  #outbox: Uint8Array[] | null = null;
  #outboxBytes = 0;
  #opening: Opening | null = null;

  constructor(index: number, place: number, owner: ConnectionOwner) {
    this.index = index;
    this.place = place;
    this.#owner = owner;
  }

  /** Only while it opens. */
  get times(): ConnectTimes | null {
    return this.#opening;
  }

  /** @param sourceAddress the local address to connect from, or null for the system's choice. */
  open(sourceAddress: string | null): void {
    if (this.state !== "idle") throw new Error(`connection ${this.index} was open before: it lives once`);
    this.state = "connecting";
    const { sockets, target } = this.#owner;
    const startUs = this.#owner.clockUs();
    this.#opening = {
      startUs,
      tcpUs: 0,
      tlsUs: 0,
      upgradeUs: 0,
      joinUs: 0,
      key: "",
      dialogue: null,
      response: null,
      refusal: null,
    };
    this.#socket = sockets.open(target, sourceAddress, this);
  }

  /** Gives up on a connection that did not open in time. */
  expire(): void {
    const stage = awaitedStages[this.state];
    if (stage !== undefined) this.#end({ kind: "timeout", stage });
  }

  /** Whether permessage-deflate was agreed to. */
  get isCompressed(): boolean {
    return this.#codec !== null;
  }

  /**
   * Sends one whole client frame, compressed where that was agreed to. False when the connection can't take it: it is
   * closed, or the server has not read for too long.
   */
  send(bytes: Uint8Array, start: number, end: number): boolean {
    return this.#codec === null
      ? this.#write(bytes, start, end)
      : this.#sendCompressed(this.#codec, bytes, start, end);
  }

  /**
   * Says goodbye; the server closes TCP (RFC 6455 section 7.1.1), so that its port and not one of the
   * generator's many goes into TIME_WAIT. What comes afterwards is nobody's concern.
   */
  close(): void {
    if (this.state !== "open") return;
    this.state = "closing";
    this.#sendFrame(opcode.close, closePayload(1000));
  }

  /** RFC 6455, section 5.5.2. */
  ping(payload: Uint8Array): void {
    if (this.state === "open") this.#sendFrame(opcode.ping, payload);
  }

  /** From now on what arrives waits in the system, as with a client that has stalled. */
  pauseReading(): void {
    this.#socket?.pauseReading();
  }

  resumeReading(): void {
    this.#socket?.resumeReading();
  }

  /** See `Socket`; null while it is not open. */
  segmentsIn(): number | null {
    return this.state === "open" ? (this.#socket?.segmentsIn() ?? null) : null;
  }

  /** Ends it by a reset, which leaves no TIME_WAIT either. */
  abandon(): void {
    const socket = this.#socket;
    this.#leave();
    socket?.reset();
  }

  onSocketHandshake(): void {
    if (this.#opening === null) return;
    this.#opening.tcpUs = this.#owner.clockUs();
    this.state = "handshaking";
  }

  onSocketOpen(): void {
    const opening = this.#opening;
    if (opening === null) return;
    opening.tlsUs = this.#owner.clockUs();
    if (this.state === "connecting") opening.tcpUs = opening.tlsUs;
    this.state = "upgrading";
    opening.key = createKey();
    const request = this.#owner.upgrades.request(opening.key);
    this.#write(request, 0, request.length);
  }

  onSocketData(bytes: Uint8Array, end: number): void {
    this.#owner.onArrival();
    if (this.state === "upgrading") this.#readUpgrade(bytes.subarray(0, end));
    else this.#readFrames(bytes, end);
  }

  onSocketDrain(): void {
    if (this.#outbox === null || this.#socket === null) return;
    const isOne = this.#outbox.length === 1;
    const bytes = isOne ? (this.#outbox[0] as Uint8Array) : Buffer.concat(this.#outbox);
    const written = this.#socket.write(bytes, 0, bytes.length);
    this.#outbox = written < bytes.length ? [bytes.subarray(written)] : null;
    this.#outboxBytes = bytes.length - written;
    if (this.#outbox === null) this.#owner.onUnblocked();
  }

  onSocketClose(error: SocketError | null): void {
    if (error === null) {
      this.#end({ kind: "ended" });
    } else if (error.tls !== undefined) {
      this.#end({ kind: "tls", problem: error.tls, reason: error.code });
    } else if (this.state === "connecting" && error.code === "EMFILE") {
      this.#end({ kind: "generator-descriptors" });
    } else if (this.state !== "connecting" && (error.code === "ECONNRESET" || error.code === "EPIPE")) {
      this.#end({ kind: "reset" });
    } else {
      this.#end({ kind: "system", code: error.code, address: error.address });
    }
  }

  onMessage(bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    if (this.#codec !== null) compressionBytes.receivedPayloadBytes += end - start;
    if (this.state !== "joining") {
      if (this.state === "open") this.#owner.onMessage(this, bytes, start, end, isText);
      return;
    }
    const answer = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    if (isText && this.#opening?.dialogue?.hear(answer)) this.#goOn();
    else this.#end({ kind: "protocol", rule: "join-answer" });
  }

  onPing(payload: Uint8Array): void {
    this.#sendFrame(opcode.pong, payload);
  }

  onPong(payload: Uint8Array): void {
    this.#owner.onPong?.(this, payload);
  }

  onClose(code: number, reason: string): void {
    if (this.state === "closing") return;
    this.#sendFrame(opcode.close, closePayload(code === 1005 ? 1000 : code));
    this.#end({ kind: "close", code, reason });
  }

  onViolation(code: number, rule: FrameRule): void {
    this.#sendFrame(opcode.close, closePayload(code));
    this.#end({ kind: "protocol", rule });
  }

  #sendCompressed({ deflater }: Codec, bytes: Uint8Array, start: number, end: number): boolean {
    // Before it is compressed: what is refused afterwards would be missing in what the server keeps of it.
    if (this.#outbox !== null && this.#outboxBytes + deflater.mostBytes(end - start) > maxOutboxBytes)
      return false;
    if (((bytes[start] as number) & controlBit) !== 0) {
      compressionBytes.sentWireBytes += end - start;
      return this.#write(bytes, start, end);
    }
    deflater.write(bytes, start, end);
    compressionBytes.sentPayloadBytes += deflater.payloadBytes;
    compressionBytes.sentWireBytes += deflater.end - deflater.start;
    return this.#write(deflater.bytes, deflater.start, deflater.end);
  }

  #write(bytes: Uint8Array, start: number, end: number): boolean {
    const socket = this.#socket;
    if (socket === null || this.state === "closed") return false;
    if (this.#outbox !== null) {
      if (this.#outboxBytes + end - start > maxOutboxBytes) return false;
      this.#outbox.push(bytes.slice(start, end));
      this.#outboxBytes += end - start;
      return true;
    }
    const written = socket.write(bytes, start, end);
    if (written < end - start) {
      this.#outbox = [bytes.slice(start + written, end)];
      this.#outboxBytes = end - start - written;
      this.#owner.onBlocked();
    }
    return true;
  }

  #readFrames(bytes: Uint8Array, end: number): void {
    let at = 0;
    const inflater = this.#codec === null ? null : this.#codec.inflater;
    if (inflater !== null) compressionBytes.receivedWireBytes += end;
    if (this.#reader === null) {
      at = readMessages(bytes, end, this, inflater);
      if (at === end) return;
      this.#reader = new FrameReader(this, maxMessageBytes, inflater);
    }
    this.#reader.push(bytes, at, end);
    if (this.#reader.isBetweenMessages) this.#reader = null;
  }

  /** @param chunk valid during the call */
  #readUpgrade(chunk: Uint8Array): void {
    const opening = this.#opening;
    if (opening === null) return;
    const bytes = opening.response === null ? chunk : Buffer.concat([opening.response, chunk]);
    const response = this.#owner.upgrades.read(bytes, opening.key);
    if (response.state === "refused" && response.rule === "http-status" && this.#owner.keepsRefusals) {
      opening.refusal = readRefusal(bytes);
    }
    if (response.state === "partial" || opening.refusal?.isWhole === false) {
      opening.response = bytes.slice();
      return;
    }
    opening.response = null;
    if (response.state === "refused") {
      const { status, rule } = response;
      this.#end(
        rule === "http-status" && status !== null ? { kind: "http", status } : { kind: "protocol", rule },
      );
      return;
    }
    opening.upgradeUs = this.#owner.clockUs();
    if (response.compression !== null) this.#codec = openCodec(response.compression, maxMessageBytes);
    opening.dialogue = this.#owner.protocol.createDialogue(this.index);
    this.state = "joining";
    this.#goOn();
    if (bytes.length === response.length) return;
    const rest = bytes.slice(response.length);
    this.#readFrames(rest, rest.length);
  }

  /** Says what comes next, or is open when nothing does. */
  #goOn(): void {
    const opening = this.#opening;
    if (opening === null) return;
    const text = opening.dialogue?.say() ?? null;
    if (text !== null) {
      this.#sendFrame(opcode.text, Buffer.from(text));
      return;
    }
    opening.joinUs = this.#owner.clockUs();
    this.state = "open";
    this.#owner.onOpened(this);
    this.#opening = null;
  }

  #sendFrame(frameOpcode: number, payload: Uint8Array): void {
    const mask = (crypto.getRandomValues(new Uint32Array(1))[0] as number) | 1;
    const frame = encodeClientFrame(frameOpcode, payload, mask);
    this.send(frame, 0, frame.length);
  }

  #end(failure: ConnectionFailure): void {
    const before = this.state;
    if (before === "closed" || before === "idle") return;
    const socket = this.#socket;
    const refusal = this.#opening?.refusal ?? null;
    this.#leave();
    // A close frame may still have to leave.
    if (before === "open" || before === "closing") socket?.end();
    else socket?.reset();
    if (before === "closing") return;
    if (before === "open") this.#owner.onDied(this, failure);
    else if (refusal === null) this.#owner.onFailed(this, failure, null);
    else this.#owner.onFailed(this, { kind: "http", status: refusal.status }, refusal);
  }

  #leave(): void {
    this.state = "closed";
    this.#socket = null;
    this.#opening = null;
    if (this.#codec !== null) closeCodec(this.#codec);
    this.#codec = null;
    if (this.#outbox !== null) {
      this.#outbox = null;
      this.#owner.onUnblocked();
    }
  }
}
