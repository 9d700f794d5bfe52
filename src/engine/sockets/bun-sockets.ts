import { closeSync, openSync } from "node:fs";
import { authority } from "../../websocket/handshake.ts";
import type { Socket, SocketAddress, SocketError, SocketOwner, Sockets } from "./socket.ts";

/** TCP sockets of Bun's own, for systems other than Linux. */
export class BunSockets implements Sockets {
  /** A timer fires up to a millisecond late, and is rounded up to one. */
  readonly wakesWithinUs = 2000;
  #turn: (() => number) | null = null;

  open({ host, port }: SocketAddress, sourceAddress: string | null, owner: SocketOwner): Socket {
    const socket = new BunSocket(owner, authority(host, port));
    Bun.connect<BunSocket>({
      hostname: host,
      port,
      ...(sourceAddress === null ? {} : { localAddress: sourceAddress }),
      data: socket,
      socket: handlers,
    }).catch((error: unknown) => socket.onClose(hasDescriptorsLeft() ? errorCode(error) : "EMFILE"));
    return socket;
  }

  canBind(address: string): boolean {
    try {
      Bun.listen({ hostname: address, port: 0, socket: { data() {} } }).stop(true);
      return true;
    } catch {
      return false;
    }
  }

  /** Bun's own loop reads whatever has arrived between two turns. */
  pace(turn: () => number): void {
    this.#turn = turn;
    const run = () => {
      if (this.#turn !== turn) return;
      const waitUs = turn();
      if (waitUs === Number.POSITIVE_INFINITY) return;
      if (waitUs <= 0) setImmediate(run);
      else setTimeout(run, Math.ceil(waitUs / 1000));
    };
    setImmediate(run);
  }

  rest(): void {
    this.#turn = null;
  }
}

class BunSocket implements Socket {
  /** Null when it is over for the owner. */
  #owner: SocketOwner | null;
  #socket: Bun.Socket<BunSocket> | null = null;

  readonly #remote: string;

  constructor(owner: SocketOwner, remote: string) {
    this.#owner = owner;
    this.#remote = remote;
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    return Math.max(0, this.#socket?.write(bytes, start, end - start) ?? 0);
  }

  end(): void {
    this.#owner = null;
    this.#socket?.end();
  }

  reset(): void {
    this.#owner = null;
    this.#socket?.terminate();
  }

  pauseReading(): void {
    this.#socket?.pause();
  }

  resumeReading(): void {
    this.#socket?.resume();
  }

  /** Bun hands no descriptor out. */
  segmentsIn(): null {
    return null;
  }

  onOpen(socket: Bun.Socket<BunSocket>): void {
    if (this.#owner === null) {
      socket.terminate();
      return;
    }
    this.#socket = socket;
    socket.setNoDelay(true);
    this.#owner.onSocketOpen();
  }

  onData(chunk: Uint8Array): void {
    this.#owner?.onSocketData(chunk, chunk.length);
  }

  onDrain(): void {
    this.#owner?.onSocketDrain();
  }

  /** @param code the errno's name, or null when the peer ended it */
  onClose(code: string | null): void {
    const owner = this.#owner;
    this.#owner = null;
    // The peer has ended its side; this one is still to be.
    this.#socket?.end();
    const error: SocketError | null = code === null ? null : { code, address: this.#remote };
    owner?.onSocketClose(error);
  }
}

/** One set of handlers for all sockets: a closure per connection would cost its memory. */
const handlers = {
  open: (socket: Bun.Socket<BunSocket>) => socket.data.onOpen(socket),
  data: (socket: Bun.Socket<BunSocket>, chunk: Uint8Array) => socket.data.onData(chunk),
  drain: (socket: Bun.Socket<BunSocket>) => socket.data.onDrain(),
  close: (socket: Bun.Socket<BunSocket>, error?: Error | null) =>
    socket.data.onClose(error ? errorCode(error) : null),
  error: (socket: Bun.Socket<BunSocket>, error: Error) => socket.data.onClose(errorCode(error)),
  // The promise of Bun.connect rejects too, and is what is listened to.
  connectError: () => {},
  end: (socket: Bun.Socket<BunSocket>) => socket.data.onClose(null),
};

/** Bun reports a connect that got no descriptor as refused; trying to get one tells the two apart. */
function hasDescriptorsLeft(): boolean {
  try {
    closeSync(openSync("/dev/null", "r"));
    return true;
  } catch {
    return false;
  }
}

function errorCode(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  return "code" in error && typeof error.code === "string" ? error.code : error.message;
}
