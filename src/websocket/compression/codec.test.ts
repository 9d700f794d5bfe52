import { describe, expect, test } from "bun:test";
import { constants, createDeflateRaw, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import type { DirectionTerms } from "./agreement.ts";
import { type Deflate, type Inflater, inflateFailure } from "./codec.ts";
import { LibraryDeflate, LibraryInflater } from "./library-codec.ts";
import { NodeDeflate, NodeInflater } from "./node-codec.ts";
import { Scratch } from "./scratch.ts";
import { zlib } from "./zlib-library.ts";

interface Implementation {
  readonly name: string;
  inflater(terms: DirectionTerms, maxBytes?: number): Inflater;
  deflate(terms: DirectionTerms): Deflate;
}

const maxBytes = 1 << 20;
const implementations: Implementation[] = [
  {
    name: "node:zlib",
    inflater: (terms, most = maxBytes) => new NodeInflater(terms, most),
    deflate: (terms) => new NodeDeflate(terms),
  },
];
if (zlib !== null) {
  const library = zlib;
  implementations.push({
    name: "the system's zlib",
    inflater: (terms, most = maxBytes) => new LibraryInflater(library, terms, most),
    deflate: (terms) => new LibraryDeflate(library, terms),
  });
}

test.skipIf(process.platform !== "linux")("the system has a zlib", () => {
  expect(zlib).not.toBeNull();
});

const takeover = { takeover: true, windowBits: 15 };
const noTakeover = { takeover: false, windowBits: 15 };

const bytesOf = (hex: string) => Buffer.from(hex.replaceAll(" ", ""), "hex");

/** The message, or the failure's number. The bytes lie in the middle of others, as in a receive buffer. */
function inflate(inflater: Inflater, payload: Uint8Array): Buffer | number {
  const received = Buffer.concat([Buffer.alloc(5, 0xff), payload, Buffer.alloc(5, 0xff)]);
  const length = inflater.inflate(received, 5, 5 + payload.length);
  return length < 0 ? length : Buffer.from(inflater.bytes.slice(0, length));
}

const text = (inflater: Inflater, hex: string) => inflate(inflater, bytesOf(hex)).toString();

/** As it goes into a frame: without the tail. */
function deflate(codec: Deflate, message: Uint8Array): Buffer {
  const [from, to] = [new Scratch(message.length), new Scratch(32)];
  from.bytes.set(message);
  const length = codec.run(from, message.length, to, 16);
  const deflated = Buffer.from(to.bytes.slice(16, 16 + length));
  expect(deflated.subarray(-4)).toEqual(bytesOf("00 00 ff ff"));
  return deflated.subarray(0, -4);
}

/** Sizes and contents of all kinds: short and long, that deflate well and that do not. */
const message = fc
  .tuple(
    fc.oneof(fc.integer({ min: 1, max: 300 }), fc.integer({ min: 1, max: 200_000 })),
    fc.integer(),
    fc.constantFrom(0, 7, 255),
  )
  .map(([length, seed, spread]) => {
    let state = seed | 1;
    return Uint8Array.from({ length }, () => {
      state ^= state << 13;
      state ^= state >>> 17;
      state ^= state << 5;
      return state & spread;
    });
  });

describe.each(implementations)("$name", ({ inflater, deflate: createDeflate }) => {
  test("RFC 7692 section 7.2.3.1: one block", () => {
    expect(deflate(createDeflate(noTakeover), Buffer.from("Hello"))).toEqual(bytesOf("f2 48 cd c9 c9 07 00"));
    expect(text(inflater(noTakeover), "f2 48 cd c9 c9 07 00")).toBe("Hello");
  });

  test("RFC 7692 section 7.2.3.2: the second message refers to the first, where that was agreed to", () => {
    const out = createDeflate(takeover);
    deflate(out, Buffer.from("Hello"));
    expect(deflate(out, Buffer.from("Hello"))).toEqual(bytesOf("f2 00 11 00 00"));
    const into = inflater(takeover);
    text(into, "f2 48 cd c9 c9 07 00");
    expect(text(into, "f2 00 11 00 00")).toBe("Hello");

    const apart = createDeflate(noTakeover);
    deflate(apart, Buffer.from("Hello"));
    expect(deflate(apart, Buffer.from("Hello"))).toEqual(bytesOf("f2 48 cd c9 c9 07 00"));
    const forgets = inflater(noTakeover);
    text(forgets, "f2 48 cd c9 c9 07 00");
    expect(inflate(forgets, bytesOf("f2 00 11 00 00"))).toBe(inflateFailure.corrupt);
    expect(text(forgets, "f2 48 cd c9 c9 07 00")).toBe("Hello");
  });

  test.each([
    ["7.2.3.3: a block without compression", "00 05 00 fa ff 48 65 6c 6c 6f 00"],
    ["7.2.3.4: a last block", "f3 48 cd c9 c9 07 00 00"],
    ["7.2.3.4, without the byte that is to follow: as deflateRawSync makes it", "f3 48 cd c9 c9 07 00"],
    ["7.2.3.5: two blocks", "f2 48 05 00 00 00 ff ff ca c9 c9 07 00"],
  ])("RFC 7692 section %s", (_, hex) => {
    for (const terms of [noTakeover, takeover]) {
      const one = inflater(terms);
      expect(text(one, hex)).toBe("Hello");
      expect(text(one, hex)).toBe("Hello");
    }
  });

  test("the smallest window that a server may have is one to inflate with", () => {
    const one = inflater({ takeover: true, windowBits: 8 });
    expect(text(one, "f2 48 cd c9 c9 07 00")).toBe("Hello");
    expect(text(one, "f2 00 11 00 00")).toBe("Hello");
  });

  test("behind a last block the window stays", () => {
    const one = inflater(takeover);
    expect(text(one, "f3 48 cd c9 c9 07 00 00")).toBe("Hello");
    expect(text(one, "f2 00 11 00 00")).toBe("Hello");
  });

  test("RFC 7692 section 7.2.3.6: an empty message is one empty block", () => {
    const one = inflater(takeover);
    expect(text(one, "00")).toBe("");
    expect(text(one, "f2 48 cd c9 c9 07 00")).toBe("Hello");
    expect(text(one, "02 00")).toBe("");
    expect(text(one, "f2 00 11 00 00")).toBe("Hello");
  });

  test.each([
    ["a block type that does not exist", "06"],
    ["a length that its complement denies", "00 05 00 fa fe 48 65 6c 6c 6f 00"],
    ["a distance to before the beginning", "f2 00 11 00 00"],
    ["no compression at all", Buffer.from("Hello").toString("hex")],
  ])("%s is corrupt", (_, hex) => {
    expect(inflate(inflater(noTakeover), bytesOf(hex))).toBe(inflateFailure.corrupt);
  });

  test("messages come out as they went in, with and without takeover, for every window", () => {
    const terms = fc.record({ takeover: fc.boolean(), windowBits: fc.integer({ min: 9, max: 15 }) });
    fc.assert(
      fc.property(terms, fc.array(message, { maxLength: 6 }), (agreed, messages) => {
        const [out, into] = [createDeflate(agreed), inflater(agreed)];
        for (const one of messages) {
          expect(Buffer.compare(inflate(into, deflate(out, one)) as Buffer, one)).toBe(0);
        }
        out.close();
        into.close();
      }),
      { numRuns: 60 },
    );
  });

  test("what the other side deflated at any level is inflated", async () => {
    for (const level of [0, 1, 9]) {
      for (const chunkSize of [64, 16_384]) {
        const stream = createDeflateRaw({ level, chunkSize });
        const into = inflater(takeover);
        for (let number = 0; number < 20; number += 1) {
          const one = Buffer.from(`${number} `.repeat(number * number * 20 + 1));
          const chunks: Buffer[] = [];
          stream.on("data", (chunk: Buffer) => chunks.push(chunk));
          stream.write(one);
          await new Promise<void>((resolve) => stream.flush(constants.Z_SYNC_FLUSH, resolve));
          stream.removeAllListeners("data");
          const payload = Buffer.concat(chunks).subarray(0, -4);
          expect(Buffer.compare(inflate(into, payload) as Buffer, one)).toBe(0);
        }
        into.close();
      }
    }
  });

  test("a message may be as long as the limit and no longer, however short its data", () => {
    const bomb = (length: number) => deflate(createDeflate(noTakeover), Buffer.alloc(length));
    for (const limit of [1, 1000, 100_000, maxBytes]) {
      const one = inflater(noTakeover, limit);
      expect(inflate(one, bomb(limit + 1))).toBe(inflateFailure.tooLong);
      expect((inflate(one, bomb(limit)) as Buffer).length).toBe(limit);
      expect(inflate(one, bomb(50 << 20))).toBe(inflateFailure.tooLong);
    }
  });

  test("no bytes make it throw", () => {
    const one = inflater(noTakeover);
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        inflate(one, bytes);
      }),
      { numRuns: 500 },
    );
  });
});

