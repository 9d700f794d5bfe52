/** Opcodes of RFC 6455 section 5.2. */
export const opcode = { continuation: 0, text: 1, binary: 2, close: 8, ping: 9, pong: 10 } as const;

/** RSV1 of RFC 6455 section 5.2: of a message's first frame, that the message is compressed (RFC 7692 section 6). */
export const reservedBit1 = 0x40;

/** Bytes of a client frame's header, mask included, for a payload of `length` bytes (RFC 6455 section 5.2). */
export function clientHeaderLength(length: number): number {
  return length < 126 ? 6 : length < 65_536 ? 8 : 14;
}

/** Writes a final client frame's header with its mask at `offset`; returns the offset behind it. */
export function writeClientHeader(
  bytes: Uint8Array,
  offset: number,
  frameOpcode: number,
  length: number,
  mask: number,
): number {
  let at = offset;
  bytes[at++] = 0x80 | frameOpcode;
  if (length < 126) {
    bytes[at++] = 0x80 | length;
  } else if (length < 65_536) {
    bytes[at++] = 0x80 | 126;
    bytes[at++] = length >>> 8;
    bytes[at++] = length & 255;
  } else {
    bytes[at++] = 0x80 | 127;
    bytes.fill(0, at, at + 4);
    at += 4;
    bytes[at++] = length >>> 24;
    bytes[at++] = (length >>> 16) & 255;
    bytes[at++] = (length >>> 8) & 255;
    bytes[at++] = length & 255;
  }
  // Little-endian, so that the mask's bytes are those of a 32-bit word in memory (see writeMasked).
  bytes[at++] = mask & 255;
  bytes[at++] = (mask >>> 8) & 255;
  bytes[at++] = (mask >>> 16) & 255;
  bytes[at++] = mask >>> 24;
  return at;
}

/** A whole client frame around a small payload: control frames and joins, not the hot path. */
export function encodeClientFrame(frameOpcode: number, payload: Uint8Array, mask: number): Uint8Array {
  const frame = new Uint8Array(clientHeaderLength(payload.length) + payload.length);
  const start = writeClientHeader(frame, 0, frameOpcode, payload.length, mask);
  for (let at = 0; at < payload.length; at += 1) {
    frame[start + at] = (payload[at] as number) ^ ((mask >>> ((at & 3) * 8)) & 255);
  }
  return frame;
}

/** The payload of a close frame (RFC 6455 section 5.5.1); nothing is checked, for those who test what is wrong. */
export function closePayload(code: number, reason: string | Uint8Array = ""): Uint8Array {
  const text = typeof reason === "string" ? new TextEncoder().encode(reason) : reason;
  const payload = new Uint8Array(2 + text.length);
  payload[0] = code >>> 8;
  payload[1] = code & 255;
  payload.set(text, 2);
  return payload;
}

/** Whether an endpoint may put `code` into a close frame (RFC 6455 section 7.4, and IANA's registry up to 1014). */
export function isValidCloseCode(code: number): boolean {
  return (
    (code >= 1000 && code <= 1014 && code !== 1004 && code !== 1005 && code !== 1006) ||
    (code >= 3000 && code <= 4999)
  );
}
