/** Frames of STOMP 1.2 (https://stomp.github.io/stomp-specification-1.2.html, "STOMP Frames"). */
export interface Frame {
  readonly command: string;
  /** Unescaped; of a repeated name the first counts. */
  readonly headers: ReadonlyMap<string, string>;
  /** Only valid during the call. */
  readonly body: Uint8Array;
}

export interface FrameSink {
  onFrame(frame: Frame): void;
  onMalformed(what: string): void;
}

const lineFeed = 10;
const carriageReturn = 13;
const nul = 0;
/** More than any message of a load. */
const mostFrameBytes = 8 << 20;
const mostHeadBytes = 64 << 10;

const headEnds = ["\n\n", "\n\r\n"].map((text) => Buffer.from(text));

/** Finds frames in what arrives: most clients and servers say one in a message, but nothing asks for that. */
export class FrameReader {
  readonly #sink: FrameSink;
  #rest: Uint8Array | null = null;
  #isBroken = false;

  constructor(sink: FrameSink) {
    this.#sink = sink;
  }

  /** After something malformed nothing more is read: nobody knows where the next frame begins. */
  push(message: Uint8Array): void {
    if (this.#isBroken) return;
    const bytes = Buffer.from(this.#rest === null ? message : Buffer.concat([this.#rest, message]));
    this.#rest = null;
    let at = 0;
    for (;;) {
      // Line ends between frames are heart-beats, or follow a frame.
      while (bytes[at] === lineFeed || bytes[at] === carriageReturn) at += 1;
      if (at >= bytes.length || this.#isBroken) return;
      const end = this.#readOne(bytes, at);
      if (end === null) break;
      at = end;
    }
    if (!this.#isBroken) this.#rest = bytes.subarray(at);
  }

  /** Returns where the frame that begins there ends; null where it isn't whole, or broken. */
  #readOne(bytes: Buffer, at: number): number | null {
    const headEnd = findHeadEnd(bytes, at);
    if (headEnd === null) {
      return bytes.length - at > mostHeadBytes ? this.#break(`a head of over ${mostHeadBytes} bytes`) : null;
    }
    const [command = "", ...lines] = bytes
      .toString("utf8", at, headEnd.start)
      .replace(/\r$/, "")
      .split(/\r?\n/);
    const headers = readHeaders(lines, command !== "CONNECTED");
    if (headers === null) return this.#break("a header that is no NAME:VALUE, or badly escaped");
    const start = headEnd.end;
    const length = headers.get("content-length");
    let end: number;
    if (length === undefined) {
      end = bytes.indexOf(nul, start);
      if (end < 0) {
        return bytes.length - start > mostFrameBytes
          ? this.#break(`a frame of over ${mostFrameBytes} bytes`)
          : null;
      }
    } else {
      if (!/^\d{1,9}$/.test(length) || Number(length) > mostFrameBytes) {
        return this.#break(`content-length:${length}`);
      }
      end = start + Number(length);
      if (end >= bytes.length) return null;
      if (bytes[end] !== nul) return this.#break("a body that is longer than its content-length");
    }
    this.#sink.onFrame({ command, headers, body: bytes.subarray(start, end) });
    return end + 1;
  }

  #break(what: string): null {
    this.#isBroken = true;
    this.#sink.onMalformed(what);
    return null;
  }
}

function findHeadEnd(bytes: Buffer, at: number): { start: number; end: number } | null {
  const ends = headEnds
    .map((text) => ({ start: bytes.indexOf(text, at), length: text.length }))
    .filter(({ start }) => start >= 0)
    .sort((a, b) => a.start - b.start);
  const first = ends[0];
  return first === undefined ? null : { start: first.start, end: first.start + first.length };
}

/** @param isEscaped CONNECT and CONNECTED are not, as in version 1.0 */
function readHeaders(lines: readonly string[], isEscaped: boolean): Map<string, string> | null {
  const headers = new Map<string, string>();
  for (const line of lines) {
    const colon = line.indexOf(":");
    if (colon < 1) return null;
    const name = isEscaped ? unescapeText(line.slice(0, colon)) : line.slice(0, colon);
    const value = isEscaped ? unescapeText(line.slice(colon + 1)) : line.slice(colon + 1);
    if (name === null || value === null) return null;
    if (!headers.has(name)) headers.set(name, value);
  }
  return headers;
}

const escapes: Readonly<Record<string, string>> = { "\\": "\\\\", "\r": "\\r", "\n": "\\n", ":": "\\c" };
const meanings: Readonly<Record<string, string>> = { "\\\\": "\\", "\\r": "\r", "\\n": "\n", "\\c": ":" };

export function escapeText(text: string): string {
  return text.replaceAll(/[\\\r\n:]/g, (character) => escapes[character] as string);
}

/** Null where there is an escape that is none ("Value Encoding": a fatal error). */
function unescapeText(text: string): string | null {
  let isWrong = false;
  const plain = text.replaceAll(/\\.?/gs, (escaped) => {
    const meaning = meanings[escaped];
    if (meaning === undefined) isWrong = true;
    return meaning ?? "";
  });
  return isWrong ? null : plain;
}

/** @param isEscaped see `readHeaders`; the others' values then must have no line end */
export function writeFrame(
  command: string,
  headers: readonly (readonly [name: string, value: string])[],
  body = "",
  isEscaped = true,
): string {
  const lines = headers.map(([name, value]) =>
    isEscaped ? `${escapeText(name)}:${escapeText(value)}\n` : `${name}:${value}\n`,
  );
  return `${command}\n${lines.join("")}\n${body}\0`;
}
