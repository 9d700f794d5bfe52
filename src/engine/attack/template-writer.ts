import type { TemplatePart } from "../../plan/attack/template.ts";
import { clientHeaderLength, opcode, writeClientHeader } from "../../websocket/frame.ts";
import { mix } from "./byte-hash.ts";

/** Digits of 2^53. */
const mostDigits = 16;
/** `@`, four numbers, three dots, `@`. */
const stampBytes = 4 * mostDigits + 5;
/** The payload begins here, so that a header of any length fits before it. */
const payloadStart = 14;
const digitZero = 48;
const alphabet = new TextEncoder().encode("abcdefghijklmnopqrstuvwxyz012345");

interface TemplateWriterOptions {
  readonly parts: readonly TemplatePart[];
  readonly encoding: "utf8" | "latin1";
  readonly frameOpcode: number;
  readonly columns: readonly string[];
  /** By place. */
  readonly rows: readonly (readonly string[])[];
  /** Of masks and random text. */
  readonly seed: number;
}

/**
 * Writes messages of a template as masked client frames, each over the last one: nothing is allocated per message. The
 * frame is `bytes[start … end)` until the next `write`, and always at the beginning of `bytes`: a part of an array
 * would have to be made a view of to be sent.
 */
export class TemplateWriter {
  bytes: Uint8Array;
  readonly start = 0;
  end = 0;
  /** Of the payload written last: `ByteHash` makes the same of the same bytes. */
  hash = 0;
  payloadLength = 0;
  readonly #opcode: number;
  readonly #kinds: readonly TemplatePart["kind"][];
  /** Text parts: their bytes; else empty. */
  readonly #texts: readonly Uint8Array[];
  /** Random parts: their length. */
  readonly #lengths: readonly number[];
  /** Column parts: values by place. */
  readonly #columns: readonly (readonly Uint8Array[])[];
  /** Where each text stands since the last message; those that have not moved need not be written again. */
  readonly #offsets: Int32Array;
  readonly #plain: Uint8Array;
  readonly #plainView: DataView;
  readonly #frameView: DataView;
  /** The same buffer from where a frame begins: of short messages, of those from 126 bytes on, and from 64 KiB on. */
  readonly #frames: readonly [Uint8Array, Uint8Array, Uint8Array];
  #random: number;

  constructor({ parts, encoding, frameOpcode, columns, rows, seed }: TemplateWriterOptions) {
    this.#opcode = frameOpcode;
    this.#kinds = parts.map(({ kind }) => kind);
    this.#texts = parts.map((part) => Buffer.from(part.kind === "text" ? part.text : "", encoding));
    this.#lengths = parts.map((part) => (part.kind === "random" ? part.length : 0));
    this.#columns = parts.map((part) =>
      part.kind === "column"
        ? rows.map((row) => Buffer.from(row[columns.indexOf(part.name)] ?? "", encoding))
        : [],
    );
    this.#offsets = new Int32Array(parts.length).fill(-1);
    const capacity = parts.reduce((all, _, at) => all + this.#mostBytes(at), 0);
    this.#plain = new Uint8Array(new ArrayBuffer(capacity + 8));
    this.#plainView = new DataView(this.#plain.buffer);
    const buffer = new ArrayBuffer(payloadStart + capacity + 8);
    const from = (length: number) => new Uint8Array(buffer, payloadStart - clientHeaderLength(length));
    this.#frames = [from(0), from(126), from(1 << 16)];
    this.bytes = this.#frames[0];
    this.#frameView = new DataView(buffer, payloadStart);
    this.#random = seed | 1;
  }

