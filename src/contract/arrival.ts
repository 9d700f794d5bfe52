import { type Frame, FrameReader, opcodes } from "./frame.ts";
import { isResponse, type ResponseHead } from "./http.ts";

/** What a client can see a server do, one at a time and in order. */
export type Arrival =
  | {
      readonly kind: "message";
      readonly binary: boolean;
      readonly bytes: Buffer;
      /** How many contract messages shared the WebSocket message, by newlines. */
      readonly together: number;
    }
  | { readonly kind: "ping" | "pong"; readonly payload: Buffer }
  | { readonly kind: "close"; readonly code: number | undefined; readonly reason: Buffer }
  /** The server broke RFC 6455 so that what follows has no meaning. */
  | { readonly kind: "malformed"; readonly what: string }
  | { readonly kind: "end"; readonly how: "eof" | "reset" | "aborted" }
  | { readonly kind: "silence"; readonly waitedMs: number };

/** What came in words, for the `came` of a failed check. */
export function describe(arrival: Arrival | ResponseHead): string {
  if (isResponse(arrival))
    return arrival.status === null ? "an answer that is no HTTP/1.1" : `status ${arrival.status}`;
  switch (arrival.kind) {
    case "message":
      return `a ${arrival.binary ? "binary" : "text"} message of ${arrival.bytes.length} bytes: ${excerpt(arrival.bytes)}`;
    case "ping":
    case "pong":
      return `a ${arrival.kind} with ${arrival.payload.length} bytes of payload`;
    case "close":
      return arrival.code === undefined
        ? "a close frame without a code"
        : `a close frame with code ${arrival.code}${arrival.reason.length > 0 ? ` (${excerpt(arrival.reason)})` : ""}`;
    case "malformed":
      return arrival.what;
    case "end":
      return {
        eof: "the end of the TCP connection, without a close frame",
        reset: "a TCP reset, without a close frame",
        aborted: "the end of the check before an answer",
      }[arrival.how];
    case "silence":
      return `nothing within ${arrival.waitedMs} ms`;
  }
}

/** Bytes in printable form, the middle left out where they are many. */
export function excerpt(bytes: string | Uint8Array): string {
  const shown = Buffer.from(bytes);
  const printed = shown.length <= 120 ? shown : Buffer.concat([shown.subarray(0, 80), shown.subarray(-30)]);
  const quoted = JSON.stringify(printed.toString("utf8")).slice(1, -1).replaceAll('\\"', '"');
  return shown.length <= 120 ? quoted : `${quoted.slice(0, 80)} … ${quoted.slice(-30)}`;
}

/** Turns a server's bytes into frames and these into arrivals, RFC 6455 5.4. */
export class ArrivalReader {
  /** Every frame so far, as it stood on the wire. */
  readonly frames: Frame[] = [];
  readonly #reader = new FrameReader();
  #parts: Frame[] = [];

  /** What these bytes complete. */
  push(bytes: Uint8Array): Arrival[] {
    this.#reader.push(bytes);
    const arrivals: Arrival[] = [];
    try {
      for (let frame = this.#reader.next(); frame !== undefined; frame = this.#reader.next()) {
        this.frames.push(frame);
        arrivals.push(...this.#take(frame));
      }
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      arrivals.push(malformed(error.message));
    }
    return arrivals;
  }

  #take(frame: Frame): Arrival[] {
    if (frame.opcode >= 8) return [takeControl(frame)];
    const starts = frame.opcode !== opcodes.continuation;
    if (starts && this.#parts.length > 0)
      return [malformed("a new message in the middle of a fragmented one")];
    if (!starts && this.#parts.length === 0)
      return [malformed("a continuation frame that continues nothing")];
    if (frame.opcode > opcodes.binary) return [malformed(reservedOpcode(frame))];
    this.#parts.push(frame);
    if (!frame.fin) return [];
    const binary = this.#parts[0]?.opcode === opcodes.binary;
    const bytes = Buffer.concat(this.#parts.map((part) => part.payload));
    this.#parts = [];
    const lines = binary ? [bytes] : splitLines(bytes);
    return lines.map((line) => ({ kind: "message", binary, bytes: line, together: lines.length }));
  }
}

const malformed = (what: string): Arrival => ({ kind: "malformed", what });
const reservedOpcode = ({ opcode }: Frame): string => `a frame with the reserved opcode ${opcode}`;

function takeControl(frame: Frame): Arrival {
  const { fin, opcode, payload } = frame;
  if (!fin || payload.length > 125)
    return malformed(`a ${fin ? "" : "fragmented "}control frame with ${payload.length} bytes of payload`);
  if (opcode === opcodes.ping) return { kind: "ping", payload };
  if (opcode === opcodes.pong) return { kind: "pong", payload };
  if (opcode !== opcodes.close) return malformed(reservedOpcode(frame));
  if (payload.length === 1) return malformed("a close frame with one byte of payload");
  const code = payload.length === 0 ? undefined : payload.readUInt16BE(0);
  return { kind: "close", code, reason: payload.subarray(2) };
}

function splitLines(bytes: Buffer): Buffer[] {
  const lines: Buffer[] = [];
  let from = 0;
  for (let at = bytes.indexOf(10); at !== -1; at = bytes.indexOf(10, from)) {
    lines.push(bytes.subarray(from, at));
    from = at + 1;
  }
  return [...lines, bytes.subarray(from)];
}
