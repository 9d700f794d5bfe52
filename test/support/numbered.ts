/** Bytes that differ at every place of any transfer, so that none can be lost, doubled or moved unseen. */
export function numbered(length: number): Buffer {
  const bytes = Buffer.alloc(length);
  for (let at = 0; at + 4 <= length; at += 4) bytes.writeUInt32LE(Math.imul(at + 1, 0x9e3779b1) >>> 0, at);
  return bytes;
}
