import { randomBytes } from "node:crypto";
import { closePayload, opcode as opcodes } from "../websocket/frame.ts";

export { closePayload, opcodes };

/** The largest payload taken from a server, in bytes: far past the contract's 65,536, small enough to hold. */
const MAX_PAYLOAD_BYTES = 16 * 1024 * 1024;

/** One frame as it stood on the wire, RFC 6455 5.2. */
export interface Frame {
  readonly fin: boolean;
  /** RSV1-3 as one number, RSV1 being 4. */
  readonly rsv: number;
  readonly opcode: number;
  readonly masked: boolean;
  /** Width of the length field that was used, in bits. */
  readonly lengthBits: 7 | 16 | 64;
  /** Unmasked, whether or not it travelled masked. */
  readonly payload: Buffer;
}

/** What to put on the wire, right or wrong: nothing is checked here, since being wrong is the point. */
interface FrameParts {
  readonly opcode: number;
  readonly payload?: string | Uint8Array;
  /** Default true. */
  readonly fin?: boolean;
  readonly rsv?: number;
  /** Default a random key; `false` sends the frame unmasked. */
  readonly mask?: Uint8Array | false;
  /** The length that is announced, in bytes, where it is not the payload's. Always sent as 64 bits. */
  readonly claimedBytes?: bigint;
}

export function encodeFrame(parts: FrameParts): Buffer {
  const payload = Buffer.from(parts.payload ?? "");
  const mask = parts.mask === false ? undefined : (parts.mask ?? randomBytes(4));
  const first = ((parts.fin ?? true) ? 0x80 : 0) | ((parts.rsv ?? 0) << 4) | parts.opcode;
  const head = Buffer.concat([
    Buffer.from([first]),
    encodeLength(payload.length, mask !== undefined, parts.claimedBytes),
    mask ?? Buffer.alloc(0),
  ]);
  return Buffer.concat([head, mask === undefined ? payload : applyMask(payload, mask)]);
}

function encodeLength(bytes: number, masked: boolean, claimedBytes: bigint | undefined): Buffer {
  const flag = masked ? 0x80 : 0;
  if (claimedBytes !== undefined || bytes > 0xffff) {
    const field = Buffer.alloc(9, flag | 127);
    field.writeBigUInt64BE(claimedBytes ?? BigInt(bytes), 1);
    return field;
  }
  if (bytes < 126) return Buffer.from([flag | bytes]);
  const field = Buffer.alloc(3, flag | 126);
  field.writeUInt16BE(bytes, 1);
  return field;
}

function applyMask(payload: Uint8Array, mask: Uint8Array): Buffer {
  const masked = Buffer.from(payload);
  for (let i = 0; i < masked.length; i++) masked[i] = (masked[i] ?? 0) ^ (mask[i % 4] ?? 0);
  return masked;
}

/** Takes bytes as they arrive and gives whole frames. Tolerates what is wrong, so that a check can name it. */
export class FrameReader {
  #pending = Buffer.alloc(0);

  push(bytes: Uint8Array): void {
    this.#pending = Buffer.concat([this.#pending, bytes]);
  }

  /** The next whole frame, or undefined until more bytes came. Throws RangeError for an absurd length. */
  next(): Frame | undefined {
    const bytes = this.#pending;
    if (bytes.length < 2) return undefined;
    const first = bytes.readUInt8(0);
    const second = bytes.readUInt8(1);
    const short = second & 0x7f;
    const lengthBits = short === 127 ? 64 : short === 126 ? 16 : 7;
    const masked = (second & 0x80) !== 0;
    const maskAt = 2 + (lengthBits === 7 ? 0 : lengthBits / 8);
    const payloadAt = maskAt + (masked ? 4 : 0);
    if (bytes.length < payloadAt) return undefined;
    const length =
      lengthBits === 7 ? short : lengthBits === 16 ? bytes.readUInt16BE(2) : Number(bytes.readBigUInt64BE(2));
    if (length > MAX_PAYLOAD_BYTES) throw new RangeError(`a frame that announces ${length} bytes of payload`);
    if (bytes.length < payloadAt + length) return undefined;
    const raw = bytes.subarray(payloadAt, payloadAt + length);
    this.#pending = bytes.subarray(payloadAt + length);
    return {
      fin: (first & 0x80) !== 0,
      rsv: (first >> 4) & 7,
      opcode: first & 0x0f,
      masked,
      lengthBits,
      payload: masked ? applyMask(raw, bytes.subarray(maskAt, payloadAt)) : Buffer.from(raw),
    };
  }
}

// Shorthands for the frames that most checks are made of.
export const textFrame = (payload: string | Uint8Array, more: Partial<FrameParts> = {}): Buffer =>
  encodeFrame({ opcode: opcodes.text, payload, ...more });
export const continuationFrame = (payload: string | Uint8Array, more: Partial<FrameParts> = {}): Buffer =>
  encodeFrame({ opcode: opcodes.continuation, payload, ...more });
export const binaryFrame = (payload: string | Uint8Array): Buffer =>
  encodeFrame({ opcode: opcodes.binary, payload });
export const pingFrame = (payload: string | Uint8Array = "", more: Partial<FrameParts> = {}): Buffer =>
  encodeFrame({ opcode: opcodes.ping, payload, ...more });
export const pongFrame = (payload: string | Uint8Array = "", more: Partial<FrameParts> = {}): Buffer =>
  encodeFrame({ opcode: opcodes.pong, payload, ...more });
export const closeFrame = (code?: number, reason?: string | Uint8Array): Buffer =>
  encodeFrame({ opcode: opcodes.close, payload: code === undefined ? "" : closePayload(code, reason) });

export const textFrames = (messages: readonly string[]): Buffer =>
  Buffer.concat(messages.map((message) => textFrame(message)));

/** One text message cut into the given fragments, RFC 6455 5.4. */
export function fragments(pieces: readonly (string | Uint8Array)[], opcode: number = opcodes.text): Buffer[] {
  return pieces.map((payload, i) => {
    const fin = i === pieces.length - 1;
    return encodeFrame({ opcode: i === 0 ? opcode : opcodes.continuation, payload, fin });
  });
}

/** `bytes` cut at every `size`. */
export function cut(bytes: Uint8Array, size: number): Uint8Array[] {
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += size) pieces.push(bytes.subarray(at, at + size));
  return pieces;
}
