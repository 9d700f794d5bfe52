import { expect, test } from "bun:test";
import { constants, deflateRawSync } from "node:zlib";
import fc from "fast-check";
import type { Inflater } from "./compression/codec.ts";
import { createInflater } from "./compression/create-codec.ts";
import { opcode, reservedBit1 } from "./frame.ts";
import { FrameReader, type FrameSink, readMessages } from "./frame-reader.ts";

type Seen = [what: string, value: string];

function collect(): { seen: Seen[]; sink: FrameSink } {
  const seen: Seen[] = [];
  return {
    seen,
    sink: {
      onMessage: (bytes, start, end, isText) =>
        seen.push([isText ? "text" : "binary", Buffer.from(bytes.subarray(start, end)).toString("latin1")]),
      onPing: (payload) => seen.push(["ping", Buffer.from(payload).toString("latin1")]),
      onClose: (code, reason) => seen.push(["close", `${code} ${reason}`]),
      onViolation: (code) => seen.push(["violation", String(code)]),
    },
  };
}

/** An unmasked server frame, in the shortest length form unless `lengthBytes` forces a longer one. */
function frame(code: number, payload: Uint8Array, final = true, lengthBytes = 0): Buffer {
  const n = payload.length;
  const head = [(final ? 0x80 : 0) | code];
  if (lengthBytes === 8 || n > 65_535) {
    head.push(127, 0, 0, 0, 0, n >>> 24, (n >>> 16) & 255, (n >>> 8) & 255, n & 255);
  } else if (lengthBytes === 2 || n > 125) {
    head.push(126, n >>> 8, n & 255);
  } else {
    head.push(n);
  }
  return Buffer.concat([Buffer.from(head), payload]);
}

/** As a connection reads: whole texts without a reader and all else with one, from a buffer that is used again. */
function read(
  bytes: Uint8Array,
  cuts: readonly number[],
  maxMessageBytes = 1 << 20,
  inflater: Inflater | null = null,
): Seen[] {
  const { seen, sink } = collect();
  const shared = new Uint8Array(bytes.length + 100);
  let reader: FrameReader | null = null;
  let from = 0;
  for (const cut of [...cuts].sort((a, b) => a - b).concat(bytes.length)) {
    const to = Math.min(Math.max(cut, from), bytes.length);
    const end = to - from;
    // What is left behind the end looks like the start of a text.
    shared.fill(0x81).set(bytes.subarray(from, to));
    from = to;
    const at = reader === null ? readMessages(shared, end, sink, inflater) : 0;
    if (at === end) continue;
    reader ??= new FrameReader(sink, maxMessageBytes, inflater);
    reader.push(shared, at, end);
    if (reader.isBetweenMessages) reader = null;
  }
  return seen;
}

const payload = fc.oneof(
  fc.uint8Array({ maxLength: 130 }),
  fc.uint8Array({ minLength: 65_530, maxLength: 65_540 }),
);
const message = fc.record({
  text: fc.boolean(),
  fragments: fc.array(payload, { minLength: 1, maxLength: 3 }),
  ping: fc.option(fc.uint8Array({ maxLength: 125 }), { nil: null }),
});

