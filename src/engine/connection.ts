import { closePayload, encodeClientFrame, opcode } from "../websocket/frame.ts";
import { FrameReader, type FrameSink, readTexts } from "../websocket/frame-reader.ts";
import { createKey, readUpgradeResponse, upgradeRequest } from "../websocket/handshake.ts";
import { roomName } from "./protocols/chaos-chat/message-format.ts";
import type { Socket, SocketOwner } from "./sockets/socket.ts";
import { sockets } from "./sockets/system-sockets.ts";

/** A server that keeps the contract sends 100 messages of 64 KiB in one frame at the very most. */
const maxMessageBytes = 8 << 20;
/** What may wait in this process for a server that does not read; past it a message cannot be sent. */
const maxOutboxBytes = 1 << 20;

export type ConnectionState = "idle" | "connecting" | "upgrading" | "joining" | "open" | "closing" | "closed";

/** Microseconds on the machine's monotonic clock; 0 before it happened. */
export interface ConnectTimes {
  startUs: number;
  tcpUs: number;
  upgradeUs: number;
  joinUs: number;
}

/** What is needed only until a connection is open. */
interface Opening {
  times: ConnectTimes | null;
  key: string;
  /** Rooms whose `joined` has not come yet; the first is being waited for. */
  readonly rooms: number[];
  /** The part of the handshake's answer that has come. */
  response: Uint8Array | null;
}

/** What a connection tells the worker that owns it. */
export interface ConnectionOwner {
  readonly host: string;
  readonly port: number;
  readonly path: string;
  clockUs(): number;
  /** Bytes came in; called before anything is read from them. */
  onArrival(): void;
  onOpened(connection: Connection): void;
  /** It never opened. */
  onFailed(connection: Connection, reason: string): void;
  /** It was open and is no more, not by this side's wish. */
  onDied(connection: Connection, reason: string): void;
  onMessage(connection: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void;
  onBlocked(): void;
  onUnblocked(): void;
}

/** One client connection: TCP, the upgrade, the join, then messages both ways. Lives for one round. */
export class Connection implements FrameSink, SocketOwner {
  readonly index: number;
  state: ConnectionState = "idle";
  readonly #owner: ConnectionOwner;
  #socket: Socket | null = null;
  /** Only while there is something beyond whole text messages to read. */
  #reader: FrameReader | null = null;
  /** What the system has not taken yet, in order; joined only to be written, not for each message that waits. */
  #outbox: Uint8Array[] | null = null;
  #outboxBytes = 0;
  #opening: Opening | null;

  constructor(index: number, rooms: readonly number[], owner: ConnectionOwner) {
    this.index = index;
    this.#owner = owner;
    this.#opening = { times: null, key: "", rooms: [...rooms], response: null };
  }

  /** Only while it opens. */
  get times(): ConnectTimes | null {
    return this.#opening?.times ?? null;
  }

