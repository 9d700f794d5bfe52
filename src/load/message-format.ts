/**
 * The load's messages are the contract's `echo` and `say` (contenders/CONTRACT.md), all of one size. Their
 * `text` is the driver's own, and carries what the audit needs:
 *
 *   text = lag (8 hex digits) + checksum (8 hex digits) + padding
 *
 * `lag` is how late the message was sent, in microseconds after `at`: with it a receiver in any process can
 * tell the latency from the actual send time too, and nothing has to be kept per message. The checksum is
 * over room, from, seq, at and lag, so that no flipped digit passes for another message. The padding depends
 * on the position, so that no shifted byte passes either.
 */
export const stampLength = 16;

/** Room of every echo, which has none on the wire. */
export const echoRoom = -1;

const encoder = new TextEncoder();

/** What stands before the sender's number. `room` is the room's number. */
export function messagePrefix(room: number): Uint8Array {
  return encoder.encode(
    room === echoRoom ? '{"type":"echo","from":"c' : `{"type":"say","room":"${roomName(room)}","from":"c`,
  );
}
/** By value. */
export const hexDigits = encoder.encode("0123456789abcdef");
export const seqKey = encoder.encode('","seq":');
export const atKey = encoder.encode(',"at":');
export const textKey = encoder.encode(',"text":"');

/** Rooms are numbers here and names on the wire: 0 is the lobby. */
export function roomName(room: number): string {
  return room === 0 ? "lobby" : `r${room}`;
}

/** The smallest message size in bytes that holds any sender, sequence number and time that a run can have. */
export function smallestMessageBytes(connections: number, rooms: number): number {
  const digits = (value: number) => String(value).length;
  const prefix = Math.max(messagePrefix(0).length, messagePrefix(rooms).length);
  const numbers = digits(connections) + digits(9_999_999) + digits(9_999_999_999);
  return prefix + numbers + seqKey.length + atKey.length + textKey.length + stampLength + 2;
}

/** Printable ASCII without `"` and `\`, other at each position than at its neighbours. */
export function paddingByte(position: number): number {
  return 97 + ((position * 7) % 26);
}

/** 32 bits, signed, over what identifies a message; a change in one digit of any part changes it (multiply-xorshift after Murmur3's finalizer). */
export function checksum(room: number, from: number, seq: number, at: number, lag: number): number {
  let hash = Math.imul(room ^ 0x9e3779b9, 0x85ebca6b) ^ from;
  hash = Math.imul(hash ^ (hash >>> 15), 0xc2b2ae35) ^ seq;
  hash = Math.imul(hash ^ (hash >>> 13), 0x85ebca6b) ^ (at >>> 0);
  hash = Math.imul(hash ^ (hash >>> 16), 0xc2b2ae35) ^ lag ^ Math.floor(at / 4_294_967_296);
  hash = Math.imul(hash ^ (hash >>> 13), 0x9e3779b1);
  return hash ^ (hash >>> 16);
}
