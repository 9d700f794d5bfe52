import { closeSync, openSync } from "node:fs";
import { nowUs } from "../../machine/clock.ts";
import { bunTls } from "../../process/tls.ts";
import { authority } from "../../websocket/handshake.ts";
import type { Socket, SocketAddress, SocketError, SocketOwner, Sockets } from "./socket.ts";
import { problemOfReason, problemOfVerification } from "./tls-problems.ts";

/** TCP sockets of Bun's own, for systems other than Linux, and for TLS where there is no OpenSSL. */
export class BunSockets implements Sockets {
  /** A timer fires up to a millisecond late, and is rounded up to one. */
  readonly wakesWithinUs = 2000;
  #turn: (() => number) | null = null;

  open({ host, port, tls = null }: SocketAddress, sourceAddress: string | null, owner: SocketOwner): Socket {
    const socket = new BunSocket(owner, authority(host, port), tls?.verify === false);
    Bun.connect<BunSocket>({
      hostname: host,
      port,
      ...(sourceAddress === null ? {} : { localAddress: sourceAddress }),
      data: socket,
      socket: tls === null ? handlers : tlsHandlers,
      ...(tls === null ? {} : { tls: bunTls(tls) }),
    }).catch((error: unknown) => socket.onFailure(hasDescriptorsLeft() ? errorCode(error) : "EMFILE"));
    return socket;
  }

  readLater(): void {}

  arrivalUs(): number {
    return nowUs();
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
  readonly #takesAnyCertificate: boolean;
  #isShakingHands = false;

  constructor(owner: SocketOwner, remote: string, takesAnyCertificate: boolean) {
    this.#owner = owner;
    this.#remote = remote;
    this.#takesAnyCertificate = takesAnyCertificate;
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

  /** TCP is established. */
  onConnected(socket: Bun.Socket<BunSocket>): boolean {
    if (this.#owner === null) {
      socket.terminate();
      return false;
    }
    this.#socket = socket;
    socket.setNoDelay(true);
    return true;
  }

  onOpen(socket: Bun.Socket<BunSocket>): void {
    if (this.onConnected(socket)) this.#owner?.onSocketOpen();
  }

  onHandshake(socket: Bun.Socket<BunSocket>): void {
    this.#isShakingHands = true;
    if (this.onConnected(socket)) this.#owner?.onSocketHandshake?.();
  }

  onHandshakeEnd(isRight: boolean, error: Error | null): void {
    this.#isShakingHands = false;
    // One for another host is reported even where no certificate has to be right.
    const isUnchecked =
      this.#takesAnyCertificate && error !== null && !/^(EPROTO|ECONNRESET)$/.test(errorCode(error));
    if (isRight || isUnchecked) this.#owner?.onSocketOpen();
    else this.onClose(this.#describeTls(error));
  }

  onData(chunk: Uint8Array): void {
    this.#owner?.onSocketData(chunk, chunk.length);
  }

  onDrain(): void {
    this.#owner?.onSocketDrain();
  }

  /** @param code the errno's name */
  onFailure(code: string): void {
    this.onClose({ code, address: this.#remote });
  }

  onError(error: Error): void {
    const isTls = errorCode(error) === "EPROTO";
    this.onClose(isTls ? this.#describeTls(error) : { code: errorCode(error), address: this.#remote });
  }

  /** @param error null when the peer ended it */
  onClose(error: SocketError | null): void {
    const owner = this.#owner;
    this.#owner = null;
    // The peer has ended its side; this one is still to be.
    this.#socket?.end();
    owner?.onSocketClose(this.#isShakingHands && error?.tls === undefined ? this.#describeTls(null) : error);
  }

  /** @param error as the handshake has it: none, or a reset, when the server ended the connection */
  #describeTls(error: Error | null): SocketError {
    const address = this.#remote;
    const code = error === null ? "ECONNRESET" : errorCode(error);
    if (code === "ECONNRESET") return { code, address, tls: "closed" };
    if (code !== "EPROTO" || error === null) return { code, address, tls: problemOfVerification(code) };
    // `error:1000042e:SSL routines:OPENSSL_internal:TLSV1_ALERT_PROTOCOL_VERSION`
    const reason = error.message.slice(error.message.lastIndexOf(":") + 1);
    return { code: reason, address, tls: problemOfReason(reason, false) };
  }
}

/** One set of handlers for all sockets: a closure per connection would cost its memory. */
const handlers = {
  open: (socket: Bun.Socket<BunSocket>) => socket.data.onOpen(socket),
  data: (socket: Bun.Socket<BunSocket>, chunk: Uint8Array) => socket.data.onData(chunk),
  drain: (socket: Bun.Socket<BunSocket>) => socket.data.onDrain(),
  close: (socket: Bun.Socket<BunSocket>, error?: Error | null) =>
    error ? socket.data.onError(error) : socket.data.onClose(null),
  error: (socket: Bun.Socket<BunSocket>, error: Error) => socket.data.onError(error),
  // The promise of Bun.connect rejects too, and is what is listened to.
  connectError: () => {},
  end: (socket: Bun.Socket<BunSocket>) => socket.data.onClose(null),
};

const tlsHandlers = {
  ...handlers,
  open: (socket: Bun.Socket<BunSocket>) => socket.data.onHandshake(socket),
  handshake: (socket: Bun.Socket<BunSocket>, isRight: boolean, error: Error | null) =>
    socket.data.onHandshakeEnd(isRight, error),
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
