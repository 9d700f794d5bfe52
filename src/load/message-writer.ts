import { clientHeaderLength, maskLength, opcode, writeClientHeader } from "../websocket/frame.ts";
import {
  atKey,
  checksum,
  hexDigits,
  messagePrefix,
  paddingByte,
  seqKey,
  stampLength,
  textKey,
} from "./message-format.ts";

/** The payload starts at a multiple of 4, behind the longest header, so that it can be masked by words. */
const payloadOffset = 16;

/**
 * Writes the load's messages as masked client frames into one buffer that is used again for every message:
 * nothing is allocated per message. The frame is `bytes[start … end)` until the next call.
 */
export class MessageWriter {
  readonly bytes: Uint8Array;
  readonly start: number;
  readonly end: number;
  readonly #plain: Uint8Array;
  // Signed: an element of a Uint32Array may not fit an integer register, and is then a floating-point number.
  readonly #plainWords: Int32Array;
  /** The mask and behind it the masked payload. */
  readonly #maskedWords: Int32Array;
  readonly #prefixLength: number;
  readonly #room: number;
  /** Where the variable head of the message before ended: behind it the padding is untouched. */
  #headEnd = 0;
  #maskState: number;

  /** @param seed of the masks; workers get different ones. */
  constructor(room: number, messageBytes: number, seed: number) {
    this.#room = room;
    const words = Math.ceil(messageBytes / 4);
    this.#plainWords = new Int32Array(words);
    this.#plain = new Uint8Array(this.#plainWords.buffer);
    for (let at = 0; at < messageBytes; at += 1) this.#plain[at] = paddingByte(at);
    this.#plain[messageBytes - 2] = 34; // "
    this.#plain[messageBytes - 1] = 125; // }
    const prefix = messagePrefix(room);
    this.#prefixLength = prefix.length;
    this.#plain.set(prefix);

    this.bytes = new Uint8Array(payloadOffset + words * 4);
    this.#maskedWords = new Int32Array(this.bytes.buffer, payloadOffset - maskLength);
    this.start = payloadOffset - clientHeaderLength(messageBytes);
    this.end = payloadOffset + messageBytes;
    // All but the mask is the same in every frame.
    writeClientHeader(this.bytes, this.start, opcode.text, messageBytes, 0);
    this.#maskState = seed | 1;
  }

  write(from: number, seq: number, at: number, lagUs: number): void {
    const plain = this.#plain;
    let end = writeDigits(plain, this.#prefixLength, from);
    for (let i = 0; i < seqKey.length; i += 1) plain[end++] = seqKey[i] as number;
    end = writeDigits(plain, end, seq);
    for (let i = 0; i < atKey.length; i += 1) plain[end++] = atKey[i] as number;
    end = writeDigits(plain, end, at);
    for (let i = 0; i < textKey.length; i += 1) plain[end++] = textKey[i] as number;
    writeHex(plain, end, lagUs);
    writeHex(plain, end + 8, checksum(this.#room, from, seq, at, lagUs));
    end += stampLength;
    for (let i = end; i < this.#headEnd; i += 1) plain[i] = paddingByte(i);
    this.#headEnd = end;

    const mask = this.#nextMask();
    const words = this.#plainWords;
    const masked = this.#maskedWords;
    masked[0] = mask;
    // Word by word: a quarter of the work of masking by bytes (bench/message.ts).
    for (let i = 0; i < words.length; i += 1) masked[i + 1] = (words[i] as number) ^ mask;
  }

  /** Never 0, which would send the text in the clear: RFC 6455 section 5.3 wants it unpredictable to the application, which a benchmark has no need of beyond that it differs each time. */
  #nextMask(): number {
    let state = this.#maskState;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#maskState = state;
    return state;
  }
}

/** Whole numbers up to 2^53. In two halves of integer arithmetic, since a time does not fit into 32 bits. */
function writeDigits(bytes: Uint8Array, offset: number, value: number): number {
  if (value < 1_000_000) return writeSmall(bytes, offset, value | 0);
  const millions = Math.floor(value / 1_000_000);
  const middle = writeDigits(bytes, offset, millions);
  let rest = (value - millions * 1_000_000) | 0;
  for (let at = middle + 5; at >= middle; at -= 1) {
    const tens = (rest / 10) | 0;
    bytes[at] = 48 + (rest - tens * 10);
    rest = tens;
  }
  return middle + 6;
}

function writeSmall(bytes: Uint8Array, offset: number, value: number): number {
  const digits =
    value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : value < 10_000 ? 4 : value < 100_000 ? 5 : 6;
  let rest = value;
  for (let at = offset + digits - 1; at >= offset; at -= 1) {
    const tens = (rest / 10) | 0;
    bytes[at] = 48 + (rest - tens * 10);
    rest = tens;
  }
  return offset + digits;
}

function writeHex(bytes: Uint8Array, offset: number, value: number): void {
  let rest = value;
  for (let at = offset + 7; at >= offset; at -= 1) {
    bytes[at] = hexDigits[rest & 15] as number;
    rest >>>= 4;
  }
}
