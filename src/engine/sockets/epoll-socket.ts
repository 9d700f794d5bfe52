import { authority } from "../../websocket/handshake.ts";
import type { EpollSockets } from "./epoll-sockets.ts";
import { errorName, linux } from "./linux-socket-calls.ts";
import type { Socket, SocketAddress, SocketError, SocketOwner } from "./socket.ts";

type State = "connecting" | "handshaking" | "open" | "closed";

/** One socket of `EpollSockets`: plain TCP. */
export class EpollSocket implements Socket {
  readonly owner: SocketOwner;
  protected readonly sockets: EpollSockets;
  readonly #target: SocketAddress;
  descriptor = -1;
  state: State = "connecting";
  isBlocked = false;
  isPaused = false;

  constructor(sockets: EpollSockets, owner: SocketOwner, target: SocketAddress) {
    this.sockets = sockets;
    this.owner = owner;
    this.#target = target;
  }

  /** As it is named in errors. */
  get remote(): string {
    return authority(this.#target.host, this.#target.port);
  }

  write(bytes: Uint8Array, start: number, end: number): number {
    if (this.state !== "open" || this.isBlocked) return 0;
    const { calls } = this.sockets;
    const from = start === 0 ? bytes : bytes.subarray(start, end);
    const length = end - start;
    for (;;) {
      const written = calls.send(this.descriptor, from, length);
      if (written === length) return written;
      if (written >= 0) {
        this.isBlocked = true;
        return written;
      }
      const errno = calls.errno();
      if (errno === linux.EINTR) continue;
      this.isBlocked = true;
      if (errno !== linux.EAGAIN) this.sockets.fail(this, errorName(errno));
      return 0;
    }
  }

  /** TCP is established. */
  onConnected(): void {
    this.state = "open";
    this.owner.onSocketOpen();
  }

  /** `bytes[0 … length)` came from the system. */
  onReceived(bytes: Uint8Array, length: number): void {
    this.owner.onSocketData(bytes, length);
  }

  /** The system takes bytes again. */
  onWritable(): void {
    this.isBlocked = false;
    this.owner.onSocketDrain();
  }

  onClosed(): void {}

  /** @param code the errno's name, or null when the peer ended it */
  describeEnd(code: string | null): SocketError | null {
    return code === null ? null : { code, address: this.remote };
  }

  end(): void {
    if (this.state === "open") this.sockets.drain(this);
    this.sockets.close(this);
  }

  reset(): void {
    if (this.descriptor >= 0) this.sockets.linger(this);
    this.sockets.close(this);
  }

  pauseReading(): void {
    if (this.isPaused) return;
    this.isPaused = true;
    if (this.state === "open") this.sockets.pauseReading(this);
  }

  resumeReading(): void {
    if (!this.isPaused) return;
    this.isPaused = false;
    if (this.state === "open") this.sockets.resumeReading(this);
  }

  segmentsIn(): number | null {
    return this.sockets.segmentsIn(this);
  }
}
