import { type Inflater, inflateFailure } from "./compression/codec.ts";
import { isValidCloseCode, opcode, reservedBit1 } from "./frame.ts";

/** What of RFC 6455 section 5 or RFC 7692 a frame broke, or which of this reader's own bounds. */
export type FrameRule =
  | "reserved-bit"
  | "masked-frame"
  | "control-frame"
  | "length-not-shortest"
  | "message-too-long"
  | "interleaved-message"
  | "reserved-opcode"
  | "stray-continuation"
  | "too-many-fragments"
  | "close-payload"
  | "close-code"
  | "close-reason-not-utf8"
  | "corrupt-deflate-data"
  | "inflated-message-too-long";

/** Gets what a server sent. The bytes are only valid during the call. */
export interface FrameSink {
  /** A whole text or binary message, put together from its fragments and inflated. */
  onMessage(bytes: Uint8Array, start: number, end: number, isText: boolean): void;
  onPing(payload: Uint8Array): void;
  onPong?(payload: Uint8Array): void;
  /** `code` is 1005 when the frame had none. */
  onClose(code: number, reason: string): void;
  /** The server broke RFC 6455; `code` is the one to close with. Nothing more is read. */
  onViolation(code: number, rule: FrameRule): void;
}

/** Empty fragments cost memory too. */
const maxFragments = 65_536;
/** What a cut frame is first kept in; it grows with what arrives, never with what a header claims. */
const firstKeptBytes = 256;

const plainText = 0x80 | opcode.text;
const plainBinary = 0x80 | opcode.binary;
const compressedText = plainText | reservedBit1;
const compressedBinary = plainBinary | reservedBit1;

const strictUtf8 = new TextDecoder("utf-8", { fatal: true });

/**
 * Hands on the whole, unfragmented messages that `bytes[0 … end)` starts with; returns where something else
 * begins, or the end after a violation. Nearly everything a server sends is such messages, and a connection that gets
 * no others needs no reader.
 *
 * @param inflater null where no compression was agreed to
 */
export function readMessages(
  bytes: Uint8Array,
  end: number,
  sink: FrameSink,
  inflater: Inflater | null = null,
): number {
  let at = 0;
  while (at + 4 <= end) {
    const first = bytes[at];
    const isPlain = first === plainText || first === plainBinary;
    if (!isPlain && (inflater === null || (first !== compressedText && first !== compressedBinary))) break;
    let length = bytes[at + 1] as number;
    let start = at + 2;
    if (length === 126) {
      length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
      // Not in its shortest form.
      if (length < 126) break;
      start = at + 4;
    } else if (length > 126) {
      break; // Very long, or masked.
    }
    if (start + length > end) break;
    if (isPlain || inflater === null) {
      sink.onMessage(bytes, start, start + length, first === plainText);
    } else {
      const inflated = inflater.inflate(bytes, start, start + length);
      if (inflated < 0) {
        const { code, rule } = violationOf(inflated);
        sink.onViolation(code, rule);
        return end;
      }
      sink.onMessage(inflater.bytes, 0, inflated, first === compressedText);
    }
    at = start + length;
  }
  return at;
}

/** RFC 7692 names no code; these are what RFC 6455 section 7.4.1 has for such data. */
function violationOf(failure: number): { readonly code: number; readonly rule: FrameRule } {
  return failure === inflateFailure.tooLong
    ? { code: 1009, rule: "inflated-message-too-long" }
    : { code: 1007, rule: "corrupt-deflate-data" };
}

/**
 * Reads server frames (RFC 6455 section 5) from chunks cut anywhere. Frames that lie whole in a chunk are
 * handed on without a copy, which is nearly all of them; only the start of a cut frame is kept, in a buffer
 * that doubles, so that one-byte pieces cost no more than their sum and no server can make it hold more
 * than `maxMessageBytes`, nor more than twice what it really sent.
 */
