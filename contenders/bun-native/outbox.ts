/**
 * What was given to uWebSockets for one connection and is not yet known to have reached the kernel, oldest first.
 *
 * uWebSockets tells how many bytes it still holds, never how many messages. Frames leave in order, so the frames'
 * sizes turn the one into the other.
 */
export class Outbox {
  /** Frame sizes in bytes; a control frame is negative, as it takes room but is no message. */
  #frames: number[] = [];
  #head = 0;
  #bytes = 0;
  #messages = 0;
  /** Whether bytes were left behind when it was last settled: whatever comes now waits in line. */
  backlogged = false;

  get messages(): number {
    return this.#messages;
  }

  pushMessage(frameBytes: number): void {
    this.#frames.push(frameBytes);
    this.#bytes += frameBytes;
    this.#messages++;
  }

  pushControl(frameBytes: number): void {
    this.#frames.push(-frameBytes);
    this.#bytes += frameBytes;
  }

  /** Forgets the frames that have left entirely, given the bytes still held, and returns how many messages they were. */
  settle(heldBytes: number): number {
    const before = this.#messages;
    this.backlogged = heldBytes > 0;
    if (!this.backlogged) {
      this.#frames.length = 0;
      this.#head = 0;
      this.#bytes = 0;
      this.#messages = 0;
      return before;
    }
    for (;;) {
      const frame = this.#frames[this.#head];
      if (frame === undefined || this.#bytes - Math.abs(frame) < heldBytes) break;
      this.#bytes -= Math.abs(frame);
      if (frame > 0) this.#messages--;
      this.#head++;
    }
    // Cutting the array at every frame would make a long backlog quadratic.
    if (this.#head > 1024 && this.#head * 2 > this.#frames.length) {
      this.#frames.splice(0, this.#head);
      this.#head = 0;
    }
    return before - this.#messages;
  }
}

/** Size in bytes of an unmasked server frame (RFC 6455 §5.2) with a payload of `payloadBytes`. */
export function frameSize(payloadBytes: number): number {
  if (payloadBytes < 126) return payloadBytes + 2;
  return payloadBytes < 65_536 ? payloadBytes + 4 : payloadBytes + 10;
}
