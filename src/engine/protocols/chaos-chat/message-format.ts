/**
 * The load's messages are the contract's `echo` and `say` (contenders/CONTRACT.md), all of one size. Their
 * `text` is the driver's own, and carries what the audit needs:
 *
 *   text = phase (2 hex digits) + lag (8) + checksum (8) + padding
 *
 * `phase` is the number of the phase that the message was sent in: sequence numbers begin anew with each, and an
 * arrival tells by itself whether it is late. `lag` is how late the message was sent, in microseconds after `at`: with
 * it a receiver in any process can tell the latency from the actual send time too, and nothing has to be kept per
 * message. The checksum is over room, phase, from, seq, at and lag, so that no flipped digit passes for another
 * message. The padding depends on the position, so that no shifted byte passes either.
 */
export const stampLength = 18;
/** The phase's digits stand in one word with the end of `textKey`. */
export const phaseLength = 2;

const encoder = new TextEncoder();

/** What all messages of a room have in common: what stands before the sender's number, between the numbers, and at the end. */
export interface MessageShape {
  readonly prefix: string;
  readonly keys: Keys;
  readonly suffix: string;
}

const quote = 34;
const hexDigits = encoder.encode("0123456789abcdef");

/**
 * Messages are written and compared four bytes at a time, as little-endian 32-bit words at any offset. Bytes
 * that are written one by one and soon read as words make the processor wait until they have left its store
 * buffer: a quarter of what writing a message took (bench/message.ts).
 */
export interface Keys {
  readonly seq0: number;
  readonly seq1: number;
  readonly at0: number;
  /** Its upper half is 0. */
  readonly at1: number;
  readonly text0: number;
  readonly text1: number;
}

/** All keys have these lengths; the text's ends in a quotation mark, which `phaseWord` holds. */
export const seqLength = 8;
export const atLength = 6;
export const textLength = 9;

/** @param seq with the end of the string before it, such as `","seq":` */
export function encodeKeys(seq: string, at: string, text: string): Keys {
  const [[seq0 = 0, seq1 = 0], [at0 = 0, at1 = 0], [text0 = 0, text1 = 0]] = [
    encodeWords(seq),
    encodeWords(at),
    encodeWords(text),
  ];
  return { seq0, seq1, at0, at1, text0, text1 };
}

/** What follows the last whole word is filled with zeros. */
function encodeWords(text: string): Int32Array {
  const words = new Int32Array(Math.ceil(text.length / 4));
  encoder.encodeInto(text, new Uint8Array(words.buffer));
  return words;
}

/** Two decimal digits in the low half of a word, the first one lowest, by value. */
export const digitPairs = Int32Array.from({ length: 100 }, (_, value) => {
  return (48 + Math.floor(value / 10)) | ((48 + (value % 10)) << 8);
});

const hexPairs = Int32Array.from({ length: 256 }, (_, value) => {
  return (hexDigits[value >>> 4] as number) | ((hexDigits[value & 15] as number) << 8);
});

/** The word of the last byte of the text's key and the phase's two digits; its highest byte is 0. */
export function phaseWord(phase: number): number {
  return quote | ((hexPairs[phase & 255] as number) << 8);
}

/** The word of the four hex digits of 16 bits. */
export function hexWord(value: number): number {
  return (hexPairs[(value >>> 8) & 255] as number) | ((hexPairs[value & 255] as number) << 16);
}

/** A hex digit's value by its byte; `noHexDigit` for every other byte. */
export const noHexDigit = 16;
export const hexValues = new Uint8Array(256).fill(noHexDigit);
for (const [value, byte] of hexDigits.entries()) hexValues[byte] = value;

/** What all messages of a shape and size have in common, in its place: prefix, padding and end. At least a word longer than a message. */
export function messageTemplate({ prefix, suffix }: MessageShape, messageBytes: number): DataView {
  const template = new Uint8Array(new ArrayBuffer(messageBytes + 8));
  // From the prefix on, so that another prefix changes no byte of what follows.
  for (let at = prefix.length; at < messageBytes; at += 1) template[at] = paddingByte(at - prefix.length);
  encoder.encodeInto(prefix, template);
  encoder.encodeInto(suffix, template.subarray(messageBytes - suffix.length));
  return new DataView(template.buffer);
}

/** A sender's messages in one phase, and a run of 115 days in microseconds. */
const mostSeq = 2 ** 31 - 1;
const mostAtUs = 10 ** 13 - 1;

/** The size in bytes that holds any sender, sequence number and time that a run can have. */
export function smallestBytes({ prefix, suffix }: MessageShape, connections: number): number {
  const digits = (value: number) => String(value).length;
  const numbers = digits(connections) + digits(mostSeq) + digits(mostAtUs);
  const fixed = seqLength + atLength + textLength + stampLength;
  return prefix.length + numbers + fixed + suffix.length;
}

/** Printable ASCII without `"` and `\`, other at each position than at its neighbours. */
function paddingByte(position: number): number {
  return 97 + ((position * 7) % 26);
}

/** What the checksums of all messages of a room and phase begin with; another one for each of them. */
export function checksumBase(room: number, phase: number): number {
  return Math.imul(room ^ (phase << 24) ^ 0x9e3779b9, 0x85ebca6b);
}

/** 32 bits, signed, over what identifies a message; a change in one digit of any part changes it (multiply-xorshift after Murmur3's finalizer). */
export function checksum(base: number, from: number, seq: number, at: number, lag: number): number {
  let hash = base ^ from;
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ seq;
  hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b) ^ (at >>> 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35) ^ lag ^ Math.floor(at / 4_294_967_296);
  hash = Math.imul(hash ^ (hash >>> 13), 0x9e3779b1);
  return hash ^ (hash >>> 16);
}
