import { ptr } from "bun:ffi";

/** Memory that is used again for each message, and whose address is kept: over an `ArrayBuffer`, so that it never moves. */
export class Scratch {
  bytes = new Uint8Array(0);
  /** The same, four bytes at a time. */
  words = new Int32Array(0);
  address = 0;

  constructor(capacity: number) {
    this.reserve(capacity, 0);
  }

  /** Makes it hold `capacity` bytes at least, and twice as much as before if it has to grow; its first `kept` stay. */
  reserve(capacity: number, kept: number): void {
    const before = this.bytes;
    if (capacity <= before.length) return;
    const larger = new ArrayBuffer((Math.max(capacity, 2 * before.length) + 7) & ~7);
    this.bytes = new Uint8Array(larger);
    this.words = new Int32Array(larger);
    this.bytes.set(before.subarray(0, kept));
    this.address = ptr(this.bytes);
  }
}