  /**
   * @param place of the connection among its worker's own, for its row
   * @param index of the connection
   * @param seq of the message on its connection
   */
  write(place: number, index: number, seq: number, dueUs: number, lagUs: number): void {
    const length = this.#fill(place, index, seq, dueUs, lagUs);
    const mask = this.#next();
    const plain = this.#plainView;
    const frame = this.#frameView;
    // The last word's rest counts as zeros.
    plain.setInt32(length, 0, true);
    let hash = length;
    for (let at = 0; at < length; at += 4) {
      const word = plain.getInt32(at, true);
      hash = mix(hash, word);
      frame.setInt32(at, word ^ mask, true);
    }
    this.hash = hash;
    this.payloadLength = length;
    this.bytes = this.#frames[length < 126 ? 0 : length < 1 << 16 ? 1 : 2];
    this.end = clientHeaderLength(length) + length;
    writeClientHeader(this.bytes, 0, this.#opcode, length, mask);
  }

  /** The payload alone, as text. */
  writeText(place: number, index: number, seq: number, dueUs: number, lagUs: number): string {
    const length = this.#fill(place, index, seq, dueUs, lagUs);
    this.payloadLength = length;
    return Buffer.from(this.#plain.buffer, 0, length).toString();
  }

  /** Returns its length. */
  #fill(place: number, index: number, seq: number, dueUs: number, lagUs: number): number {
    const plain = this.#plain;
    let at = 0;
    for (let part = 0; part < this.#kinds.length; part += 1) {
      switch (this.#kinds[part]) {
        case "text": {
          const text = this.#texts[part] as Uint8Array;
          if (this.#offsets[part] !== at) {
            plain.set(text, at);
            this.#offsets[part] = at;
          }
          at += text.length;
          break;
        }
        case "connection":
          at = this.#digits(at, index);
          break;
        case "sequence":
          at = this.#digits(at, seq);
          break;
        case "id":
          at = this.#digits(at, index);
          plain[at++] = 45;
          at = this.#digits(at, seq);
          break;
        case "time":
          at = this.#digits(at, Date.now());
          break;
        case "stamp":
          plain[at++] = 64;
          at = this.#digits(at, index);
          plain[at++] = 46;
          at = this.#digits(at, seq);
          plain[at++] = 46;
          at = this.#digits(at, dueUs);
          plain[at++] = 46;
          at = this.#digits(at, lagUs);
          plain[at++] = 64;
          break;
        case "random":
          at = this.#letters(at, this.#lengths[part] as number);
          break;
        case "column": {
          const value = this.#columns[part]?.[place] as Uint8Array;
          plain.set(value, at);
          at += value.length;
          break;
        }
      }
    }
    return at;
  }

  #digits(at: number, value: number): number {
    let digits = 1;
    for (let power = 10; power <= value; power *= 10) digits += 1;
    let rest = value;
    for (let to = at + digits - 1; to >= at; to -= 1) {
      const quotient = Math.floor(rest / 10);
      this.#plain[to] = digitZero + (rest - quotient * 10);
      rest = quotient;
    }
    return at + digits;
  }

  /** Six from each random word. */
  #letters(at: number, length: number): number {
    const end = at + length;
    for (let to = at; to < end; ) {
      let word = this.#next();
      for (let left = 6; left > 0 && to < end; left -= 1) {
        this.#plain[to++] = alphabet[word & 31] as number;
        word >>>= 5;
      }
    }
    return end;
  }

  /** Never 0 (xorshift32, Marsaglia 2003): a mask of 0 would send the text in the clear. */
  #next(): number {
    let state = this.#random;
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    this.#random = state;
    return state;
  }

  #mostBytes(part: number): number {
    switch (this.#kinds[part]) {
      case "text":
        return (this.#texts[part] as Uint8Array).length;
      case "random":
        return this.#lengths[part] as number;
      case "column":
        return Math.max(0, ...(this.#columns[part] ?? []).map(({ length }) => length));
      case "stamp":
        return stampBytes;
      case "id":
        return 2 * mostDigits + 1;
      default:
        return mostDigits;
    }
  }
}

export function messageOpcode(binary: boolean): number {
  return binary ? opcode.binary : opcode.text;
}