export class FrameReader {
  readonly #sink: FrameSink;
  readonly #maxMessageBytes: number;
  readonly #inflater: Inflater | null;
  /** The start of a frame whose end has not arrived. */
  #kept: Uint8Array | null = null;
  #keptLength = 0;
  #fragments: Uint8Array[] | null = null;
  #fragmentBytes = 0;
  #fragmentsAreText = false;
  #fragmentsAreCompressed = false;
  #ended = false;

  /**
   * @param maxMessageBytes as a message arrives; what it may be inflated to is up to the inflater
   * @param inflater null where no compression was agreed to
   */
  constructor(sink: FrameSink, maxMessageBytes: number, inflater: Inflater | null = null) {
    this.#sink = sink;
    this.#maxMessageBytes = maxMessageBytes;
    this.#inflater = inflater;
  }

  /** Whether the next byte is the first of a message: then what follows may be left to `readMessages`. */
  get isBetweenMessages(): boolean {
    return this.#kept === null && this.#fragments === null && !this.#ended;
  }

  /** Reads `chunk[start … end)`; of a chunk that is used again nothing is kept. */
  push(chunk: Uint8Array, start = 0, end = chunk.length): void {
    let at = start;
    while (at < end && !this.#ended) {
      if (this.#kept !== null) {
        at = this.#fill(chunk, at, end);
        continue;
      }
      const total = this.#frameLength(chunk, at, end);
      if (total < 0) return;
      if (total === 0 || at + total > end) {
        this.#kept = new Uint8Array(firstKeptBytes);
        this.#keptLength = 0;
        continue;
      }
      this.#readFrame(chunk, at, total);
      at += total;
    }
  }

  /** Moves bytes of the cut frame out of `chunk`; reads the frame when it is whole. Returns the next offset. */
  #fill(chunk: Uint8Array, from: number, end: number): number {
    let at = from;
    while (this.#kept !== null) {
      const total = this.#frameLength(this.#kept, 0, this.#keptLength);
      if (total < 0) return end;
      if (total > 0 && total <= this.#keptLength) {
        const frame = this.#kept;
        this.#kept = null;
        this.#readFrame(frame, 0, total);
        return at;
      }
      if (at === end) return at;
      if (this.#keptLength === this.#kept.length) {
        const larger = new Uint8Array(Math.min(total, 2 * this.#kept.length));
        larger.set(this.#kept);
        this.#kept = larger;
      }
      // While the header is incomplete its length is unknown: take one byte at a time, at most 9 times a frame.
      const wanted = total === 0 ? 1 : total - this.#keptLength;
      const taken = Math.min(wanted, end - at, this.#kept.length - this.#keptLength);
      this.#kept.set(chunk.subarray(at, at + taken), this.#keptLength);
      this.#keptLength += taken;
      at += taken;
    }
    return at;
  }

  /** The whole length of the frame at `at`; 0 when its header is cut; -1 after a violation. */
  #frameLength(bytes: Uint8Array, at: number, end: number): number {
    if (end - at < 2) return 0;
    const first = bytes[at] as number;
    const second = bytes[at + 1] as number;
    if ((first & 0x70) !== 0 && !this.#isCompressed(first)) return this.#violate(1002, "reserved-bit");
    if ((second & 0x80) !== 0) return this.#violate(1002, "masked-frame");
    const short = second & 0x7f;
    const isControl = (first & 0x08) !== 0;
    if (isControl && (short > 125 || (first & 0x80) === 0)) {
      return this.#violate(1002, "control-frame");
    }
    if (short < 126) return this.#bounded(short, 2 + short, isControl);
    if (short === 126) {
      if (end - at < 4) return 0;
      const length = ((bytes[at + 2] as number) << 8) | (bytes[at + 3] as number);
      if (length < 126) return this.#violate(1002, "length-not-shortest");
      return this.#bounded(length, 4 + length, isControl);
    }
    if (end - at < 10) return 0;
    let length = 0;
    for (let byte = at + 2; byte < at + 10; byte += 1) length = length * 256 + (bytes[byte] as number);
    if (length < 65_536) return this.#violate(1002, "length-not-shortest");
    return this.#bounded(length, 10 + length, isControl);
  }

  /** Whether no reserved bit is set but the first, at the beginning of a message, where compression was agreed to. */
  #isCompressed(first: number): boolean {
    const frameOpcode = first & 0x0f;
    const isData = frameOpcode === opcode.text || frameOpcode === opcode.binary;
    return isData && (first & 0x70) === reservedBit1 && this.#inflater !== null;
  }

  #bounded(length: number, total: number, isControl: boolean): number {
    const message = isControl ? length : this.#fragmentBytes + length;
    if (message > this.#maxMessageBytes) {
      return this.#violate(1009, "message-too-long");
    }
    return total;
  }

  #readFrame(bytes: Uint8Array, at: number, total: number): void {
    const first = bytes[at] as number;
    const short = (bytes[at + 1] as number) & 0x7f;
    const start = at + (short < 126 ? 2 : short === 126 ? 4 : 10);
    const end = at + total;
    const isFinal = (first & 0x80) !== 0;
    const frameOpcode = first & 0x0f;
    switch (frameOpcode) {
      case opcode.text:
      case opcode.binary:
        if (this.#fragments !== null) {
          this.#violate(1002, "interleaved-message");
        } else if (isFinal) {
          this.#handOn(bytes, start, end, frameOpcode === opcode.text, (first & reservedBit1) !== 0);
        } else {
          this.#fragments = [bytes.slice(start, end)];
          this.#fragmentBytes = end - start;
          this.#fragmentsAreText = frameOpcode === opcode.text;
          this.#fragmentsAreCompressed = (first & reservedBit1) !== 0;
        }
        break;
      case opcode.continuation:
        this.#readContinuation(bytes.slice(start, end), isFinal);
        break;
      case opcode.close:
        this.#readClose(bytes.subarray(start, end));
        break;
      case opcode.ping:
        this.#sink.onPing(bytes.subarray(start, end));
        break;
      case opcode.pong:
        this.#sink.onPong?.(bytes.subarray(start, end));
        break;
      default:
        this.#violate(1002, "reserved-opcode");
    }
  }

