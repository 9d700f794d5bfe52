import type { Tls } from "../../process/tls.ts";
import type { TlsProblem } from "./tls-problems.ts";

/** What is said of a socket that failed. */
export interface SocketError {
  /** The name of the errno, such as ECONNRESET; of a problem of TLS how the library calls it. */
  readonly code: string;
  /** What could not be bound, or who was connected to; null where there is no telling. */
  readonly address: string | null;
  /** Absent where TLS has no part in it. */
  readonly tls?: TlsProblem;
}

/** What a socket tells its owner; never while it is being opened, and nothing after `end` or `reset`. */
export interface SocketOwner {
  /** TCP is established; what follows is the handshake of TLS. Not told of a plain socket. */
  onSocketHandshake?(): void;
  /** It can be written to: TCP is established, and TLS where it is spoken. */
  onSocketOpen(): void;
  /** `bytes[0 … end)` arrived. They are only valid during the call: whoever keeps some copies them. */
  onSocketData(bytes: Uint8Array, end: number): void;
  /** After a write that took less than it was given: there is room again. */
  onSocketDrain(): void;
  /** It is over, or never came to be. `error` is null when the peer ended it. */
  onSocketClose(error: SocketError | null): void;
}

export interface Socket {
  /** Returns how many of `bytes[start … end)` were taken; they are the caller's again at once. */
  write(bytes: Uint8Array, start: number, end: number): number;
  /** Closes it; what was written still leaves. */
  end(): void;
  /** Closes it with a reset: what was written may be lost, and no port goes into TIME_WAIT. */
  reset(): void;
  /** Lets what arrives wait in the system, as a slow reader does. */
  pauseReading(): void;
  resumeReading(): void;
  /** TCP segments with data that have arrived, modulo 2^32; null where the system doesn't tell, or it is not open. */
  segmentsIn(): number | null;
}

export interface SocketAddress {
  /** An address, IPv4 or IPv6 without brackets: of a name, every worker might find another. */
  readonly host: string;
  readonly port: number;
  /** Absent or null for plain TCP. */
  readonly tls?: Tls | null;
}

/** All sockets of a process, and the loop that serves them. */
export interface Sockets {
  /** How late a turn may come after the time it asked for, on a quiet machine. */
  readonly wakesWithinUs: number;
  /** @param sourceAddress the local address to connect from, or null for the system's choice. */
  open(target: SocketAddress, sourceAddress: string | null, owner: SocketOwner): Socket;
  /**
   * Lets what arrives wait, while it is paced, for the turns: a process that need not wake up for each arrival needs less
   * of the CPU. Only where the system tells when bytes came, of what is opened afterwards; elsewhere nothing changes.
   */
  readLater(): void;
  /**
   * When the bytes that an owner is just given had arrived, on the machine's monotonic clock in microseconds: by the
   * system where they were let wait, and else now.
   */
  arrivalUs(): number;
  /** Whether this machine has that address to connect from. */
  canBind(address: string): boolean;
  /**
   * Calls `turn` in between arrivals until `rest`. It returns for how many microseconds it has nothing to do:
   * 0 when it wants to go on as soon as arrivals were seen to, `Infinity` when it waits for nothing but them.
   *
   * @param arrivalsPerTurn sockets read from before it is `turn`'s turn again; a hint
   */
  pace(turn: () => number, arrivalsPerTurn: number): void;
  rest(): void;
}
