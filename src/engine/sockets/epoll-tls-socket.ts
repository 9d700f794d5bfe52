import { EpollSocket } from "./epoll-socket.ts";
import type { EpollSockets } from "./epoll-sockets.ts";
import { errorName, linux } from "./linux-socket-calls.ts";
import { mostPerWrite, type Session, type TlsContext } from "./openssl.ts";
import type { SocketAddress, SocketError, SocketOwner } from "./socket.ts";

/** TLS over such a socket, from TLS 1.2 on. */
export class EpollTlsSocket extends EpollSocket {
  readonly #tls: TlsContext;
  readonly #session: Session;
  /** Encrypted, and not yet taken by the system. */
  #unsent: Uint8Array | null = null;

  constructor(sockets: EpollSockets, owner: SocketOwner, target: SocketAddress, tls: TlsContext) {
    super(sockets, owner, target);
    this.#tls = tls;
    this.#session = tls.createSession();
  }

  override write(bytes: Uint8Array, start: number, end: number): number {
    if (this.state !== "open") return 0;
    let at = start;
    while (at < end && !this.isBlocked) {
      const length = Math.min(end - at, mostPerWrite);
      const from = at === 0 ? bytes : bytes.subarray(at, at + length);
      const written = this.#tls.ssl.SSL_write(this.#session, from, length);
      if (written !== length) {
        const { code } = this.#tls.readError(this.#session, this.remote);
        this.isBlocked = true;
        this.sockets.fail(this, code);
        return at - start;
      }
      at += length;
      this.#flush();
    }
    return at - start;
  }

  override onConnected(): void {
    this.state = "handshaking";
    this.owner.onSocketHandshake?.();
    if (this.descriptor >= 0) this.#shakeHands();
  }

  override onReceived(bytes: Uint8Array, length: number): void {
    const { ssl } = this.#tls;
    this.#tls.feed(bytes, length);
    if (this.state === "handshaking") this.#shakeHands();
    while (this.state === "open") {
      // Into the same place: what was there has been taken.
      const decrypted = ssl.SSL_read(this.#session, bytes, bytes.length);
      if (decrypted <= 0) {
        const ending = this.#tls.endingOf(this.#session, decrypted);
        // An answer to a new key or an alert may have been written.
        this.#flush();
        if (ending === "wants-more") {
          // 34 KB of a connection that waits. SSL_MODE_RELEASE_BUFFERS leaves the half of it.
          ssl.SSL_free_buffers(this.#session);
          return;
        }
        this.#finish(ending === "goodbye" ? null : this.#tls.readError(this.#session, this.remote));
        break;
      }
      this.owner.onSocketData(bytes, decrypted);
    }
    if (this.state === "closed") this.#tls.forget();
  }

  override onWritable(): void {
    this.isBlocked = false;
    const unsent = this.#unsent;
    this.#unsent = null;
    if (unsent !== null) this.#transmit(unsent, unsent.length);
    if (this.isBlocked || this.state !== "open") return;
    this.owner.onSocketDrain();
  }

  override onClosed(): void {
    this.#unsent = null;
    this.#tls.ssl.SSL_free(this.#session);
  }

  override describeEnd(code: string | null): SocketError | null {
    if (this.state !== "handshaking") return super.describeEnd(code);
    return { code: code ?? "the connection was ended", address: this.remote, tls: "closed" };
  }

  override end(): void {
    if (this.state === "open") {
      this.#tls.ssl.SSL_shutdown(this.#session);
      this.#tls.ssl.ERR_clear_error();
      this.#flush();
    }
    super.end();
  }

  #shakeHands(): void {
    const result = this.#tls.ssl.SSL_do_handshake(this.#session);
    const ending = result === 1 ? null : this.#tls.endingOf(this.#session, result);
    this.#flush();
    if (ending === null) {
      this.state = "open";
      this.owner.onSocketOpen();
    } else if (ending !== "wants-more") {
      this.#finish(this.#tls.readError(this.#session, this.remote));
    }
  }

  #finish(error: SocketError | null): void {
    this.sockets.over(this, error);
  }

  /** Hands to the system what OpenSSL wants to be sent. */
  #flush(): void {
    const { encrypted } = this.#tls;
    for (;;) {
      const length = this.#tls.take();
      if (length > 0) this.#transmit(encrypted, length);
      if (length < encrypted.length) return;
    }
  }

  #transmit(bytes: Uint8Array, length: number): void {
    const { calls } = this.sockets;
    let written = 0;
    if (this.#unsent === null) {
      do written = calls.send(this.descriptor, bytes, length);
      while (written < 0 && calls.errno() === linux.EINTR);
      if (written === length) return;
      this.isBlocked = true;
      if (written < 0) {
        const errno = calls.errno();
        written = 0;
        if (errno !== linux.EAGAIN) {
          this.sockets.fail(this, errorName(errno));
          return;
        }
      }
    }
    const rest = bytes.slice(written, length);
    this.#unsent = this.#unsent === null ? rest : Buffer.concat([this.#unsent, rest]);
  }
}