  #readContinuation(payload: Uint8Array, isFinal: boolean): void {
    if (this.#fragments === null) {
      this.#violate(1002, "stray-continuation");
      return;
    }
    this.#fragments.push(payload);
    this.#fragmentBytes += payload.length;
    if (this.#fragments.length > maxFragments) {
      this.#violate(1009, "too-many-fragments");
    } else if (isFinal) {
      const message = Buffer.concat(this.#fragments);
      this.#fragments = null;
      this.#fragmentBytes = 0;
      this.#handOn(message, 0, message.length, this.#fragmentsAreText, this.#fragmentsAreCompressed);
    }
  }

  #handOn(bytes: Uint8Array, start: number, end: number, isText: boolean, isCompressed: boolean): void {
    const inflater = this.#inflater;
    if (!isCompressed || inflater === null) {
      this.#sink.onMessage(bytes, start, end, isText);
      return;
    }
    const inflated = inflater.inflate(bytes, start, end);
    if (inflated >= 0) {
      this.#sink.onMessage(inflater.bytes, 0, inflated, isText);
    } else {
      const { code, rule } = violationOf(inflated);
      this.#violate(code, rule);
    }
  }

  #readClose(payload: Uint8Array): void {
    if (payload.length === 1) {
      this.#violate(1002, "close-payload");
      return;
    }
    const code = payload.length === 0 ? 1005 : ((payload[0] as number) << 8) | (payload[1] as number);
    if (payload.length > 0 && !isValidCloseCode(code)) {
      this.#violate(1002, "close-code");
      return;
    }
    let reason = "";
    try {
      reason = strictUtf8.decode(payload.subarray(2));
    } catch {
      this.#violate(1007, "close-reason-not-utf8");
      return;
    }
    this.#ended = true;
    this.#sink.onClose(code, reason);
  }

  #violate(code: number, rule: FrameRule): -1 {
    if (!this.#ended) {
      this.#ended = true;
      this.#kept = null;
      this.#fragments = null;
      this.#sink.onViolation(code, rule);
    }
    return -1;
  }
}
