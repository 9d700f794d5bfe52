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

/**
 * Reads the load's messages back and proves them intact, byte for byte, without allocating: after a `read`
 * that returned true, `from`, `seq`, `at` and `lagUs` are the message's.
 */
export class MessageReader {
  from = 0;
  seq = 0;
  at = 0;
  lagUs = 0;
  readonly #room: number;
  readonly #messageBytes: number;
  readonly #prefix: Uint8Array;
  readonly #padding: Uint8Array;
  /** Behind the number just read; -1 where there was none. */
  #next = 0;

  constructor(room: number, messageBytes: number) {
    this.#room = room;
    this.#messageBytes = messageBytes;
    this.#prefix = messagePrefix(room);
    this.#padding = new Uint8Array(messageBytes).map((_, at) => paddingByte(at));
  }

  /** Whether `bytes[start … end)` is exactly a message that a `MessageWriter` of the same room and size wrote. */
  read(bytes: Uint8Array, start: number, end: number): boolean {
    if (end - start !== this.#messageBytes) return false;
    if (!matches(bytes, start, this.#prefix)) return false;
    this.from = this.#readNumber(bytes, start + this.#prefix.length);
    if (this.#next < 0 || !matches(bytes, this.#next, seqKey)) return false;
    this.seq = this.#readNumber(bytes, this.#next + seqKey.length);
    if (this.#next < 0 || !matches(bytes, this.#next, atKey)) return false;
    this.at = this.#readNumber(bytes, this.#next + atKey.length);
    if (this.#next < 0 || !matches(bytes, this.#next, textKey)) return false;
    const stamp = this.#next + textKey.length;
    const padding = stamp + stampLength;
    if (padding > end - 2) return false;
    this.lagUs = this.#readHex(bytes, stamp);
    const sum = this.#readHex(bytes, stamp + 8);
    if (this.#next < 0 || sum !== checksum(this.#room, this.from, this.seq, this.at, this.lagUs))
      return false;
    const expected = this.#padding;
    for (let at = padding; at < end - 2; at += 1) {
      if (bytes[at] !== expected[at - start]) return false;
    }
    return bytes[end - 2] === 34 && bytes[end - 1] === 125;
  }

  /** 32 bits, signed, from 8 lower-case digits. */
  #readHex(bytes: Uint8Array, offset: number): number {
    let value = 0;
    let seen = 0;
    for (let at = offset; at < offset + 8; at += 1) {
      const digit = hexValues[bytes[at] as number] as number;
      seen |= digit;
      value = (value << 4) | (digit & 15);
    }
    if ((seen & noDigit) !== 0) this.#next = -1;
    return value;
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
    this.#next = at === offset ? -1 : at;
    return value;
  }
}

/** A digit's value by its byte; `noDigit` for every other byte. */
const noDigit = 16;
const hexValues = new Uint8Array(256).fill(noDigit);
for (const [value, byte] of hexDigits.entries()) hexValues[byte] = value;

function matches(bytes: Uint8Array, offset: number, expected: Uint8Array): boolean {
  for (let at = 0; at < expected.length; at += 1) {
    if (bytes[offset + at] !== expected[at]) return false;
  }
  return true;
}