test.skipIf(zlib === null)("a message that was cut anywhere is corrupt", () => {
  const [, library] = implementations;
  const whole = deflateRawSync(Buffer.from("a message that was cut, cut anywhere, anywhere"), {
    finishFlush: constants.Z_SYNC_FLUSH,
  }).subarray(0, -4);
  const one = library?.inflater(noTakeover) as Inflater;
  for (let length = 0; length < whole.length; length += 1) {
    expect(inflate(one, whole.subarray(0, length))).toBe(inflateFailure.corrupt);
  }
  expect(inflate(one, whole).toString()).toContain("anywhere");
});

test.skipIf(zlib === null)(
  "contexts that were closed are refused, and their memory is given back",
  () => {
    const [, library] = implementations;
    const one = library?.inflater(takeover) as Inflater;
    one.close();
    expect(inflate(one, bytesOf("f2 48 cd c9 c9 07 00"))).toBe(inflateFailure.corrupt);
    const before = process.memoryUsage.rss();
    // Kept, they would be 6 GB.
    for (let round = 0; round < 20_000; round += 1) {
      const [out, into] = [library?.deflate(takeover) as Deflate, library?.inflater(takeover) as Inflater];
      inflate(into, deflate(out, Buffer.from("Hello")));
      out.close();
      into.close();
    }
    expect(process.memoryUsage.rss() - before).toBeLessThan(500 << 20);
  },
  60_000,
);