  /** @param sourceAddress the local address to connect from, or null for the system's choice. */
  open(sourceAddress: string | null): void {
    if (this.#opening === null) throw new Error(`connection ${this.index} was open before: it lives once`);
    this.state = "connecting";
    this.#opening.times = { startUs: this.#owner.clockUs(), tcpUs: 0, upgradeUs: 0, joinUs: 0 };
    this.#socket = sockets.open(this.#owner, sourceAddress, this);
  }

  /** Gives up on a connection that did not open in time. */
  expire(): void {
    const waitedFor = { connecting: "TCP answer", upgrading: "handshake", joining: "joined" } as const;
    if (this.state === "connecting" || this.state === "upgrading" || this.state === "joining") {
      this.#end(`timeout: no ${waitedFor[this.state]}`);
    }
  }

  /** False when the connection can't take it: it is closed, or the server has not read for too long. */
  send(bytes: Uint8Array, start: number, end: number): boolean {
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

  /**
   * Says goodbye; the server closes TCP (RFC 6455 section 7.1.1), so that its port and not one of the
   * generator's many goes into TIME_WAIT. What comes afterwards is nobody's concern.
   */
  close(): void {
    if (this.state !== "open") return;
    this.state = "closing";
    this.#sendFrame(opcode.close, closePayload(1000));
  }

  /** From now on what arrives waits in the system, as with a client that has stalled. */
  pauseReading(): void {
    this.#socket?.pauseReading();
  }

  resumeReading(): void {
    this.#socket?.resumeReading();
  }

  /** Ends it by a reset, which leaves no TIME_WAIT either. */
  abandon(): void {
    const socket = this.#socket;
    this.#leave();
    socket?.reset();
  }

  onSocketOpen(): void {
    const opening = this.#opening;
    if (opening === null) return;
    if (opening.times !== null) opening.times.tcpUs = this.#owner.clockUs();
    this.state = "upgrading";
    opening.key = createKey();
    const { host, port, path } = this.#owner;
    const request = Buffer.from(upgradeRequest(host, port, path, opening.key));
    this.send(request, 0, request.length);
  }

  onSocketData(bytes: Uint8Array, end: number): void {
    this.#owner.onArrival();
    if (this.state === "upgrading") this.#readUpgrade(bytes.slice(0, end));
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

  onSocketClose(error: string | null): void {
    if (this.state === "connecting") this.#end(`connect: ${error ?? "connection closed"}`);
    else if (error === null) this.#end("connection closed");
    else if (error === "ECONNRESET" || error === "EPIPE") this.#end(`connection reset: ${error}`);
    else this.#end(`connection error: ${error}`);
  }

  onMessage(bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    if (this.state !== "joining") {
      if (this.state === "open") this.#owner.onMessage(this, bytes, start, end, isText);
      return;
    }
    const answer = Buffer.from(bytes.buffer, bytes.byteOffset + start, end - start).toString();
    const room = this.#opening?.rooms.shift();
    if (room === undefined || answer !== `{"type":"joined","room":"${roomName(room)}"}`) {
      this.#end(`join answered with ${answer.slice(0, 100)}`);
      return;
    }
    this.#joinNext();
  }

  onPing(payload: Uint8Array): void {
    this.#sendFrame(opcode.pong, payload);
  }

  onClose(code: number, reason: string): void {
    if (this.state === "closing") return;
    this.#sendFrame(opcode.close, closePayload(code === 1005 ? 1000 : code));
    this.#end(`closed by the server: ${code}${reason === "" ? "" : ` ${reason}`}`);
  }

  onViolation(code: number, text: string): void {
    this.#sendFrame(opcode.close, closePayload(code));
    this.#end(`protocol error: ${text}`);
  }

  #readFrames(bytes: Uint8Array, end: number): void {
    let at = 0;
    if (this.#reader === null) {
      at = readTexts(bytes, end, this);
      if (at === end) return;
      this.#reader = new FrameReader(this, maxMessageBytes);
    }
    this.#reader.push(bytes, at, end);
    if (this.#reader.isBetweenMessages) this.#reader = null;
  }

  #readUpgrade(chunk: Uint8Array): void {
    const opening = this.#opening;
    if (opening === null) return;
    const bytes = opening.response === null ? chunk : Buffer.concat([opening.response, chunk]);
    const response = readUpgradeResponse(bytes, opening.key);
    if (response.state === "partial") {
      opening.response = bytes;
      return;
    }
    opening.response = null;
    if (response.state === "refused") {
      this.#end(`handshake refused: ${response.reason}`);
      return;
    }
    if (opening.times !== null) opening.times.upgradeUs = this.#owner.clockUs();
    this.state = "joining";
    this.#joinNext();
    const rest = bytes.subarray(response.length);
    this.#readFrames(rest, rest.length);
  }

  /** Joins the next room, or is open when there is none left. */
  #joinNext(): void {
    const room = this.#opening?.rooms[0];
    if (room !== undefined) {
      this.#sendFrame(opcode.text, new TextEncoder().encode(`{"type":"join","room":"${roomName(room)}"}`));
      return;
    }
    const { times } = this;
    if (times !== null) times.joinUs = this.#owner.clockUs();
    this.state = "open";
    this.#owner.onOpened(this);
    this.#opening = null;
  }

  #sendFrame(frameOpcode: number, payload: Uint8Array): void {
    const mask = (crypto.getRandomValues(new Uint32Array(1))[0] as number) | 1;
    const frame = encodeClientFrame(frameOpcode, payload, mask);
    this.send(frame, 0, frame.length);
  }

  #end(reason: string): void {
    const before = this.state;
    if (before === "closed" || before === "idle") return;
    const socket = this.#socket;
    this.#leave();
    // A close frame may still have to leave.
    if (before === "open" || before === "closing") socket?.end();
    else socket?.reset();
    if (before === "closing") return;
    if (before === "open") this.#owner.onDied(this, reason);
    else this.#owner.onFailed(this, reason);
  }

  #leave(): void {
    this.state = "closed";
    this.#socket = null;
    this.#opening = null;
    if (this.#outbox !== null) {
      this.#outbox = null;
      this.#owner.onUnblocked();
    }
  }
}
