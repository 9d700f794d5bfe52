import type { Decoder } from "../protocol.ts";
import { chatShape } from "./chat-shape.ts";
import {
  atLength,
  checksum,
  checksumBase,
  hexValues,
  hexWord,
  type Keys,
  messageTemplate,
  noHexDigit,
  phaseLength,
  phaseWord,
  seqLength,
  stampLength,
  textLength,
} from "./message-format.ts";

/**
 * Reads the load's messages back and proves them intact, byte for byte, without allocating: after a `read`
 * that returned true, `from`, `seq`, `at`, `lagUs` and `phase` are the message's.
 */
export class MessageReader implements Decoder {
  from = 0;
  seq = 0;
  at = 0;
  lagUs = 0;
  phase: number;
  readonly #room: number;
  readonly #phase: number;
  readonly #phaseWord: number;
  readonly #checksumBase: number;
  readonly messageBytes: number;
  readonly #keys: Keys;
  readonly #suffixLength: number;
  readonly #prefixLength: number;
  readonly #template: DataView;
  /** Over the array read last: nearly always the same, the one that all sockets receive into. */
  #view: DataView = new DataView(new ArrayBuffer(0));
  #viewed: Uint8Array | null = null;
  /** Behind the number just read. */
  #next = 0;

  /** @param phase that nearly all messages are of: any other costs a little more */
  constructor(room: number, phase: number, messageBytes: number, shape = chatShape(room)) {
    this.phase = phase;
    this.#room = room;
    this.#phase = phase;
    this.#phaseWord = phaseWord(phase);
    this.#checksumBase = checksumBase(room, phase);
    this.messageBytes = messageBytes;
    this.#keys = shape.keys;
    this.#suffixLength = shape.suffix.length;
    this.#prefixLength = shape.prefix.length;
    this.#template = messageTemplate(shape, messageBytes);
  }

  get isLate(): boolean {
    return this.phase !== this.#phase;
  }

  /** Whether `bytes[start … end)` is exactly a message that a `MessageWriter` of the same room and size wrote. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.messageBytes) return false;
    if (bytes !== this.#viewed) {
      this.#viewed = bytes;
      this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    }
    const view = this.#view;
    const template = this.#template;
    const keys = this.#keys;
    // Everything fixed behind the last number; no word of it is read past the end.
    const tail = atLength + textLength + stampLength;

    for (let at = 0; at + 4 <= this.#prefixLength; at += 4) {
      if (view.getInt32(start + at, true) !== template.getInt32(at, true)) return false;
    }
    const prefixEnd = this.#prefixLength - 4;
    if (view.getInt32(start + prefixEnd, true) !== template.getInt32(prefixEnd, true)) return false;
    let at = start + this.#prefixLength;

    this.from = this.#readNumber(bytes, at);
    if (this.#next === at || this.#next + seqLength + tail > end) return false;
    at = this.#next;
    if (view.getInt32(at, true) !== keys.seq0) return false;
    if (view.getInt32(at + 4, true) !== keys.seq1) return false;
    at += seqLength;

    this.seq = this.#readNumber(bytes, at);
    if (this.#next === at || this.#next + tail > end) return false;
    at = this.#next;
    if (view.getInt32(at, true) !== keys.at0) return false;
    if (view.getInt16(at + 4, true) !== keys.at1) return false;
    at += atLength;

    this.at = this.#readNumber(bytes, at);
    const padding = this.#next + textLength + stampLength;
    if (this.#next === at || padding + this.#suffixLength > end) return false;
    at = this.#next;
    if (view.getInt32(at, true) !== keys.text0) return false;
    if (view.getInt32(at + 4, true) !== keys.text1) return false;
    let base = this.#checksumBase;
    this.phase = this.#phase;
    if ((view.getInt32(at + 8, true) & 0xffffff) !== this.#phaseWord) {
      this.phase = readPhase(bytes, at + 8);
      if (this.phase < 0) return false;
      base = checksumBase(this.#room, this.phase);
    }
    at += textLength + phaseLength;

    const lagUs = readHex(bytes, at);
    if (lagUs < 0) return false;
    this.lagUs = lagUs;
    const sum = checksum(base, this.from, this.seq, this.at, lagUs);
    if (view.getInt32(at + 8, true) !== hexWord(sum >>> 16)) return false;
    if (view.getInt32(at + 12, true) !== hexWord(sum)) return false;

    at = padding;
    for (; at + 4 <= end; at += 4) {
      if (view.getInt32(at, true) !== template.getInt32(at - start, true)) return false;
    }
    for (; at < end; at += 1) {
      if (view.getInt8(at) !== template.getInt8(at - start)) return false;
    }
    return true;
  }

  #readNumber(bytes: Uint8Array, offset: number): number {
    let at = offset;
    let value = 0;
    for (;;) {
      const digit = (bytes[at] as number) - 48;
      // NaN past the end compares as false too.
      if (!(digit >= 0 && digit <= 9)) break;
      value = value * 10 + digit;
      at += 1;
    }
    this.#next = at;
    return value;
  }
}

/** Behind the quotation mark at `offset`; negative when there is no such thing. */
function readPhase(bytes: Uint8Array, offset: number): number {
  const high = hexValues[bytes[offset + 1] as number] as number;
  const low = hexValues[bytes[offset + 2] as number] as number;
  return bytes[offset] === 34 && ((high | low) & noHexDigit) === 0 ? (high << 4) | low : -1;
}

/** 31 bits from 8 lower-case digits; negative when they are none. */
function readHex(bytes: Uint8Array, offset: number): number {
  let value = 0;
  let seen = 0;
  for (let at = offset; at < offset + 8; at += 1) {
    const digit = hexValues[bytes[at] as number] as number;
    seen |= digit;
    value = (value << 4) | (digit & 15);
  }
  return (seen & noHexDigit) === 0 ? value : -1;
}
