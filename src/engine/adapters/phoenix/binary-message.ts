import { parseJson } from "../json.ts";

/** The five of a text message: `[join_ref, ref, topic, event, payload]`. */
export type Five = readonly unknown[];

/** Phoenix's kinds of a binary message (Phoenix.Socket.V2.JSONSerializer), then Supabase's. */
const kinds = { push: 0, reply: 1, broadcast: 2, userBroadcastPush: 3, userBroadcast: 4 } as const;
/** Of the payload of Supabase's kinds: bytes are 0. */
const jsonEncoding = 1;

/**
 * A binary message as the five that a text would have: the kind, lengths of a byte each, texts, then the payload.
 * Null where it is none. The payload of Phoenix's own kinds is bytes, valid as long as `bytes` are.
 */
export function readBinaryMessage(bytes: Uint8Array): Five | null {
  switch (bytes[0]) {
    case kinds.push: {
      const parts = readParts(bytes, 3, 0);
      return parts && [parts.texts[0], null, parts.texts[1], parts.texts[2], parts.rest];
    }
    case kinds.reply: {
      const parts = readParts(bytes, 4, 0);
      if (parts === null) return null;
      const [joinRef, ref, topic, status] = parts.texts;
      return [joinRef, ref, topic, "phx_reply", { status, response: parts.rest }];
    }
    case kinds.broadcast: {
      const parts = readParts(bytes, 2, 0);
      return parts && [null, null, parts.texts[0], parts.texts[1], parts.rest];
    }
    case kinds.userBroadcast: {
      const parts = readParts(bytes, 3, 1);
      if (parts === null) return null;
      const [topic, event] = parts.texts;
      const payload = bytes[4] === jsonEncoding ? parseJson(textOf(parts.rest)) : parts.rest;
      return [null, null, topic, "broadcast", { type: "broadcast", event, payload }];
    }
    default:
      return null;
  }
}

/** @param more bytes between the lengths and the texts */
function readParts(bytes: Uint8Array, count: number, more: number) {
  let at = 1 + count + more;
  const texts: string[] = [];
  for (let field = 1; field <= count; field += 1) {
    const end = at + (bytes[field] ?? bytes.length);
    if (end > bytes.length) return null;
    texts.push(textOf(bytes.subarray(at, end)));
    at = end;
  }
  return { texts, rest: bytes.subarray(at) };
}

function textOf(bytes: Uint8Array): string {
  return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.length).toString();
}

/** A broadcast as Supabase's own client pushes it; each of the four texts has 255 bytes at most. */
export function writeUserBroadcast(
  joinRef: string,
  ref: string,
  topic: string,
  event: string,
  payload: string,
): Uint8Array {
  const texts = [joinRef, ref, topic, event].map((text) => Buffer.from(text));
  const lengths = [...texts.map(({ length }) => length), 0, jsonEncoding];
  return Buffer.concat([Buffer.from([kinds.userBroadcastPush, ...lengths]), ...texts, Buffer.from(payload)]);
}
