import { expect, test } from "bun:test";
import { constants, inflateRawSync } from "node:zlib";
import fc from "fast-check";
import { encodeClientFrame, opcode } from "../frame.ts";
import { createDeflate } from "./create-codec.ts";
import { FrameDeflater } from "./frame-deflater.ts";

const terms = { takeover: false, windowBits: 15 };

/** A client frame by RFC 6455 section 5.2. */
function parse(frame: Buffer) {
  const short = frame.readUInt8(1) & 0x7f;
  const start = short < 126 ? 6 : short === 126 ? 8 : 14;
  const length =
    short < 126 ? short : short === 126 ? frame.readUInt16BE(2) : Number(frame.readBigUInt64BE(2));
  expect(frame.length).toBe(start + length);
  expect(frame.readUInt8(1) & 0x80).toBe(0x80);
  const mask = frame.subarray(start - 4, start);
  const payload = frame.subarray(start).map((byte, at) => byte ^ (mask[at & 3] ?? 0));
  return { first: frame.readUInt8(0), mask, payload };
}

function write(deflater: FrameDeflater, code: number, payload: Uint8Array, mask: number) {
  // At any place of a buffer, as a writer's frames may be.
  const frame = Buffer.concat([
    Buffer.alloc(3, 1),
    encodeClientFrame(code, payload, mask),
    Buffer.alloc(3, 1),
  ]);
  deflater.write(frame, 3, frame.length - 3);
  expect(deflater.payloadBytes).toBe(payload.length);
  return parse(Buffer.from(deflater.bytes.slice(deflater.start, deflater.end)));
}

const tail = Buffer.from([0x00, 0x00, 0xff, 0xff]);

test("RFC 7692 section 7.2.3.1: Hello in one frame, masked after its compression", () => {
  const deflater = new FrameDeflater(createDeflate(terms));
  const { first, mask, payload } = write(deflater, opcode.text, Buffer.from("Hello"), 0x04030201);
  expect(first).toBe(0xc1);
  expect([...mask]).toEqual([1, 2, 3, 4]);
  expect(Buffer.from(payload).toString("hex")).toBe("f248cdc9c90700");
});

test("an empty message is a compressed one too", () => {
  const deflater = new FrameDeflater(createDeflate(terms));
  const { first, payload } = write(deflater, opcode.binary, new Uint8Array(0), 7);
  expect(first).toBe(0xc2);
  expect([...payload]).toEqual([0]);
});

test("frames of every length hold their message, which is never longer than said", () => {
  const deflater = new FrameDeflater(createDeflate(terms));
  const length = fc.oneof(fc.integer({ min: 0, max: 300 }), fc.integer({ min: 60_000, max: 70_000 }));
  fc.assert(
    fc.property(length, fc.boolean(), fc.integer(), (bytes, isRandom, mask) => {
      const message = Buffer.alloc(bytes, "abcdefg");
      if (isRandom) crypto.getRandomValues(message);
      const { first, payload } = write(deflater, opcode.binary, message, mask | 1);
      expect(first).toBe(0xc2);
      expect(deflater.end - deflater.start).toBeLessThanOrEqual(deflater.mostBytes(bytes));
      const inflated = inflateRawSync(Buffer.concat([payload, tail]), {
        finishFlush: constants.Z_SYNC_FLUSH,
      });
      expect(Buffer.compare(inflated, message)).toBe(0);
    }),
    { numRuns: 200 },
  );
});
