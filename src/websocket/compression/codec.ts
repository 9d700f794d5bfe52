import type { Scratch } from "./scratch.ts";

/** Undoes the compression of one side's messages (RFC 7692 section 7.2.2). */
export interface Inflater {
  /** The message inflated last is its beginning, until the next one. */
  readonly bytes: Uint8Array;
  /** @returns its length, or what is wrong with it; then nothing more can be inflated where there is takeover */
  inflate(bytes: Uint8Array, start: number, end: number): number;
  /** Gives its memory back. */
  close(): void;
}

/** What `inflate` returns in place of a length. */
export const inflateFailure = {
  /** No DEFLATE data, or not a whole message of it. */
  corrupt: -1,
  /** It would be longer than any message may be. */
  tooLong: -2,
} as const;

/** Compresses one side's messages. */
export interface Deflate {
  /**
   * Deflates the first `length` bytes of `from`, at least one, to where `to` has `offset` bytes before it.
   *
   * @returns how many bytes that made, the last four of which are 00 00 ff ff (section 7.2.1)
   */
  run(from: Scratch, length: number, to: Scratch, offset: number): number;
  /** Gives its memory back. */
  close(): void;
}

/** The most that `length` bytes deflate to, flush included (deflateBound of zlib's deflate.c, for any window and memory level). */
export function deflatedBound(length: number): number {
  return length + ((length + 7) >>> 3) + ((length + 63) >>> 6) + 64;
}
