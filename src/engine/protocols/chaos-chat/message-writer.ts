import { clientHeaderLength, opcode, writeClientHeader } from "../../../websocket/frame.ts";
import type { Encoder } from "../protocol.ts";
import { chatShape } from "./chat-shape.ts";
import {
  atLength,
  checksum,
  checksumBase,
  digitPairs,
  hexWord,
  type Keys,
  messageTemplate,
  phaseLength,
  phaseWord,
  seqLength,
  stampLength,
  textLength,
} from "./message-format.ts";

/**
 * Writes the load's messages as masked client frames into one buffer that is used again for every message:
 * nothing is allocated per message. The frame is `bytes[start … end)` until the next call.
 *
 * Every word is masked on its way into the frame, see `Keys` for why. The last bytes of a word may be too
 * many: what comes next overwrites them.
 */
export class MessageWriter implements Encoder {
  readonly bytes: Uint8Array;
  readonly start = 0;
  readonly end: number;
  readonly #template: DataView;
  /** Of `bytes`, from the mask on and from the payload on. */
  readonly #maskView: DataView;
  readonly #payload: DataView;
  readonly #keys: Keys;
  readonly #prefixLength: number;
  readonly #messageBytes: number;
  readonly #phaseWord: number;
  readonly #checksumBase: number;
  #maskState: number;

  /** @param seed of the masks; workers get different ones. */
  constructor(room: number, phase: number, messageBytes: number, seed: number, shape = chatShape(room)) {
    this.#phaseWord = phaseWord(phase);
    this.#checksumBase = checksumBase(room, phase);
    this.#messageBytes = messageBytes;
    this.#keys = shape.keys;
    this.#prefixLength = shape.prefix.length;
    this.#template = messageTemplate(shape, messageBytes);
    const header = clientHeaderLength(messageBytes);
    this.end = header + messageBytes;
    const frame = new ArrayBuffer(header + this.#template.byteLength);
    this.bytes = new Uint8Array(frame);
    this.#maskView = new DataView(frame, header - 4);
    this.#payload = new DataView(frame, header);
    // All but the mask is the same in every frame.
    writeClientHeader(this.bytes, 0, opcode.text, messageBytes, 0);
    this.#maskState = seed | 1;
  }

  write(from: number, seq: number, at: number, lagUs: number): void {
    const payload = this.#payload;
    const template = this.#template;
    const keys = this.#keys;
    const mask = this.#nextMask();
    this.#maskView.setInt32(0, mask, true);
    let end = this.#prefixLength;
    for (let i = 0; i < end; i += 4) payload.setInt32(i, template.getInt32(i, true) ^ mask, true);
    end = putDigits(payload, end, from, mask);
    let turned = turn(mask, end);
    payload.setInt32(end, keys.seq0 ^ turned, true);
    payload.setInt32(end + 4, keys.seq1 ^ turned, true);
    end = putDigits(payload, end + seqLength, seq, mask);
    turned = turn(mask, end);
    payload.setInt32(end, keys.at0 ^ turned, true);
    payload.setInt32(end + 4, keys.at1 ^ turned, true);
    end = putDigits(payload, end + atLength, at, mask);
    turned = turn(mask, end);
    payload.setInt32(end, keys.text0 ^ turned, true);
    payload.setInt32(end + 4, keys.text1 ^ turned, true);
    payload.setInt32(end + 8, this.#phaseWord ^ turned, true);
    end += textLength + phaseLength;
    const sum = checksum(this.#checksumBase, from, seq, at, lagUs);
    turned = turn(mask, end);
    payload.setInt32(end, hexWord(lagUs >>> 16) ^ turned, true);
    payload.setInt32(end + 4, hexWord(lagUs) ^ turned, true);
    payload.setInt32(end + 8, hexWord(sum >>> 16) ^ turned, true);
    payload.setInt32(end + 12, hexWord(sum) ^ turned, true);
    end += stampLength - phaseLength;
    payload.setInt32(end, template.getInt32(end, true) ^ turned, true);
    for (let i = (end + 3) & ~3; i < this.#messageBytes; i += 4) {
      payload.setInt32(i, template.getInt32(i, true) ^ mask, true);
    }
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

/** The mask as it is at an offset of the payload: it begins anew at each multiple of 4, so elsewhere it is turned. */
function turn(mask: number, offset: number): number {
  const shift = (offset & 3) << 3;
  return (mask >>> shift) | (mask << (32 - shift));
}

function putWord(payload: DataView, offset: number, word: number, mask: number): void {
  payload.setInt32(offset, word ^ turn(mask, offset), true);
}

/** Whole numbers up to 2^53; returns the offset behind them. */
function putDigits(payload: DataView, offset: number, value: number, mask: number): number {
  if (value < 100_000_000) return putSmall(payload, offset, value | 0, mask);
  // In two halves of integer arithmetic, since a time does not fit into 32 bits.
  const high = Math.floor(value / 100_000_000);
  const low = (value - high * 100_000_000) | 0;
  const thousands = (low / 10_000) | 0;
  const end = putSmall(payload, offset, high | 0, mask);
  putWord(payload, end, fourDigits(thousands), mask);
  putWord(payload, end + 4, fourDigits(low - thousands * 10_000), mask);
  return end + 8;
}

function putSmall(payload: DataView, offset: number, value: number, mask: number): number {
  if (value < 10_000) return putFirst(payload, offset, value, mask);
  const thousands = (value / 10_000) | 0;
  const end = putFirst(payload, offset, thousands, mask);
  putWord(payload, end, fourDigits(value - thousands * 10_000), mask);
  return end + 4;
}

/** Up to four digits without leading zeros. */
function putFirst(payload: DataView, offset: number, value: number, mask: number): number {
  const digits = value < 10 ? 1 : value < 100 ? 2 : value < 1000 ? 3 : 4;
  putWord(payload, offset, fourDigits(value) >>> (8 * (4 - digits)), mask);
  return offset + digits;
}

function fourDigits(value: number): number {
  const hundreds = (value / 100) | 0;
  return (digitPairs[hundreds] as number) | ((digitPairs[value - hundreds * 100] as number) << 16);
}
