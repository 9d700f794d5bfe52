import type { ConnectionFailure } from "../../result/reasons.ts";
import { encodeClientFrame, opcode } from "../../websocket/frame.ts";
import { Upgrades } from "../../websocket/handshake.ts";
import type { Refusal } from "../../websocket/refusal.ts";
import type { Account } from "../attack/account.ts";
import { Connection, type ConnectionOwner } from "../connection.ts";
import type { Sockets } from "../sockets/socket.ts";
import type { Target } from "../target.ts";
import { UserMessage } from "./message.ts";
import type { Message } from "./scenario.ts";

/** What nobody has expected yet is kept so far, the newest. */
const mostKept = 1000;
const mostKeptBytes = 8 << 20;

const silent = { say: () => null, hear: () => false };

/** What a connection of a scenario has from its worker. */
export interface SocketHost {
  readonly sockets: Sockets;
  readonly account: Account;
  /** On the attack's epoch. */
  nowUs(): number;
  /** Microseconds on the machine's clock. */
  clockUs(): number;
  noteOpened(socket: UserSocket): void;
  noteFailed(socket: UserSocket, failure: ConnectionFailure, refusal: Refusal | null): void;
  noteDied(socket: UserSocket, failure: ConnectionFailure): void;
}

/** Somebody who waits for a message. */
export interface Waiter {
  fits(message: Message): boolean;
  /** When that was sent which the message answers; null where it was on the same connection, or nowhere. */
  readonly sentUs: number | null;
  /** Since when it waits. */
  readonly askedUs: number;
  taken(message: Message): void;
  /** @param failure null where the scenario has closed it */
  closed(failure: ConnectionFailure | null): void;
  /** `fits` threw. */
  threw(error: unknown): void;
}

interface Kept {
  readonly message: UserMessage;
  readonly atUs: number;
}

/** A connection of a user: what came and nobody has taken, and who waits for what. */
export class UserSocket implements ConnectionOwner {
  readonly target: Target;
  /** Each may have a path and headers of its own. */
  readonly upgrades: Upgrades;
  readonly sockets: Sockets;
  readonly protocol = { createDialogue: () => silent };
  readonly keepsRefusals = true;
  readonly connection: Connection;
  /** How it ended; null while it has not. */
  failure: ConnectionFailure | null = null;
  /** Of the last message since which none that came was taken; null without. */
  sentUs: number | null = null;
  readonly #host: SocketHost;
  readonly #kept: Kept[] = [];
  #keptBytes = 0;
  readonly #waiters = new Set<Waiter>();
  #arrivedUs = 0;

  constructor(index: number, target: Target, host: SocketHost) {
    this.target = target;
    this.upgrades = new Upgrades(target);
    this.sockets = host.sockets;
    this.#host = host;
    this.connection = new Connection(index, 0, this);
  }

  clockUs(): number {
    return this.#host.clockUs();
  }

  onArrival(): void {
    this.#arrivedUs = this.#host.nowUs();
    this.#host.account.recorder.lastArrivalUs = this.#arrivedUs;
  }

  onOpened(): void {
    this.#host.noteOpened(this);
  }

  onFailed(_: Connection, failure: ConnectionFailure, refusal: Refusal | null): void {
    this.failure = failure;
    this.#host.noteFailed(this, failure, refusal);
  }

  onDied(_: Connection, failure: ConnectionFailure): void {
    this.failure = failure;
    this.#host.noteDied(this, failure);
    this.#tellClosed(failure);
  }

  onMessage(_: Connection, bytes: Uint8Array, start: number, end: number, isText: boolean): void {
    const { account } = this.#host;
    account.received += 1;
    account.bytesReceived += end - start;
    const kept = { message: new UserMessage(bytes.slice(start, end), isText), atUs: this.#arrivedUs };
    for (const waiter of this.#waiters) if (this.#offer(waiter, kept)) return;
    this.#kept.push(kept);
    this.#keptBytes += end - start;
    while (this.#kept.length > mostKept || this.#keptBytes > mostKeptBytes) this.#forget(0);
  }

  onBlocked(): void {}

  onUnblocked(): void {}

  /** @returns why it could not be sent; null where it was */
  send(payload: Uint8Array, isText: boolean): string | null {
    const { account } = this.#host;
    const mask = (crypto.getRandomValues(new Uint32Array(1))[0] as number) | 1;
    const frame = encodeClientFrame(isText ? opcode.text : opcode.binary, payload, mask);
    const isOpen = this.connection.state === "open";
    if (!isOpen || !this.connection.send(frame, 0, frame.length)) {
      account.unsent += 1;
      return isOpen ? "the server does not read, 1 MiB waits for it" : this.describeEnd();
    }
    const nowUs = this.#host.nowUs();
    account.noteSent(nowUs, 0, payload.length, 0);
    this.sentUs = nowUs;
    return null;
  }

  /** Gives it the first message that fits, now or later. @returns what takes it away again */
  wait(waiter: Waiter): () => void {
    if (this.connection.state !== "open" && this.#kept.length === 0) {
      waiter.closed(this.failure);
      return () => {};
    }
    for (const [at, kept] of this.#kept.entries()) {
      if (!this.#offer(waiter, kept)) continue;
      if (kept === this.#kept[at]) this.#forget(at);
      return () => {};
    }
    if (this.connection.state !== "open") {
      waiter.closed(this.failure);
      return () => {};
    }
    this.#waiters.add(waiter);
    return () => void this.#waiters.delete(waiter);
  }

  close(): void {
    this.connection.close();
    this.#tellClosed(null);
  }

  /** `the connection is closed (close 1001)` */
  describeEnd(): string {
    return this.failure === null
      ? "the scenario has closed the connection"
      : `the connection is closed (${nameFailure(this.failure)})`;
  }

  /** @returns whether it needs the message no longer to be kept: it was taken, or its question threw */
  #offer(waiter: Waiter, { message, atUs }: Kept): boolean {
    try {
      if (!waiter.fits(message)) return false;
    } catch (error) {
      this.#waiters.delete(waiter);
      waiter.threw(error);
      return true;
    }
    this.#waiters.delete(waiter);
    const sinceUs = Math.min(atUs, waiter.sentUs ?? this.sentUs ?? waiter.askedUs);
    if (waiter.sentUs === null) this.sentUs = null;
    this.#host.account.expected += 1;
    this.#host.account.recorder.recordDelivery(atUs, sinceUs, 0, -1);
    waiter.taken(message);
    return true;
  }

  #forget(at: number): void {
    const [forgotten] = this.#kept.splice(at, 1);
    this.#keptBytes -= forgotten?.message.bytes.length ?? 0;
  }

  #tellClosed(failure: ConnectionFailure | null): void {
    for (const waiter of [...this.#waiters]) {
      this.#waiters.delete(waiter);
      waiter.closed(failure);
    }
  }
}

/** In the words of the facts: `close 1001`, `http 401`, `system ECONNREFUSED`. */
export function nameFailure(failure: ConnectionFailure): string {
  const { kind, ...rest } = failure;
  const { code, status, stage, rule, problem } = rest as Readonly<Record<string, unknown>>;
  return [kind, code ?? status ?? stage ?? rule ?? problem].filter((one) => one !== undefined).join(" ");
}
