/**
 * One whole, unmasked text frame (RFC 6455 §5.2). `ws` has a framer of its own, but as an internal that hands out
 * header and payload apart; together they are one buffer to write instead of two.
 */
export function frameText(payload: Buffer): Buffer {
  const { length } = payload;
  const start = length < 126 ? 2 : length < 65_536 ? 4 : 10;
  const frame = Buffer.allocUnsafe(start + length);
  frame[0] = 0x81;
  if (start === 2) {
    frame[1] = length;
  } else if (start === 4) {
    frame[1] = 126;
    frame.writeUInt16BE(length, 2);
  } else {
    frame[1] = 127;
    frame.writeBigUInt64BE(BigInt(length), 2);
  }
  payload.copy(frame, start);
  return frame;
}