test("messages come out whole and in order, however fragmented, interleaved with pings and cut", () => {
  fc.assert(
    fc.property(
      fc.array(message, { maxLength: 5 }),
      fc.array(fc.nat({ max: 70_000 }), { maxLength: 20 }),
      (messages, cuts) => {
        const wire: Buffer[] = [];
        const expected: Seen[] = [];
        for (const { text, fragments, ping } of messages) {
          for (const [index, part] of fragments.entries()) {
            const first = text ? opcode.text : opcode.binary;
            wire.push(frame(index === 0 ? first : opcode.continuation, part, index === fragments.length - 1));
            if (ping !== null && index === 0 && fragments.length > 1) {
              wire.push(frame(opcode.ping, ping));
              expected.push(["ping", Buffer.from(ping).toString("latin1")]);
            }
          }
          expected.push([text ? "text" : "binary", Buffer.concat(fragments).toString("latin1")]);
        }
        expect(read(Buffer.concat(wire), cuts)).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});

test("one-byte pieces give the same as one chunk", () => {
  const wire = Buffer.concat([
    frame(opcode.text, Buffer.from("a".repeat(70_000))),
    frame(opcode.ping, Buffer.from("p")),
    frame(opcode.close, Buffer.from([0x03, 0xe8, 0x62, 0x79, 0x65])),
  ]);
  const everyByte = Array.from({ length: wire.length }, (_, index) => index);
  expect(read(wire, everyByte)).toEqual(read(wire, []));
  expect(read(wire, []).at(-1)).toEqual(["close", "1000 bye"]);
});

test.each([
  ["reserved bit", Buffer.from([0xc1, 0]), "1002"],
  ["reserved opcode", Buffer.from([0x83, 0]), "1002"],
  ["masked server frame", Buffer.from([0x81, 0x80, 1, 2, 3, 4]), "1002"],
  ["continuation of nothing", frame(opcode.continuation, Buffer.from("x")), "1002"],
  ["fragmented ping", frame(opcode.ping, Buffer.from("x"), false), "1002"],
  ["ping of 126 bytes", frame(opcode.ping, Buffer.alloc(126)), "1002"],
  ["16-bit length for 5 bytes", frame(opcode.text, Buffer.from("hello"), true, 2), "1002"],
  ["64-bit length for 5 bytes", frame(opcode.text, Buffer.from("hello"), true, 8), "1002"],
  ["close with one byte", frame(opcode.close, Buffer.from([3])), "1002"],
  ["close code 1005", frame(opcode.close, Buffer.from([0x03, 0xed])), "1002"],
  ["close reason that is not UTF-8", frame(opcode.close, Buffer.from([0x03, 0xe8, 0xff])), "1007"],
  ["message past the limit", Buffer.from([0x81, 127, 0, 0, 0, 1, 0, 0, 0, 0]), "1009"],
  ["length with the top bit", Buffer.from([0x81, 127, 0x80, 0, 0, 0, 0, 0, 0, 0]), "1009"],
])("%s is a violation, in one piece and in single bytes", (_, bytes, code) => {
  const everyByte = Array.from({ length: bytes.length }, (_, index) => index);
  expect(read(bytes, [])).toEqual([["violation", code]]);
  expect(read(bytes, everyByte)).toEqual([["violation", code]]);
});

test("a message inside a fragmented one is a violation; nothing after one is read", () => {
  const wire = Buffer.concat([
    frame(opcode.text, Buffer.from("a"), false),
    frame(opcode.text, Buffer.from("b")),
    frame(opcode.text, Buffer.from("c")),
  ]);
  expect(read(wire, [])).toEqual([["violation", "1002"]]);
});

test("fragments together may not pass the limit", () => {
  const wire = Buffer.concat([
    frame(opcode.text, Buffer.alloc(60), false),
    frame(opcode.continuation, Buffer.alloc(60)),
  ]);
  expect(read(wire, [], 100)).toEqual([["violation", "1009"]]);
});

test("any bytes in any pieces: no exception, and at most one violation or close, at the end", () => {
  fc.assert(
    fc.property(
      fc.uint8Array({ maxLength: 400 }),
      fc.array(fc.nat({ max: 400 }), { maxLength: 30 }),
      (bytes, cuts) => {
        const seen = read(bytes, cuts, 1000);
        expect(seen).toEqual(read(bytes, [], 1000));
        const ends = seen.findIndex(([what]) => what === "violation" || what === "close");
        expect(ends === -1 || ends === seen.length - 1).toBe(true);
      },
    ),
    { numRuns: 500 },
  );
});

const compressed = (code: number) => reservedBit1 | code;

function deflate(message: Uint8Array): Buffer {
  return deflateRawSync(message, { finishFlush: constants.Z_SYNC_FLUSH }).subarray(0, -4);
}

/** As a connection that agreed to compression reads. */
function readCompressed(bytes: Uint8Array, cuts: readonly number[] = [], maxInflatedBytes = 1 << 20): Seen[] {
  const inflater = createInflater({ takeover: false, windowBits: 15 }, maxInflatedBytes);
  return read(bytes, cuts, 1 << 20, inflater);
}

test("compressed messages come out among others, however fragmented, interleaved with pings and cut", () => {
  const piece = fc.record({
    text: fc.boolean(),
    isCompressed: fc.boolean(),
    payload: fc.oneof(
      fc.uint8Array({ maxLength: 300 }),
      fc.nat({ max: 200_000 }).map((length) => Buffer.alloc(length, "abc")),
    ),
    fragments: fc.integer({ min: 1, max: 4 }),
    ping: fc.boolean(),
  });
  fc.assert(
    fc.property(
      fc.array(piece, { maxLength: 8 }),
      fc.array(fc.nat({ max: 5000 }), { maxLength: 20 }),
      (pieces, cuts) => {
        const wire: Buffer[] = [];
        const expected: Seen[] = [];
        for (const { text, isCompressed, payload, fragments, ping } of pieces) {
          const data = isCompressed ? deflate(payload) : Buffer.from(payload);
          const size = Math.ceil(data.length / fragments);
          for (let part = 0; part < fragments; part += 1) {
            const code = text ? opcode.text : opcode.binary;
            const first = isCompressed ? compressed(code) : code;
            const slice = data.subarray(part * size, (part + 1) * size);
            wire.push(frame(part === 0 ? first : opcode.continuation, slice, part === fragments - 1));
            if (ping && part < fragments - 1) {
              wire.push(frame(opcode.ping, Buffer.from("p")));
              expected.push(["ping", "p"]);
            }
          }
          expected.push([text ? "text" : "binary", Buffer.from(payload).toString("latin1")]);
        }
        expect(readCompressed(Buffer.concat(wire), cuts)).toEqual(expected);
      },
    ),
    { numRuns: 60 },
  );
});

test("RFC 7692 section 7.2.3.1: Hello in one frame and in two", () => {
  const hello: Seen[] = [["text", "Hello"]];
  expect(readCompressed(Buffer.from("c107f248cdc9c90700", "hex"))).toEqual(hello);
  expect(readCompressed(Buffer.from("4103f248cd8004c9c90700", "hex"))).toEqual(hello);
});

const hello = Buffer.from("f248cdc9c90700", "hex");

test.each([
  [
    "RSV1 of a continuation",
    [
      frame(compressed(opcode.text), hello.subarray(0, 3), false),
      frame(compressed(opcode.continuation), hello.subarray(3)),
    ],
    "1002",
  ],
  ["RSV1 of a ping", [frame(compressed(opcode.ping), Buffer.from("x"))], "1002"],
  ["RSV1 of a close", [frame(compressed(opcode.close), Buffer.from([0x03, 0xe8]))], "1002"],
  ["RSV2 beside RSV1", [frame(0x60 | opcode.text, hello)], "1002"],
  ["RSV3 alone", [frame(0x10 | opcode.text, Buffer.from("x"))], "1002"],
  ["corrupt data", [frame(compressed(opcode.text), Buffer.from([0x06]))], "1007"],
  [
    "corrupt data in fragments",
    [
      frame(compressed(opcode.text), Buffer.from([0x00]), false),
      frame(opcode.continuation, Buffer.from([5, 0, 1, 1])),
    ],
    "1007",
  ],
  ["an empty payload, which is no DEFLATE data", [frame(compressed(opcode.binary), Buffer.alloc(0))], "1007"],
  ["a bomb", [frame(compressed(opcode.text), deflate(Buffer.alloc((1 << 20) + 1)))], "1009"],
  [
    "a bomb in fragments",
    [
      frame(compressed(opcode.text), deflate(Buffer.alloc(2 << 20)).subarray(0, 9), false),
      frame(opcode.continuation, deflate(Buffer.alloc(2 << 20)).subarray(9)),
    ],
    "1009",
  ],
])("with compression, %s is a violation, behind which nothing is read", (_, frames, code) => {
  const wire = Buffer.concat([
    frame(compressed(opcode.text), hello),
    ...frames,
    frame(opcode.text, Buffer.from("c")),
  ]);
  const everyByte = Array.from({ length: wire.length }, (_, index) => index);
  const expected: Seen[] = [
    ["text", "Hello"],
    ["violation", code],
  ];
  expect(readCompressed(wire)).toEqual(expected);
  expect(readCompressed(wire, everyByte)).toEqual(expected);
});
