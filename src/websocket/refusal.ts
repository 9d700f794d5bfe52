import { parseHead } from "./handshake.ts";

/** Of a body, what tells why; the rest would only fill the memory. */
export const mostBodyBytes = 2048;

/** An upgrade that was answered with another status than 101, as far as it has come. */
export interface Refusal {
  readonly status: number;
  /** Where it should be asked instead; null where nothing is said of that. */
  readonly location: string | null;
  /** As it came, in UTF-8; at most `mostBodyBytes`. */
  readonly body: string;
  /** Nothing of it that is kept is still to come, but for one that ends with its connection. */
  readonly isWhole: boolean;
}

/** @param bytes the answer so far, its head whole and with a status */
export function readRefusal(bytes: Uint8Array): Refusal {
  const all = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  const end = all.indexOf("\r\n\r\n");
  const { status, headers } = parseHead(all.toString("latin1", 0, end));
  const sent = all.subarray(end + 4);
  const isChunked = /\bchunked\b/i.test(headers.get("transfer-encoding") ?? "");
  const { body, isEnded } = isChunked
    ? readChunks(sent)
    : { body: sent, isEnded: isComplete(sent, headers.get("content-length"), status) };
  return {
    status: status ?? 0,
    location: headers.get("location") ?? null,
    body: body.toString("utf8", 0, mostBodyBytes),
    isWhole: isEnded || body.length >= mostBodyBytes,
  };
}

/** RFC 9112, section 6.3. */
function isComplete(sent: Buffer, length: string | undefined, status: number | null): boolean {
  if (status === 204 || status === 304) return true;
  return length !== undefined && sent.length >= Number(length);
}

/** RFC 9112, section 7.1, as far as it has come. */
function readChunks(sent: Buffer): { readonly body: Buffer; readonly isEnded: boolean } {
  const chunks: Buffer[] = [];
  let isEnded = false;
  for (let at = 0; at < sent.length; ) {
    const lineEnd = sent.indexOf("\r\n", at);
    if (lineEnd < 0) break;
    const size = Number.parseInt(sent.toString("latin1", at, lineEnd), 16);
    if (!(size > 0)) {
      isEnded = true;
      break;
    }
    chunks.push(sent.subarray(lineEnd + 2, lineEnd + 2 + size));
    at = lineEnd + 2 + size + 2;
  }
  return { body: Buffer.concat(chunks), isEnded };
}
