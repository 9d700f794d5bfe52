import { clientHeaderLength, reservedBit1, writeClientHeader } from "../frame.ts";
import { type Deflate, deflatedBound } from "./codec.ts";
import { Scratch } from "./scratch.ts";

/** For all frames of the process: each is sent, or copied, before the next is made. */
const plain = new Scratch(64 * 1024);
const compressed = new Scratch(64 * 1024);
/** Before the payload: room for the longest header, and a multiple of a word, by which is masked. */
const headRoom = 16;
const tailLength = 4;

/**
 * Makes compressed client frames of plain ones (RFC 7692 section 7.2.1), so that whoever writes frames need not know.
 * Every message is compressed, however short, as browsers do: a size from which on it pays would be this program's.
 */
export class FrameDeflater {
  readonly #deflate: Deflate;
  /** The frame is `bytes[start … end)` until the next one of any deflater. */
  start = 0;
  end = 0;
  /** Of the message in it, before compression. */
  payloadBytes = 0;

  constructor(deflate: Deflate) {
    this.#deflate = deflate;
  }

  get bytes(): Uint8Array {
    return compressed.bytes;
  }

  /** What a frame of `length` bytes can become at most. */
  mostBytes(length: number): number {
    return deflatedBound(length) + headRoom;
  }

  /** @param frame a whole text or binary message in `frame[start … end)`, with its header and masked */
  write(frame: Uint8Array, start: number, end: number): void {
    const short = (frame[start + 1] as number) & 0x7f;
    const payload = start + (short < 126 ? 6 : short === 126 ? 8 : 14);
    const length = end - payload;
    const mask = unmask(frame, payload, length);
    let deflatedLength = 1;
    if (length === 0) {
      // Deflating nothing makes nothing; this is an empty block, without its tail (section 7.2.3.6).
      compressed.bytes[headRoom] = 0;
    } else {
      deflatedLength = this.#deflate.run(plain, length, compressed, headRoom) - tailLength;
    }
    maskWords(deflatedLength, mask);
    this.payloadBytes = length;
    this.start = headRoom - clientHeaderLength(deflatedLength);
    this.end = headRoom + deflatedLength;
    const frameOpcode = (frame[start] as number) & 0x0f;
    writeClientHeader(compressed.bytes, this.start, reservedBit1 | frameOpcode, deflatedLength, mask);
  }

  close(): void {
    this.#deflate.close();
  }
}

/** The plain payload, into `plain`; returns the mask, its bytes as those of a 32-bit word in memory. */
function unmask(frame: Uint8Array, payload: number, length: number): number {
  plain.reserve(length, 0);
  const to = plain.bytes;
  const first = frame[payload - 4] as number;
  const second = frame[payload - 3] as number;
  const third = frame[payload - 2] as number;
  const fourth = frame[payload - 1] as number;
  let at = 0;
  for (const whole = length & ~3; at < whole; at += 4) {
    const from = payload + at;
    to[at] = (frame[from] as number) ^ first;
    to[at + 1] = (frame[from + 1] as number) ^ second;
    to[at + 2] = (frame[from + 2] as number) ^ third;
    to[at + 3] = (frame[from + 3] as number) ^ fourth;
  }
  if (at < length) to[at] = (frame[payload + at] as number) ^ first;
  if (at + 1 < length) to[at + 1] = (frame[payload + at + 1] as number) ^ second;
  if (at + 2 < length) to[at + 2] = (frame[payload + at + 2] as number) ^ third;
  return first | (second << 8) | (third << 16) | (fourth << 24);
}

/** What is behind the end up to a whole word is nobody's. */
function maskWords(length: number, mask: number): void {
  const { words } = compressed;
  const end = (headRoom + length + 3) >>> 2;
  for (let at = headRoom >>> 2; at < end; at += 1) words[at] = (words[at] as number) ^ mask;
}
