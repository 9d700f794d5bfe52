import { constants, deflateRawSync, inflateRawSync } from "node:zlib";
import type { DirectionTerms } from "./agreement.ts";
import { type Deflate, type Inflater, inflateFailure } from "./codec.ts";
import type { Scratch } from "./scratch.ts";

const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);

/**
 * The end of what one side has sent, which its next message may refer to: given as a dictionary it makes one-off
 * calls what a lasting stream would be.
 */
class History {
  readonly #takeover: boolean;
  readonly #windowBytes: number;
  #last = Buffer.alloc(0);

  constructor({ takeover, windowBits }: DirectionTerms) {
    this.#takeover = takeover;
    this.#windowBytes = 1 << windowBits;
  }

  /** For node:zlib; empty where there is nothing to refer to. */
  get options(): { dictionary?: Buffer } {
    return this.#last.length === 0 ? {} : { dictionary: this.#last };
  }

  append(message: Uint8Array): void {
    if (this.#takeover) this.#last = Buffer.concat([this.#last, message]).subarray(-this.#windowBytes);
  }
}

/** Undoes compression where the system has no zlib of its own. Makes a stream for each message. */
export class NodeInflater implements Inflater {
  bytes = new Uint8Array(0);
  readonly #history: History;
  readonly #windowBits: number;
  readonly #maxBytes: number;

  constructor(terms: DirectionTerms, maxBytes: number) {
    this.#history = new History(terms);
    this.#windowBits = terms.windowBits;
    this.#maxBytes = maxBytes;
  }

  inflate(bytes: Uint8Array, start: number, end: number): number {
    try {
      this.bytes = inflateRawSync(Buffer.concat([bytes.subarray(start, end), tail]), {
        finishFlush: constants.Z_SYNC_FLUSH,
        maxOutputLength: this.#maxBytes,
        windowBits: this.#windowBits,
        ...this.#history.options,
      });
    } catch (error) {
      const isTooLong = error instanceof Error && "code" in error && error.code === "ERR_BUFFER_TOO_LARGE";
      return isTooLong ? inflateFailure.tooLong : inflateFailure.corrupt;
    }
    this.#history.append(this.bytes);
    return this.bytes.length;
  }

  close(): void {}
}

/** Compresses where the system has no zlib of its own. Makes a stream for each message. */
export class NodeDeflate implements Deflate {
  readonly #history: History;
  readonly #windowBits: number;

  constructor(terms: DirectionTerms) {
    this.#history = new History(terms);
    this.#windowBits = terms.windowBits;
  }

  run(from: Scratch, length: number, to: Scratch, offset: number): number {
    const message = from.bytes.subarray(0, length);
    const deflated = deflateRawSync(message, {
      finishFlush: constants.Z_SYNC_FLUSH,
      windowBits: this.#windowBits,
      ...this.#history.options,
    });
    this.#history.append(message);
    to.reserve(offset + deflated.length, 0);
    to.bytes.set(deflated, offset);
    return deflated.length;
  }

  close(): void {}
}
