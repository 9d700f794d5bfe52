import { ptr } from "bun:ffi";
import { wallAheadUs } from "../../machine/clock.ts";
import { type LinuxSocketCalls, linux } from "./linux-socket-calls.ts";

/** `struct cmsghdr` and a `struct timespec`: the one control message that is asked for. */
const controlBytes = 32;
/* In 32-bit words, on little-endian systems of 64 bits: of `struct msghdr`, and of the control message. */
const headerWords = { controlLength: 10 };
const controlWords = { level: 2, type: 3, seconds: 4, nanoseconds: 6 };

/**
 * Reads from sockets that have SO_TIMESTAMPNS (socket(7)), with the time at which the kernel got the bytes: of several
 * segments that of the last. The kernel tells it by the wall clock.
 */
export class StampedReceiver {
  /** When the bytes read last had arrived, on the machine's monotonic clock; 0 where the kernel did not say. */
  stampUs = 0;
  readonly #calls: LinuxSocketCalls;
  readonly #header: Uint32Array;
  readonly #control = new Uint32Array(new ArrayBuffer(controlBytes));
  /** `struct iovec`; kept, since the header names its place. */
  readonly #vector = new BigUint64Array(new ArrayBuffer(16));
  #wallAheadUs = 0;

  /** @param bytes what is read into, over a buffer of its own: its place in memory must not change */
  constructor(calls: LinuxSocketCalls, bytes: Uint8Array) {
    this.#calls = calls;
    this.#vector[0] = BigInt(ptr(bytes));
    this.#vector[1] = BigInt(bytes.length);
    const header = new BigUint64Array(new ArrayBuffer(56));
    header[2] = BigInt(ptr(this.#vector));
    header[3] = 1n;
    header[4] = BigInt(ptr(this.#control));
    this.#header = new Uint32Array(header.buffer);
  }

  /** Before what has come is read: between the two, nobody sets the wall clock. */
  readClocks(): void {
    this.#wallAheadUs = wallAheadUs();
  }

  /** As `recv`. */
  receive(descriptor: number): number {
    const header = this.#header;
    const control = this.#control;
    header[headerWords.controlLength] = controlBytes;
    const length = this.#calls.recvmsg(descriptor, header);
    this.stampUs =
      length > 0 &&
      header[headerWords.controlLength] === controlBytes &&
      control[controlWords.level] === linux.SOL_SOCKET &&
      control[controlWords.type] === linux.SO_TIMESTAMPNS
        ? (control[controlWords.seconds] as number) * 1e6 +
          (control[controlWords.nanoseconds] as number) / 1e3 -
          this.#wallAheadUs
        : 0;
    return length;
  }
}
