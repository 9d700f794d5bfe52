import { ptr } from "bun:ffi";
import type { DirectionTerms } from "./agreement.ts";
import { type Deflate, deflatedBound, type Inflater, inflateFailure } from "./codec.ts";
import { Scratch } from "./scratch.ts";
import { behindBlock, type Zlib, ZStream, z } from "./zlib-library.ts";

/** What a message is inflated into, and then read at once: one for the process. */
const inflated = new Scratch(64 * 1024);

/** What the sender cut off: the empty block of a sync flush, of which only its header remains (RFC 7692 section 7.2.2). */
const tailBytes = [0x00, 0x00, 0xff, 0xff];
// Used by its object and not by its address alone, or it would be collected.
const tail = new Scratch(tailBytes.length);
tail.bytes.set(tailBytes);

/** Undoes compression with the system's zlib. A message costs no object. */
export class LibraryInflater implements Inflater {
  readonly #zlib: Zlib;
  readonly #stream = new ZStream();
  readonly #takeover: boolean;
  readonly #maxBytes: number;
  #length = 0;
  /** A block said that it was the last. */
  #isAtEnd = false;

  constructor(zlib: Zlib, { takeover, windowBits }: DirectionTerms, maxBytes: number) {
    this.#zlib = zlib;
    this.#takeover = takeover;
    this.#maxBytes = maxBytes;
    const { fields } = this.#stream;
    // Negative: DEFLATE without zlib's header.
    check(zlib.inflateInit2_(fields, -windowBits, zlib.zlibVersion(), ZStream.bytes));
  }

  get bytes(): Uint8Array {
    return inflated.bytes;
  }

  inflate(bytes: Uint8Array, start: number, end: number): number {
    const stream = this.#stream;
    if (!this.#takeover) this.#zlib.inflateReset(stream.fields);
    this.#length = 0;
    this.#isAtEnd = false;
    if (end > start) {
      // The address is that of now: between two calls it may change.
      stream.setInput(ptr(bytes) + start, end - start);
      const failure = this.#run();
      if (failure !== 0) return failure;
      // A last block may end a message, with no more than the rest of its byte behind it (section 7.2.3.4).
      if (this.#isAtEnd) return this.#length;
    }
    stream.setInput(tail.address, tailBytes.length);
    const failure = this.#run();
    if (failure !== 0) return failure;
    // Elsewhere the tail was taken for data: the message was cut.
    return this.#isAtEnd || stream.dataType === behindBlock ? this.#length : inflateFailure.corrupt;
  }

  close(): void {
    this.#zlib.inflateEnd(this.#stream.fields);
  }

  /** Inflates all input behind what there is already; returns 0 or a failure. */
  #run(): number {
    const stream = this.#stream;
    for (;;) {
      const room = Math.min(inflated.bytes.length, this.#maxBytes + 1) - this.#length;
      stream.setOutput(inflated.address + this.#length, room);
      const code = this.#zlib.inflate(stream.fields, z.Z_SYNC_FLUSH);
      this.#length += room - stream.availOut;
      if (this.#length > this.#maxBytes) return inflateFailure.tooLong;
      if (code === z.Z_STREAM_END) {
        this.#zlib.inflateResetKeep(stream.fields);
        this.#isAtEnd = stream.availIn === 0;
        if (this.#isAtEnd) return 0;
      } else if (code !== z.Z_OK && code !== z.Z_BUF_ERROR) {
        if (code === z.Z_MEM_ERROR) check(code);
        return inflateFailure.corrupt;
      } else if (stream.availOut > 0) {
        return 0;
      } else {
        inflated.reserve(2 * inflated.bytes.length, this.#length);
      }
    }
  }
}

/** Compresses with the system's zlib, by its default level and memory, as browsers do. A message costs no object. */
export class LibraryDeflate implements Deflate {
  readonly #zlib: Zlib;
  readonly #stream = new ZStream();
  readonly #takeover: boolean;

  constructor(zlib: Zlib, { takeover, windowBits }: DirectionTerms) {
    this.#zlib = zlib;
    this.#takeover = takeover;
    const { Z_DEFAULT_COMPRESSION, Z_DEFLATED, Z_DEFAULT_STRATEGY, defaultMemLevel } = z;
    check(
      zlib.deflateInit2_(
        this.#stream.fields,
        Z_DEFAULT_COMPRESSION,
        Z_DEFLATED,
        -windowBits,
        defaultMemLevel,
        Z_DEFAULT_STRATEGY,
        zlib.zlibVersion(),
        ZStream.bytes,
      ),
    );
  }

  run(from: Scratch, length: number, to: Scratch, offset: number): number {
    const stream = this.#stream;
    const room = deflatedBound(length);
    to.reserve(offset + room, 0);
    if (!this.#takeover) this.#zlib.deflateReset(stream.fields);
    stream.setInput(from.address, length);
    stream.setOutput(to.address + offset, room);
    check(this.#zlib.deflate(stream.fields, z.Z_SYNC_FLUSH));
    if (stream.availOut === 0) throw new Error(`zlib made more than ${room} bytes of ${length}`);
    return room - stream.availOut;
  }

  close(): void {
    this.#zlib.deflateEnd(this.#stream.fields);
  }
}

/** None of zlib's errors can be a server's doing here. */
function check(code: number): void {
  if (code !== z.Z_OK)
    throw new Error(code === z.Z_MEM_ERROR ? "zlib got no memory" : `zlib failed: ${code}`);
}
