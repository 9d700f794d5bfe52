import { clientHeaderLength, encodeClientFrame, opcode, writeClientHeader } from "../../websocket/frame.ts";
import { createKey, upgradeRequest } from "../../websocket/handshake.ts";
import type { Socket, SocketOwner, Sockets } from "../sockets/socket.ts";
import type { Target } from "../target.ts";

interface GarbageOptions {
  readonly sockets: Sockets;
  readonly target: Target;
  readonly sourceAddress: string | null;
}

interface Kind {
  /** Sent once the handshake is done, or instead of one. */
  readonly isUpgraded: boolean;
  /** Left as it is until the fault is cleared, so that it binds what the server keeps for it. */
  readonly isHeld?: true;
  readonly bytes: Uint8Array;
}

const mask = 0x5a17c3e9;
const textBytes = (text: string) => new TextEncoder().encode(text);
const frame = (frameOpcode: number, payload: Uint8Array) => encodeClientFrame(frameOpcode, payload, mask);
/** A frame with the bits of its first byte set as given (RFC 6455 section 5.2). */
const withFirstByte = (bytes: Uint8Array, first: number) => Uint8Array.from([first, ...bytes.subarray(1)]);

/** Announces 2^62 bytes and sends none of them. */
function endlessFrame(): Uint8Array {
  const header = new Uint8Array(clientHeaderLength(65_536));
  writeClientHeader(header, 0, opcode.text, 65_536, mask);
  header[2] = 0x40;
  return header;
}

/** What no server has to understand and every server has to survive (RFC 6455 sections 4.2, 5 and 8.1; the contract's 64 KiB). */
const kinds: readonly Kind[] = [
  { isUpgraded: false, isHeld: true, bytes: textBytes("GET /ws HTTP/1.1\r\nHost: chaos\r\nUpgrade: webs") },
  { isUpgraded: false, bytes: Uint8Array.from({ length: 512 }, (_, at) => (at * 167 + 13) & 255) },
  { isUpgraded: false, bytes: textBytes(`GET /ws HTTP/1.1\r\nX-Chaos: ${"x".repeat(65_536)}`) },
  { isUpgraded: true, bytes: Uint8Array.from([0x81, 5, 104, 101, 108, 108, 111]) },
  { isUpgraded: true, bytes: withFirstByte(frame(opcode.text, textBytes("reserved bits")), 0xf1) },
  { isUpgraded: true, bytes: withFirstByte(frame(opcode.text, textBytes("opcode 11")), 0x8b) },
  { isUpgraded: true, bytes: frame(opcode.text, Uint8Array.from([0xc3, 0x28, 0xf0, 0x82, 0x82, 0xac])) },
  { isUpgraded: true, bytes: frame(opcode.text, new Uint8Array(1 << 20).fill(97)) },
  { isUpgraded: true, isHeld: true, bytes: endlessFrame() },
  { isUpgraded: true, bytes: frame(opcode.ping, new Uint8Array(126)) },
];

const patienceMs = 500;
const pauseMs = 100;

/** An extra connection that sends garbage at the server, one kind after another, until it is stopped. */
export class GarbageSender implements SocketOwner {
  readonly #options: GarbageOptions;
  #turn: number;
  #socket: Socket | null = null;
  #isWaitingForUpgrade = false;
  #timer: Timer | null = null;
  #isStopped = false;

  /** @param turn decides the kind it begins with. */
  constructor(options: GarbageOptions, turn: number) {
    this.#options = options;
    this.#turn = turn;
  }

  start(): void {
    if (this.#isStopped) return;
    const { sockets, target, sourceAddress } = this.#options;
    this.#socket = sockets.open(target, sourceAddress, this);
    this.#wait(patienceMs, () => this.#giveUp());
  }

  stop(): void {
    this.#isStopped = true;
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#socket?.reset();
    this.#socket = null;
  }

  onSocketOpen(): void {
    this.#isWaitingForUpgrade = this.#kind.isUpgraded;
    const request = textBytes(upgradeRequest(this.#options.target, createKey()));
    this.#write(this.#isWaitingForUpgrade ? request : this.#kind.bytes);
  }

  onSocketData(): void {
    if (!this.#isWaitingForUpgrade) return;
    this.#isWaitingForUpgrade = false;
    this.#write(this.#kind.bytes);
  }

  onSocketDrain(): void {
    // What the system did not take of garbage need not leave.
  }

  onSocketClose(): void {
    this.#socket = null;
    this.#next();
  }

  get #kind(): Kind {
    return kinds[this.#turn % kinds.length] as Kind;
  }

  #write(bytes: Uint8Array): void {
    this.#socket?.write(bytes, 0, bytes.length);
  }

  /** The server has neither answered nor closed: one more way to bear it. */
  #giveUp(): void {
    if (this.#kind.isHeld) return;
    this.#socket?.reset();
    this.#socket = null;
    this.#next();
  }

  #next(): void {
    this.#turn += 1;
    this.#wait(pauseMs, () => this.start());
  }

  #wait(ms: number, then: () => void): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = this.#isStopped ? null : setTimeout(then, ms);
  }
}
