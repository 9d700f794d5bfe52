import type { DirectionTerms } from "./agreement.ts";
import type { Deflate, Inflater } from "./codec.ts";
import { LibraryDeflate, LibraryInflater } from "./library-codec.ts";
import { NodeDeflate, NodeInflater } from "./node-codec.ts";
import { zlib } from "./zlib-library.ts";

/** @param maxBytes the longest message */
export function createInflater(terms: DirectionTerms, maxBytes: number): Inflater {
  return zlib === null ? new NodeInflater(terms, maxBytes) : new LibraryInflater(zlib, terms, maxBytes);
}

export function createDeflate(terms: DirectionTerms): Deflate {
  return zlib === null ? new NodeDeflate(terms) : new LibraryDeflate(zlib, terms);
}
